"""`python -m warroom.sandbox.tools PLATFORM_URL TOOL ARGS…`: docker, kafka and scripts of the sandbox platform.

The packs' command probes start these in the demo; each asks the platform over HTTP and prints what the tool prints.
"""

import json
import sys
from urllib.error import URLError
from urllib.request import Request, urlopen


def ask(url: str) -> str | None:
    """The body at a loopback address; None when the service is down."""
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - the sandbox's own address
            return str(answer.read().decode())
    except (URLError, ConnectionError, TimeoutError):
        return None


def change(platform: str, tool: str, body: dict[str, object]) -> str | None:
    """What a tool that changes something is answered; None when it is refused or nobody answers."""
    request = Request(f"{platform}/tools/{tool}", data=json.dumps(body).encode())  # noqa: S310
    try:
        with urlopen(request, timeout=5) as answer:  # noqa: S310 - the sandbox's own address
            return str(answer.read().decode())
    except (URLError, ConnectionError, TimeoutError):
        return None


def told(answer: str | None) -> tuple[int, str]:
    """Exit code and output for an answer of `change`."""
    return (0, answer) if answer is not None else (1, "refused")


def replicas(platform: str) -> int:
    """How many Market Sentinels run."""
    found = ask(f"{platform}/kafka/consumers")
    return int(json.loads(found)["replicas"]) if found is not None else 1


def docker(platform: str, arguments: list[str]) -> tuple[int, str]:
    """`docker ps` and `docker logs CONTAINER`."""
    services = {name: ask(f"{platform}/{name}/health") for name in ("market-sentinel", "risk-warden", "executioner")}
    if arguments[:1] == ["ps"]:
        running = [name for name, health in services.items() if health is not None]
        up = [f"{name}-1   {name}:4   Up 6 days" for name in running]
        up += [f"market-sentinel-{n}   market-sentinel:4   Up 1 minute" for n in range(2, replicas(platform) + 1)]
        return 0, "\n".join(["NAMES   IMAGE   STATUS", *up])
    name = next((a for a in arguments[1:] if not a.startswith("-")), "").removesuffix("-1")
    log = ask(f"{platform}/{name}/api/logs/tail?lines=100")
    return (0, log) if log is not None else (0, "java.lang.OutOfMemoryError: Java heap space\nprocess exited with 137")


def kafka_topics(platform: str, arguments: list[str]) -> tuple[int, str]:
    """`--list`, or `--describe --topic TOPIC`."""
    found = ask(f"{platform}/kafka/topics")
    return (0, found) if found is not None else (1, "Connection to node -1 could not be established")


def kafka_consumer_groups(platform: str, arguments: list[str]) -> tuple[int, str]:
    """`--describe --all-groups`, `--describe --group GROUP`, and the reset to the latest offset."""
    if "--reset-offsets" in arguments:
        wanted = ["--to-latest", "--topic", "market-regime", "--execute"]
        if arguments != ["--group", "market-sentinel-group", "--reset-offsets", *wanted]:
            return 1, f"cannot reset with {' '.join(arguments)}"
        return told(change(platform, "reset-offsets", {}))
    found = ask(f"{platform}/kafka/consumer-groups")
    if found is not None and "--group" in arguments:
        groups = {group["group"]: group for group in json.loads(found)["groups"]}
        return 0, json.dumps(groups[arguments[arguments.index("--group") + 1]])
    return (0, found) if found is not None else (1, "Connection to node -1 could not be established")


def kafka_log_merger(platform: str, arguments: list[str]) -> tuple[int, str]:
    """The state changes by partition."""
    found = ask(f"{platform}/kafka/topics/market-regime")
    return (0, found) if found is not None else (1, "no logs found")


def incident_snapshot(platform: str, arguments: list[str]) -> tuple[int, str]:
    """The platform's snapshot script: says what it wrote."""
    files = [f"snapshot/{name}.log" for name in ("market-sentinel", "risk-warden", "executioner")]
    return 0, "\n".join([*files, "snapshot/metrics.json", "snapshot/database.sql.gz"])


def risk_data_validation(platform: str, arguments: list[str]) -> tuple[int, str]:
    """The platform's validation script: every portfolio's inputs are complete."""
    found = ask(f"{platform}/risk-warden/api/risk/attribution")
    if found is None:
        return 1, "the Risk Warden does not answer"
    return 0, f"validated {len(json.loads(found))} inputs, 0 anomalies"


def docker_compose(platform: str, arguments: list[str]) -> tuple[int, str]:
    """`docker-compose restart SERVICE…`, `docker-compose up -d --scale market-sentinel=N`."""
    if arguments[:1] == ["restart"]:
        return told(change(platform, "restart", {"services": arguments[1:]}))
    wanted = arguments[-1].removeprefix("market-sentinel=")
    if arguments[:-1] != ["up", "-d", "--scale"] or not wanted.isdigit():
        return 1, f"unknown command {' '.join(arguments)}"
    return told(change(platform, "scale", {"replicas": int(wanted)}))


def kafka_configs(platform: str, arguments: list[str]) -> tuple[int, str]:
    """`--describe`, `--alter --add-config retention.ms=N` and `--alter --delete-config retention.ms` of a topic."""
    body: dict[str, object] = {}
    if "--add-config" in arguments:
        body = {"retention_ms": int(arguments[-1].removeprefix("retention.ms="))}
    elif "--delete-config" in arguments:
        body = {"retention_ms": None}
    answer = change(platform, "retention", body)
    if answer is None:
        return 1, "refused"
    kept = json.loads(answer)["retention_ms"]
    return 0, f"Dynamic configs for topic market-regime are: retention.ms={kept if kept is not None else 'default'}"


def manual_mode(platform: str, arguments: list[str]) -> tuple[int, str]:
    """The platform's script for manual trading."""
    return told(change(platform, "manual-mode", {}))


TOOLS = {
    "docker": docker,
    "docker-compose": docker_compose,
    "kafka-configs": kafka_configs,
    "manual-mode": manual_mode,
    "kafka-topics": kafka_topics,
    "kafka-consumer-groups": kafka_consumer_groups,
    "kafka-log-merger": kafka_log_merger,
    "incident-snapshot": incident_snapshot,
    "risk-data-validation": risk_data_validation,
}


def main() -> int:
    """Runs the tool; returns its exit code."""
    platform, tool, *arguments = sys.argv[1:]
    code, output = TOOLS[tool](platform, arguments)
    print(output)
    return code


if __name__ == "__main__":
    sys.exit(main())

"""`python -m warroom.sandbox.tools PLATFORM_URL TOOL ARGS…`: docker, kafka and scripts of the sandbox platform.

The packs' command probes start these in the demo; each asks the platform over HTTP and prints what the tool prints.
"""

import json
import sys
from urllib.error import URLError
from urllib.request import urlopen


def ask(url: str) -> str | None:
    """The body at a loopback address; None when the service is down."""
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - the sandbox's own address
            return str(answer.read().decode())
    except (URLError, ConnectionError, TimeoutError):
        return None


def docker(platform: str, arguments: list[str]) -> tuple[int, str]:
    """`docker ps` and `docker logs CONTAINER`."""
    services = {name: ask(f"{platform}/{name}/health") for name in ("market-sentinel", "risk-warden", "executioner")}
    if arguments[:1] == ["ps"]:
        up = [f"{name}-1   {name}:4   Up 6 days" for name, health in services.items() if health is not None]
        return 0, "\n".join(["NAMES   IMAGE   STATUS", *up])
    name = next((a for a in arguments[1:] if not a.startswith("-")), "").removesuffix("-1")
    log = ask(f"{platform}/{name}/api/logs/tail?lines=100")
    return (0, log) if log is not None else (0, "java.lang.OutOfMemoryError: Java heap space\nprocess exited with 137")


def kafka_topics(platform: str, arguments: list[str]) -> tuple[int, str]:
    """`--list`, or `--describe --topic TOPIC`."""
    found = ask(f"{platform}/kafka/topics")
    return (0, found) if found is not None else (1, "Connection to node -1 could not be established")


def kafka_consumer_groups(platform: str, arguments: list[str]) -> tuple[int, str]:
    """`--describe --all-groups`."""
    found = ask(f"{platform}/kafka/consumer-groups")
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


TOOLS = {
    "docker": docker,
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

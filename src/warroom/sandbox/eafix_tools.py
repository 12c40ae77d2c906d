"""`python -m warroom.sandbox.eafix_tools PLATFORM_URL TOOL ARGS…`: docker, make, git and the scripts of EAFIX.

The pack's commands start these in the demo; each asks the platform over HTTP and prints what the tool prints.
"""

import json
import sys
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

SERVICES = (
    "gui-gateway",
    "data-ingestor",
    "indicator-engine",
    "signal-generator",
    "risk-manager",
    "execution-engine",
)
Result = tuple[int, str]


def ask(url: str, *, post: bool = False) -> str | None:
    """The body at a loopback address; None when there is no good answer."""
    body = b"{}" if post else None
    try:
        with urlopen(Request(url, data=body), timeout=5) as answer:  # noqa: S310 - the sandbox's own address
            return str(answer.read().decode())
    except (HTTPError, URLError, ConnectionError, TimeoutError):
        return None


def containers(platform: str) -> dict[str, str]:
    """service → running or exited."""
    found: dict[str, str] = json.loads(ask(f"{platform}/docker/ps") or "{}")
    return found


def docker(platform: str, arguments: list[str]) -> Result:
    """`docker compose ps|logs|restart|stop`, `docker stats` and `docker exec SERVICE ping … SERVICE`."""
    match arguments:
        case ["compose", "ps", "--status", status, "--services"]:
            return 0, "\n".join(name for name, state in containers(platform).items() if state == status)
        case ["compose", "ps", *_]:
            return 0, "\n".join(f"{name}   {state}" for name, state in containers(platform).items())
        case ["compose", "logs", *_]:
            return 0, ask(f"{platform}/docker/logs") or "no log lines"
        case ["compose", ("restart" | "stop") as verb, service]:
            done = ask(f"{platform}/docker/{verb}/{service}", post=True)
            return (0, done) if done is not None else (1, f"no such service: {service}")
        case ["stats", *_]:
            return 0, "\n".join(f"{name}   2.1%   180MiB / 2GiB" for name in SERVICES)
        case ["exec", one, "ping", *_, other]:
            up = all(containers(platform).get(name) == "running" for name in (one, other))
            return (0, "3 packets received") if up else (1, "100% packet loss")
    return 64, f"docker: not known here: {' '.join(arguments)}"


def make(platform: str, arguments: list[str]) -> Result:
    """`make smoke`, `make contracts-validate`, `make contracts-validate-full`."""
    if arguments != ["smoke"]:
        return 0, "14 contracts valid"
    failed = [name for name, state in containers(platform).items() if state != "running"]
    return (1, "smoke FAILED: " + ", ".join(failed)) if failed else (0, "smoke ok: 6 services")


def git(platform: str, arguments: list[str]) -> Result:
    """`git log`."""
    return 0, "3f1c2ab Raise the order batch size"


def compare_positions(platform: str, arguments: list[str]) -> Result:
    """Our positions against the broker's."""
    found = ask(f"{platform}/gui-gateway/api/reconcile/positions")
    if found is None:
        return 1, "the gateway does not answer"
    said: dict[str, Any] = json.loads(found)
    return (0 if said["matched"] else 1), f"discrepancy {said['discrepancy_usd']:.2f} USD"


def trading_flow(platform: str, arguments: list[str]) -> Result:
    """From a tick to a dry order."""
    for path in ("signal-generator/healthz", "risk-manager/healthz", "execution-engine/healthz"):
        if ask(f"{platform}/{path}") is None:
            return 1, f"no answer from {path.partition('/')[0]}"
    done = json.loads(ask(f"{platform}/execution-engine/test/dry-run-order", post=True) or "{}")
    return (0, "tick to order: ok") if done.get("accepted") else (1, "the order was not accepted")


def latency(platform: str, arguments: list[str]) -> Result:
    """The latency scripts: p99 of the way from tick to order."""
    slow = json.loads(ask(f"{platform}/execution-engine/api/metrics/execution-times?period=1h") or "{}")
    seconds = slow.get("p99_s", 99.0)
    return (0 if seconds < 1 else 1), f"p99 {seconds * 1000:.0f} ms"


TOOLS = {
    "docker": docker,
    "make": make,
    "git": git,
    "compare-positions": compare_positions,
    "trading-flow-test": trading_flow,
    "trading-latency": latency,
    "latency-test": latency,
    "latency-benchmark": latency,
}


def main() -> int:
    """Runs the tool; returns its exit code."""
    platform, tool, *arguments = sys.argv[1:]
    code, output = TOOLS[tool](platform, arguments)
    print(output)
    return code


if __name__ == "__main__":
    sys.exit(main())

"""`python market_data_tools.py PIPELINE_URL TOOL ARGS…`: the command lines of the market data pipeline.

The pack's commands start these in the demo: `cli/ingestion.py`, `tradepulse-cli`, `pytest`. Each takes exactly what the
runbook types, asks the pipeline over HTTP and prints what the tool prints.
"""

import json
import sys
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

MARKER = {"market_calendar": 41, "dst or holiday or session_boundary": 17}
"""expression of pytest's -k → how many tests it selects"""


def ask(url: str, body: dict[str, str] | None = None) -> tuple[int, dict[str, object]]:
    """Status and JSON of a loopback address; 0 when nobody answers."""
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urlopen(Request(url, data=data), timeout=5) as answer:  # noqa: S310 - the sandbox's own address
            return answer.status, json.loads(answer.read())
    except HTTPError as exc:
        return exc.code, json.loads(exc.read())
    except (URLError, ConnectionError, TimeoutError) as exc:
        return 0, {"error": str(exc)}


def options(arguments: list[str], *names: str) -> dict[str, str]:
    """`--name value` pairs; raises ValueError for anything missing or unknown."""
    pairs = dict(zip(arguments[::2], arguments[1::2], strict=True))
    if set(pairs) != {f"--{name}" for name in names}:
        raise ValueError(f"usage: {' '.join(f'--{name} …' for name in names)}")
    return {name.removeprefix("--"): value for name, value in pairs.items()}


def ingestion(pipeline: str, arguments: list[str]) -> tuple[int, str]:
    """`cli/ingestion.py --reseed --market ID`."""
    if arguments[:1] != ["--reseed"]:
        return 2, "usage: ingestion.py --reseed --market ID"
    status, said = ask(f"{pipeline}/tools/reseed", options(arguments[1:], "market"))
    return (0, str(said["said"])) if status == 200 else (1, str(said["error"]))


def tradepulse_cli(pipeline: str, arguments: list[str]) -> tuple[int, str]:
    """`tradepulse-cli ingest backfill --market ID --start ISO --end ISO --output FOLDER`."""
    if arguments[:2] != ["ingest", "backfill"]:
        return 2, "usage: tradepulse-cli ingest backfill …"
    wanted = options(arguments[2:], "market", "start", "end", "output")
    status, said = ask(f"{pipeline}/tools/backfill", wanted)
    return (0, str(said["said"])) if status == 200 else (1, str(said["error"]))


def pytest(pipeline: str, arguments: list[str]) -> tuple[int, str]:
    """`pytest tests/data_quality/ -k EXPRESSION`."""
    if arguments[:2] != ["tests/data_quality/", "-k"] or len(arguments) != 3 or arguments[2] not in MARKER:
        return 4, f"ERROR: no tests selected by {arguments}"
    count = MARKER[arguments[2]]
    status, said = ask(f"{pipeline}/quality")
    if status != 200:
        return 3, f"INTERNALERROR: {said['error']}"
    if said["sound"]:
        return 0, f"{count} passed in 1.84s"
    return 1, f"FAILED tests/data_quality/test_completeness.py\n2 failed, {count - 2} succeeded in 1.91s"


TOOLS = {"ingestion": ingestion, "tradepulse-cli": tradepulse_cli, "pytest": pytest}


def main() -> int:
    """Runs the tool; returns its exit code."""
    pipeline, tool, *arguments = sys.argv[1:]
    try:
        code, output = TOOLS[tool](pipeline, arguments)
    except ValueError as exc:
        code, output = 2, str(exc)
    print(output)
    return code


if __name__ == "__main__":
    sys.exit(main())

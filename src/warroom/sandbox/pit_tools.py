"""`python -I pit_tools.py PIT_URL TOOL ARGS…`: a command line tool of the point-in-time platform, as a stand-in.

Hands its arguments to the sandbox's platform and prints what the tool prints there.
"""

import json
import sys
from urllib.error import URLError
from urllib.request import Request, urlopen


def main() -> int:
    """Runs the tool; returns its exit code."""
    url, tool, *arguments = sys.argv[1:]
    body = json.dumps({"arguments": arguments}).encode()
    request = Request(f"{url}/tools/{tool}", body, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310 - the sandbox's own address
            said = json.load(answer)
    except (URLError, TimeoutError, ValueError) as error:
        print(f"{tool} failed: {error}", file=sys.stderr)
        return 1
    print(said["output"])
    return int(said["code"])


if __name__ == "__main__":
    sys.exit(main())

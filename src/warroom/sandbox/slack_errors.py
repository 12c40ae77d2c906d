"""What Slack refuses, in Slack's own words."""

from typing import Any


class SlackError(Exception):
    """``{"ok": false, "error": code, **more}``."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more

    def as_json(self) -> dict[str, Any]:
        return {"ok": False, "error": self.code, **self.more}


def invalid_arguments(message: str) -> SlackError:
    """``invalid_arguments`` with the reason where Slack puts it."""
    return SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}"]})


class RateLimitedError(Exception):
    """429; ``retry_after`` in whole seconds, at least 1."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"ratelimited, retry after {retry_after} s")
        self.retry_after = retry_after

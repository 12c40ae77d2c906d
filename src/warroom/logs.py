"""Logs: one line each, to standard error, with secrets taken out whatever logged them."""

import logging
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

import structlog

HIDDEN = "***"
SHORTEST = 6


def configure(secrets: Iterable[str], *, level: int = logging.INFO) -> None:
    """Send structlog's and the standard library's logs to standard error as JSON lines.

    Each of `secrets` is replaced wherever it appears, also in tracebacks and inside of lists and objects.
    """
    hidden = tuple(sorted({s for s in secrets if len(s) >= SHORTEST}, key=len, reverse=True))

    def shown(value: Any) -> Any:
        if value is None or isinstance(value, int | float):
            return value
        if isinstance(value, Mapping):
            return {str(shown(key)): shown(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [shown(item) for item in value]
        text = str(value)
        for secret in hidden:
            text = text.replace(secret, HIDDEN)
        return text

    def redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        return {key: shown(value) for key, value in event.items()}

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "apscheduler", "uvicorn.access", "aiosqlite", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)  # it warns of a token in the environment, which is fine

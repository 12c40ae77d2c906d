"""Databases of the platform: which addresses we take, how we connect, bound parameters, errors in words."""

import os
import sqlite3
from collections.abc import Mapping
from urllib.parse import quote

from sqlalchemy import String, TextClause, bindparam, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from warroom.domain.slots import BIND, binds
from warroom.platform.surroundings import NoAnswerError

SERVER_SHARE = 0.9
"""The server is told to give up at this share of the time limit, so that it ends the statement before we hang up."""
CANCELLED = "57014"
NAME = "warroom"


def bound(statement: str, known: Mapping[str, object]) -> TextClause:
    """The statement with its :names bound, as text (a pack casts where it needs a number or a time)."""
    parts, last = [], 0
    for found in BIND.finditer(statement):
        parts += [_plain(statement[last : found.start()]), found[0] if found[1] else _plain(found[0])]
        last = found.end()
    parts.append(_plain(statement[last:]))
    given = [bindparam(name, str(known[name]), String) for name in sorted(binds(statement))]
    return text("".join(parts)).bindparams(*given)


def is_refusal(exc: Exception) -> bool:
    """Whether a database said no or was not there. asyncpg's errors are known by their module: where no database of
    the platform is PostgreSQL, the driver is never loaded (3 MB)."""
    driver = type(exc).__module__.partition(".")[0] == "asyncpg"
    return driver or isinstance(exc, SQLAlchemyError | sqlite3.Warning | OSError)


def _plain(sql: str) -> str:
    """Colons that mean nothing to us."""
    return sql.replace(":", r"\:")


def safe_url(address: str, *, write: bool = False) -> URL:
    """The driver's URL; SQLite files are opened read-only unless for `write`.

    Raises NoAnswerError for anything we cannot use safely.
    """
    try:
        url = make_url(address)
    except ArgumentError as exc:
        raise NoAnswerError("the database's address is no SQLAlchemy URL: set it right in warroom.yaml") from exc
    match url.get_backend_name():
        case "postgresql":
            return url.set(drivername="postgresql+asyncpg")
        case "sqlite" if url.database and not url.database.startswith((":memory:", "file:")):
            if not (os.path.isfile(url.database) and os.access(url.database, os.W_OK if write else os.R_OK)):
                can = "write" if write else "read"
                raise NoAnswerError(f"there is no such database file that we may {can}: set it right in warroom.yaml")
            mode = "rw" if write else "ro"
            path = f"file:{quote(url.database)}"
            return URL.create("sqlite+aiosqlite", database=path, query={"mode": mode, "uri": "true"})
        case _:
            raise NoAnswerError("only PostgreSQL and SQLite files can be used safely: change it in warroom.yaml")


def engine_of(url: URL, limit: float, *, write: bool = False) -> AsyncEngine:
    """An engine without a pool; `limit` are the seconds that connecting may take."""
    if url.get_backend_name() == "sqlite":
        connect: dict[str, object] = {"timeout": limit}
    else:
        settings = {"application_name": NAME, "default_transaction_read_only": "off" if write else "on"}
        connect = {"timeout": limit, "server_settings": settings}
    return create_async_engine(url, poolclass=NullPool, connect_args=connect)


def server_limit(limit: float) -> TextClause:
    """What tells PostgreSQL to end a statement of ours in time."""
    return text(f"SET LOCAL statement_timeout = {max(1, int(limit * SERVER_SHARE * 1000))}")


def meaning(exc: Exception) -> Exception:
    """What a database's error means: NoAnswerError with a sentence, or TimeoutError."""
    original = exc.orig if isinstance(exc, DBAPIError) and exc.orig is not None else exc
    ended = getattr(original, "sqlstate", None) == CANCELLED or str(original) == "interrupted"
    if ended or isinstance(exc, TimeoutError):
        return TimeoutError()
    if isinstance(exc, OSError):
        return NoAnswerError("cannot connect to the database: refused, or no such host")
    said = str(original).partition("\n")[0].rpartition(">: ")[2].strip()
    return NoAnswerError(f"the database refused: {said}")

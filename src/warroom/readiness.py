"""Whether the bot does its work, as /readyz tells it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from warroom.engine.engine import Engine
from warroom.engine.ports import Clock
from warroom.errors import StoreError
from warroom.slack.socket import Socket
from warroom.store.store import Store

log = structlog.get_logger(__name__)

OVERDUE = timedelta(minutes=1)
"""Timers this late mean that we are not doing our work."""


class Readiness:
    """Answers /readyz: not ready without a database that can be written or a socket that is wanted, or when timers are
    overdue; dead letters are shown."""

    def __init__(self, engine: Engine, store: Store, clock: Clock, socket: Socket | None) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self._socket = socket

    async def measure(self) -> None:
        """Brings the gauges of what is owed up to date; without a database they stay as they were."""
        try:
            await self._engine.backlog()
        except StoreError as error:
            log.warning("backlog_not_read", error=str(error))

    async def ready(self) -> tuple[bool, Mapping[str, Any]]:
        """Ready or not, and what is owed."""
        try:
            backlog = await self._engine.backlog()
        except StoreError as error:
            return False, {"database": str(error)}
        oldest = (self._clock.now() - backlog.oldest).total_seconds() if backlog.oldest else 0.0
        late = backlog.overdue > 0 and (await self._store.backlog(self._clock.now() - OVERDUE)).overdue > 0
        reached = {} if self._socket is None else {"socket_mode": await self._socket.connected()}
        trouble = self._engine.trouble
        return trouble is None and not late and all(reached.values()), {
            "database": trouble or "ok",
            **reached,
            "waiting": backlog.waiting,
            "oldest_waiting_seconds": round(oldest, 1),
            "overdue_timers": backlog.overdue,
            "dead_letters": [
                {"incident": d.incident, "effect": d.key, "kind": d.kind, "state": d.state, "error": d.error}
                for d in backlog.dead
            ],
            "failed_inputs": [
                {"source": source, "id": source_id, "error": error} for source, source_id, error in backlog.failed
            ],
        }

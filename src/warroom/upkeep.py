"""What is done at start and again every few minutes, so that nothing has to be looked up when an alert comes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from warroom.domain.decision import LoadedPack
from warroom.domain.inputs import Input, TakenUp
from warroom.domain.routines import SOURCE, due_between, source_id
from warroom.engine.engine import Engine
from warroom.engine.ports import Clock
from warroom.errors import DeliveryError, WarroomError
from warroom.pagerduty.client import Client
from warroom.pagerduty.reconcile import JOINED, Known, news, what_we_know
from warroom.slack.directory import Directory
from warroom.slack.gateway import Gateway

RECONCILE = timedelta(minutes=3)
ROUND = timedelta(seconds=30)
CATCH_UP = timedelta(hours=3)
"""How old a routine may be that is still begun at the start; its report says that it is late."""
LOOK_BACK = timedelta(days=1)
REFRESH = 300.0
REFRESH_COLD = 10.0

log = structlog.get_logger("warroom")


async def take_up(engine: Engine, clock: Clock) -> None:
    """Has what every incident waits for worked out anew, of those that are open or whose halt stands: the rules may be
    newer than its timers. One that fails is logged and holds up nothing."""
    now = clock.now()

    async def one(id_: str) -> None:
        began = Input(source="start", source_id=f"{id_}:{now.isoformat()}", received=now, body=TakenUp(incident=id_))
        try:
            await engine.submit(began)
        except WarroomError as error:
            log.warning("incident_not_taken_up", incident=id_, reason=str(error))

    await asyncio.gather(*(one(card.id) for card in engine.cards() if card.is_open or card.halts))


class Upkeep:
    """Learns channels and people, asks PagerDuty what its webhooks did not tell, and begins the routines of `packs`.

    `services` are PagerDuty ids. `heard` says whether an input of this source and id was written down before.
    """

    def __init__(
        self,
        engine: Engine,
        gateway: Gateway,
        directory: Directory,
        client: Client,
        services: Sequence[str],
        clock: Clock,
        packs: Mapping[str, LoadedPack],
        heard: Callable[[str, str], Awaitable[bool]],
    ) -> None:
        self._engine = engine
        self._gateway = gateway
        self._directory = directory
        self._client = client
        self._services = services
        self._clock = clock
        self._packs = packs
        self._heard = heard
        self._since = clock.now() - timedelta(days=1)
        self._routines_since: datetime | None = None
        self._warm = False

    async def warm(self) -> bool:
        """Learns channels (once) and people, so that the first alert is a single call; False when Slack is away."""
        if not self._warm:
            try:
                await self._gateway.warm()
                self._warm = True
            except DeliveryError as error:
                log.warning("slack_not_warm", reason=str(error))
        await self._directory.warm()
        return self._warm

    async def reconcile(self) -> None:
        """Reads PagerDuty's open incidents: a webhook that never came heals itself."""
        now = self._clock.now()
        try:
            for missed in await news(self._client, self._services, await self._known(), self._since, now):
                await self._engine.submit(missed)
            self._since = now
        except WarroomError as error:
            log.warning("pagerduty_not_reconciled", reason=str(error))

    async def routines(self) -> None:
        """Begins every routine that has come due, at the start also those of the last hours: each once a day."""
        now = self._clock.now()
        begin = self._routines_since
        try:
            if begin is None:
                begin = now - CATCH_UP
                await self._tell_skipped(begin)
            for due in due_between(self._packs, begin, now):
                name = source_id(due, self._packs)
                await self._engine.submit(Input(source=SOURCE, source_id=name, received=now, body=due))
            self._routines_since = now
        except WarroomError as error:
            log.warning("routines_not_begun", reason=str(error))

    async def keep_warm(self) -> None:
        """`warm` for ever: people change."""
        while True:
            await asyncio.sleep(REFRESH if await self.warm() else REFRESH_COLD)

    async def keep_reconciled(self) -> None:
        """`reconcile` at start and every few minutes, for ever."""
        while True:
            await self.reconcile()
            await asyncio.sleep(max(self._clock.real_seconds(self._clock.now() + RECONCILE), 1.0))

    async def keep_routines(self) -> None:
        """`routines` at start and whenever one is due, for ever."""
        while True:
            await self.routines()
            now = self._clock.now()
            coming = next(due_between(self._packs, now, now + ROUND), None)
            await asyncio.sleep(max(self._clock.real_seconds(coming.due if coming else now + ROUND), 0.2))

    async def _tell_skipped(self, until: datetime) -> None:
        """Logs the routines of the day before `until` (UTC) that no process began: they are too old to catch up."""
        for due in due_between(self._packs, until - LOOK_BACK, until):
            if not await self._heard(SOURCE, source_id(due, self._packs)):
                log.info("routine_skipped", pack=due.pack, routine=due.routine, due=due.due.isoformat())

    async def _known(self) -> Mapping[str, Known]:
        known: dict[str, Known] = {}
        for card in self._engine.cards():
            incident = await self._engine.incident(card.id) if card.pagerduty_id else None
            if incident and incident.pagerduty_id:
                known[incident.pagerduty_id] = what_we_know(incident)
                known |= dict.fromkeys(incident.joined_ids, JOINED)
        return known

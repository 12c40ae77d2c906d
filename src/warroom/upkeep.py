"""What is done at start and again every few minutes, so that nothing has to be looked up when an alert comes."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from warroom.engine.engine import Engine
from warroom.engine.ports import Clock
from warroom.errors import DeliveryError, WarroomError
from warroom.pagerduty.client import Client
from warroom.pagerduty.reconcile import JOINED, Known, news, what_we_know
from warroom.slack.directory import Directory
from warroom.slack.gateway import Gateway

RECONCILE = timedelta(minutes=3)
REFRESH = 300.0
REFRESH_COLD = 10.0

log = structlog.get_logger("warroom")


class Upkeep:
    """Learns channels and people, and asks PagerDuty what its webhooks did not tell. `services` are PagerDuty ids."""

    def __init__(
        self,
        engine: Engine,
        gateway: Gateway,
        directory: Directory,
        client: Client,
        services: Sequence[str],
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._gateway = gateway
        self._directory = directory
        self._client = client
        self._services = services
        self._clock = clock
        self._since = clock.now() - timedelta(days=1)
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

    async def keep_warm(self) -> None:
        """`warm` for ever: people change."""
        while True:
            await asyncio.sleep(REFRESH if await self.warm() else REFRESH_COLD)

    async def keep_reconciled(self) -> None:
        """`reconcile` at start and every few minutes, for ever."""
        while True:
            await self.reconcile()
            await asyncio.sleep(max(self._clock.real_seconds(self._clock.now() + RECONCILE), 1.0))

    async def _known(self) -> Mapping[str, Known]:
        known: dict[str, Known] = {}
        for card in self._engine.cards():
            incident = await self._engine.incident(card.id) if card.pagerduty_id else None
            if incident and incident.pagerduty_id:
                known[incident.pagerduty_id] = what_we_know(incident)
                known |= dict.fromkeys(incident.joined_ids, JOINED)
        return known

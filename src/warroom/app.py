"""The composition root: the only place where things are wired."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import structlog
from starlette.applications import Starlette

from warroom.domain import views
from warroom.domain.decide import decide, route
from warroom.domain.decision import NO_PACK, LoadedPack
from warroom.domain.effects import Effect
from warroom.domain.incident import fold
from warroom.domain.inputs import Input, PagerDutyEvent
from warroom.engine.clock import ScaledClock, SystemClock
from warroom.engine.engine import Engine
from warroom.engine.limits import Limits, Rate, Unlimited
from warroom.engine.memory import PackShelf
from warroom.engine.ports import Job
from warroom.engine.work import Receipt, Rules, Tuning
from warroom.errors import ConfigError, DeliveryError, StoreError, WarroomError
from warroom.packs.bindings import Binding
from warroom.packs.loader import freeze, thaw_loaded
from warroom.pagerduty.client import Client
from warroom.pagerduty.enrich import enrich, lacks_details
from warroom.pagerduty.events import Events
from warroom.pagerduty.performer import PagerDutyPerformer
from warroom.pagerduty.reconcile import Known, news, what_we_know
from warroom.pagerduty.rest import Rest
from warroom.platform.performer import PlatformPerformer
from warroom.platform.surroundings import Surroundings
from warroom.postmortem.lines import Line
from warroom.postmortem.performer import PostmortemPerformer
from warroom.rendering import Catalog, MessageErrors
from warroom.settings import Settings
from warroom.slack.api import Api
from warroom.slack.app import Endpoint, create_app
from warroom.slack.directory import Directory
from warroom.slack.gate import Gate
from warroom.slack.gateway import Gateway
from warroom.slack.history import History
from warroom.slack.limits import LIMITS
from warroom.slack.people import PeopleFinder
from warroom.slack.socket import Socket
from warroom.store.store import Store
from warroom.web import create_web

AnyClock = SystemClock | ScaledClock
RECONCILE = timedelta(minutes=3)
REFRESH = 300.0
OVERDUE = timedelta(minutes=1)
"""Timers this late mean that we are not doing our work."""

RULES = Rules(route=route, decide=decide)
log = structlog.get_logger("warroom")


def shipped(name: str) -> Path:
    """A file or folder that lies beside `src` in a checkout, or inside the installed package."""
    here = Path(__file__).parent
    beside = here.parents[1] / name
    return beside if beside.exists() else here / "_shipped" / name


def load_catalog() -> Catalog:
    """The messages. Raises ConfigError with everything that is wrong with them."""
    try:
        return Catalog.load(shipped("messages"))
    except MessageErrors as error:
        raise ConfigError([str(problem) for problem in error.problems]) from error


def clock_of(settings: Settings) -> AnyClock:
    """The machine's clock, or the scaled one that settings allow only against a sandbox."""
    environment = settings.environment
    anchor = environment.warroom_clock_anchor
    if environment.warroom_clock_speed == 1.0 and anchor is None:
        return SystemClock()
    if anchor is None:
        return ScaledClock(environment.warroom_clock_speed)
    return ScaledClock(environment.warroom_clock_speed, anchor.real, anchor.scaled)


@dataclass
class Warroom:
    """A running bot: the web application, and what its owner may ask."""

    web: Starlette
    engine: Engine
    store: Store
    socket: Socket | None


class Readiness:
    """Answers /readyz: not ready without a database or when timers are overdue; dead letters are shown."""

    def __init__(self, engine: Engine, store: Store, clock: AnyClock) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock

    async def ready(self) -> tuple[bool, Mapping[str, Any]]:
        """Ready or not, and what is owed."""
        try:
            backlog = await self._engine.backlog()
        except StoreError as error:
            return False, {"database": str(error)}
        oldest = (self._clock.now() - backlog.oldest).total_seconds() if backlog.oldest else 0.0
        late = backlog.overdue > 0 and (await self._store.backlog(self._clock.now() - OVERDUE)).overdue > 0
        return not late, {
            "database": "ok",
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


@asynccontextmanager
async def running(
    settings: Settings, *, environ: Mapping[str, str], clock: AnyClock | None = None
) -> AsyncIterator[Warroom]:
    """The whole bot over `settings`, until the block is left.

    `environ` is where packs' secrets are read (`EMERGENCY_TOKEN`). Raises ConfigError for anything that is wrong
    with messages or database, StoreError when the database cannot be reached.
    """
    environment = settings.environment
    clock = clock or clock_of(settings)
    catalog = load_catalog()
    async with AsyncExitStack() as stack:
        store = await Store.open(environment.database_url.get_secret_value())
        stack.push_async_callback(store.close)
        api = await stack.enter_async_context(
            Api(environment.slack_bot_token.get_secret_value(), environment.slack_api_url)
        )
        http = await stack.enter_async_context(httpx.AsyncClient())
        client = Client(
            Rest(environment.pagerduty_api_token.get_secret_value(), environment.pagerduty_api_url),
            environment.pagerduty_from_email,
        )
        stack.push_async_callback(client.close)
        directory = Directory(api, settings.groups, _pagerduty_ids(client))
        gateway = Gateway(api, catalog, directory, views.VIEWS)
        events = Events(http, environment.pagerduty_routing_key.get_secret_value(), environment.pagerduty_events_url)
        limits = (
            Limits({name: Rate(*rate) for name, rate in LIMITS.items()}, clock.seconds)
            if environment.warroom_slack_limits
            else Unlimited(clock.seconds)
        )
        engine = Engine(
            store,
            rules=RULES,
            shelf=PackShelf(settings.packs, freeze=freeze, thaw=_thaw(settings)),
            performers=[
                gateway,
                PeopleFinder(directory, client),
                PagerDutyPerformer(client, directory, events),
                PlatformPerformer(
                    _surroundings(settings, environ, http, clock), allow_live=environment.warroom_actions == "live"
                ),
                PostmortemPerformer(environment.warroom_data, _history(settings, api, directory), store.facts),
            ],
            clock=clock,
            limits=limits,
            tuning=Tuning(actions=environment.warroom_actions),
        )
        await stack.enter_async_context(engine)
        app = create_app(
            signing_secret=environment.slack_signing_secret.get_secret_value(),
            api=api,
            submit=engine.submit,
            directory=directory,
            catalog=catalog,
            clock=clock,
            pack_of=lambda incident: next((c.pack for c in engine.cards() if c.id == incident), None),
        )
        web = create_web(
            slack=Gate(Endpoint(app), environment.slack_signing_secret.get_secret_value()),
            hear=_hear(engine, client, settings.packs),
            webhook_secrets=settings.webhook_secrets,
            clock=clock,
            health=Readiness(engine, store, clock),
            registry=engine.metrics.registry,
        )
        socket = None
        if environment.slack_app_token is not None:
            socket = Socket(app, api, environment.slack_app_token.get_secret_value())
        tasks = [
            asyncio.create_task(_keep_warm(gateway, directory), name="directory"),
            asyncio.create_task(_keep_reconciled(engine, client, settings, clock), name="reconcile"),
        ]
        stack.push_async_callback(_cancel, tasks)
        yield Warroom(web, engine, store, socket)


async def compile_again(settings: Settings, incident_id: str) -> Path:
    """Writes one more post-mortem draft of an incident, beside a running bot; returns its path.

    Raises ConfigError for an id that does not exist, DeliveryError when the draft cannot be written.
    """
    environment = settings.environment
    store = await Store.open(environment.database_url.get_secret_value(), writer=False)
    try:
        incident = fold(await store.facts(incident_id))
        if incident is None:
            known = ", ".join((await store.incidents())[-5:]) or "none"
            raise ConfigError([f"there is no incident {incident_id}; the latest are: {known}"])
        number = 1 + len(list((environment.warroom_data / incident_id).glob("postmortem-*.md")))
        now = clock_of(settings).now()
        async with Api(environment.slack_bot_token.get_secret_value(), environment.slack_api_url) as api:
            directory = Directory(api, settings.groups)
            performer = PostmortemPerformer(
                environment.warroom_data, _history(settings, api, directory), store.facts, patience=timedelta()
            )
            data = {"number": number, "reason": "asked for on the command line"}
            effect = Effect(key=f"postmortem:cli:{number}", kind="postmortem.write", data=data, at=now)
            pack = settings.packs.get(incident.pack, NO_PACK)
            job = Job(id=effect.key, effect=effect, incident=incident, pack=pack, attempt=1, now=now)
            return Path(str((await performer.perform(job))["path"]))
    finally:
        await store.close()


def _thaw(settings: Settings) -> Callable[[str, str], LoadedPack]:
    def thaw(text: str, hash: str) -> LoadedPack:
        frozen = thaw_loaded(text, Binding())
        return thaw_loaded(text, settings.bindings.get(frozen.pack.id, Binding()))

    return thaw


def _pagerduty_ids(client: Client) -> Callable[[str], Awaitable[str | None]]:
    async def pagerduty_id(email: str) -> str | None:
        user = await client.user_by_email(email)
        return user.id if user else None

    return pagerduty_id


def _surroundings(
    settings: Settings, environ: Mapping[str, str], http: httpx.AsyncClient, clock: AnyClock
) -> Mapping[str, Surroundings]:
    return {
        name: Surroundings(
            urls=loaded.pack.urls,
            tools=loaded.pack.tools,
            databases={key: url.get_secret_value() for key, url in settings.databases[name].items()},
            environ=environ,
            http=http,
            clock=clock,
        )
        for name, loaded in settings.packs.items()
    }


def _history(
    settings: Settings, api: Api, directory: Directory
) -> Callable[[str, datetime], Awaitable[Sequence[Line]]]:
    async def name_of(slack_id: str) -> str:
        return (await directory.actor(slack_id, slack_id)).name

    async def read(channel: str, oldest: datetime) -> Sequence[Line]:
        token = settings.environment.slack_bot_token.get_secret_value()
        return await History(api.client(token), name_of).read(channel, oldest)

    return read


def _hear(engine: Engine, client: Client, packs: Mapping[str, LoadedPack]) -> Callable[[Input], Awaitable[Receipt]]:
    """Takes PagerDuty's events. Details are asked for only where the payload has none and rules look at them."""
    wanted = any(
        when.field.startswith("details.")
        for loaded in packs.values()
        for rule in loaded.pack.severity_rules
        for when in (*rule.all, *rule.any)
    )

    async def hear(given: Input) -> Receipt:
        if wanted and isinstance(given.body, PagerDutyEvent) and given.body.type == "incident.triggered":
            given = await enrich(given, client) if lacks_details(given) else given
        return await engine.submit(given)

    return hear


async def _keep_warm(gateway: Gateway, directory: Directory) -> None:
    """Learns channels and people at start, and refreshes the people: the first alert then is a single call."""
    warm = False
    while True:
        if not warm:
            try:
                await gateway.warm()
                warm = True
            except DeliveryError as error:
                log.warning("slack_not_warm", reason=str(error))
        await directory.warm()
        await asyncio.sleep(REFRESH if warm else 10.0)


async def _keep_reconciled(engine: Engine, client: Client, settings: Settings, clock: AnyClock) -> None:
    """Reads PagerDuty's open incidents at start and every few minutes: a webhook that never came heals itself."""
    services = sorted({s for loaded in settings.packs.values() for s in loaded.services})
    since = clock.now() - timedelta(days=1)
    while True:
        now = clock.now()
        try:
            for missed in await news(client, services, await _known(engine), since, now):
                await engine.submit(missed)
            since = now
        except WarroomError as error:
            log.warning("pagerduty_not_reconciled", reason=str(error))
        await asyncio.sleep(max(clock.real_seconds(clock.now() + RECONCILE), 1.0))


async def _known(engine: Engine) -> Mapping[str, Known]:
    known: dict[str, Known] = {}
    for card in engine.cards():
        incident = await engine.incident(card.id) if card.pagerduty_id else None
        if incident and incident.pagerduty_id:
            known[incident.pagerduty_id] = what_we_know(incident)
    return known


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

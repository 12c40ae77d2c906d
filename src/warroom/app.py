"""The composition root: the only place where things are wired."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import aiohttp
import httpx
from starlette.applications import Starlette

from warroom import ways_out
from warroom.domain import views
from warroom.domain.commands import meant
from warroom.domain.decide import decide, route
from warroom.domain.decision import LoadedPack
from warroom.domain.effects import Effect
from warroom.domain.evolve import fold
from warroom.domain.words import listed
from warroom.engine.clock import ScaledClock, SystemClock
from warroom.engine.engine import Engine
from warroom.engine.limits import Limits, Rate, Unlimited
from warroom.engine.memory import PackShelf
from warroom.engine.ports import Clock, Job
from warroom.engine.work import Rules, Tuning
from warroom.errors import ConfigError
from warroom.hearing import hearing
from warroom.outlets.mail import LIMITS as MAIL_LIMITS
from warroom.outlets.mail import MailPerformer
from warroom.outlets.status_page import LIMITS as STATUS_PAGE_LIMITS
from warroom.outlets.status_page import StatusPagePerformer
from warroom.outlets.wiki import LIMITS as WIKI_LIMITS
from warroom.outlets.wiki import WikiPerformer
from warroom.packs.bindings import Binding
from warroom.packs.loader import freeze, thaw_loaded
from warroom.pagerduty.client import Client
from warroom.pagerduty.events import Events
from warroom.pagerduty.performer import LIMITS as PAGERDUTY_LIMITS
from warroom.pagerduty.performer import PagerDutyPerformer
from warroom.pagerduty.rest import Rest
from warroom.platform.performer import PlatformPerformer
from warroom.platform.readback import Sleep
from warroom.platform.surroundings import Surroundings
from warroom.postmortem.lines import Line
from warroom.postmortem.performer import PostmortemPerformer
from warroom.postmortem.timeline_file import TimelinePerformer
from warroom.readiness import Readiness
from warroom.rendering import Catalog
from warroom.rendering import Problem as MessageProblem
from warroom.settings import Settings
from warroom.slack.api import Api
from warroom.slack.app import Endpoint, create_app
from warroom.slack.compose import Composer
from warroom.slack.directory import Directory
from warroom.slack.gate import Gate
from warroom.slack.gateway import Gateway
from warroom.slack.history import History
from warroom.slack.limits import LIMITS as SLACK_LIMITS
from warroom.slack.people import PeopleFinder
from warroom.slack.socket import Socket
from warroom.store.store import Store
from warroom.store.violations import ViolationStore
from warroom.upkeep import Upkeep, take_up
from warroom.violations.door import Door
from warroom.violations.intake import Intake
from warroom.web import create_web

EFFECT_TIMEOUT = 150.0
"""Real seconds an effect may take: more than the slowest probe of a pack, which stops by itself."""

RULES = Rules(route=route, decide=decide)


def shipped(name: str) -> Path:
    """A file or folder that lies beside `src` in a checkout, or inside the installed package."""
    here = Path(__file__).parent
    beside = here.parents[1] / name
    return beside if beside.exists() else here / "_shipped" / name


@cache
def read_messages(
    folder: Path, own: tuple[tuple[str, Path], ...], packs: frozenset[str] | None
) -> tuple[Catalog, tuple[MessageProblem, ...]]:
    """The messages of a folder for `packs` (None: all), and those of packs that have a folder of their own, and what is
    wrong with them; read once."""
    catalog, problems = Catalog.read(folder, dict(own), packs)
    return catalog, tuple(sorted(set(problems)))


def load_catalog(own: Mapping[str, Path], packs: Collection[str]) -> Catalog:
    """The messages that are shipped for `packs` and the deployment's own. Raises ConfigError with everything wrong."""
    catalog, problems = read_messages(shipped("messages"), tuple(own.items()), frozenset(packs))
    if problems:
        raise ConfigError([str(problem) for problem in problems])
    return catalog


@cache
def authorities() -> ssl.SSLContext:
    """Whose certificates we trust; read once, for it takes as long as the first call to Slack."""
    return httpx.create_ssl_context(trust_env=False)


def clock_of(settings: Settings) -> Clock:
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
    upkeep: Upkeep
    intake: Intake


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    environ: Mapping[str, str],
    clock: Clock | None = None,
    sleep: Sleep = asyncio.sleep,
    tended: bool = True,
) -> AsyncIterator[Warroom]:
    """The whole bot over `settings`, until the block is left.

    `environ` is where packs' secrets are read (`EMERGENCY_TOKEN`). `sleep` waits between two looks at the platform.
    When not `tended`, the rounds of `upkeep` are left to the owner. Raises ConfigError for anything that is wrong with
    messages or database, or when an open incident's pack is gone, StoreError when the database cannot be reached.
    """
    environment = settings.environment
    clock = clock or clock_of(settings)
    catalog = load_catalog(settings.messages, settings.packs)
    async with AsyncExitStack() as stack:
        store = await Store.open(environment.database_url.get_secret_value())
        stack.push_async_callback(store.close)
        await _no_pack_missing(store, settings)
        api = await stack.enter_async_context(
            Api(environment.slack_bot_token.get_secret_value(), environment.slack_api_url)
        )
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, verify=authorities()))
        client = Client(
            Rest(environment.pagerduty_api_token.get_secret_value(), environment.pagerduty_api_url),
            environment.pagerduty_from_email,
        )
        stack.push_async_callback(client.close)
        directory = Directory(api, settings.groups, _pagerduty_ids(client), outside=settings.outside)
        gateway = Gateway(api, catalog, directory, views.VIEWS)
        compose = Composer(catalog, views.VIEWS).message
        mailer = ways_out.mailer(environment)
        if mailer is not None:
            stack.push_async_callback(mailer.close)
        session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=True))
        events = Events(
            session,
            environment.pagerduty_routing_key.get_secret_value(),
            environment.pagerduty_events_url,
            routing_keys={pack: key.get_secret_value() for pack, key in settings.routing_keys.items()},
        )
        engine = Engine(
            store,
            rules=RULES,
            shelf=PackShelf(settings.packs, freeze=freeze, thaw=_thaw(settings)),
            performers=[
                gateway,
                PeopleFinder(directory, client),
                PagerDutyPerformer(client, directory, events, lambda job: compose(job).plain),
                MailPerformer(compose, directory, mailer, environment.warroom_mail_from),
                StatusPagePerformer(compose, ways_out.status_page(environment, http)),
                WikiPerformer(compose, ways_out.wiki(environment, http)),
                PlatformPerformer(
                    _surroundings(settings, environ, http, clock),
                    allow_live=environment.warroom_actions == "live",
                    sleep=sleep,
                    evidence=environment.warroom_data / "evidence",
                ),
                PostmortemPerformer(environment.warroom_data, _history(settings, api, directory), store.facts),
                TimelinePerformer(environment.warroom_data, store.facts),
            ],
            clock=clock,
            limits=_limits(settings, clock),
            tuning=Tuning(actions=environment.warroom_actions, timeout=EFFECT_TIMEOUT),
        )
        await stack.enter_async_context(engine)
        await take_up(engine, clock)
        app = create_app(
            signing_secret=environment.slack_signing_secret.get_secret_value(),
            api=api,
            submit=engine.submit,
            directory=directory,
            catalog=catalog,
            clock=clock,
            pack_of=lambda incident: next((c.pack for c in engine.cards() if c.id == incident), None),
        )
        intake = Intake(
            ViolationStore(store),
            packs=settings.packs,
            submit=engine.submit,
            clock=clock,
            registry=engine.metrics.registry,
        )
        await stack.enter_async_context(intake)
        socket = None
        if environment.slack_app_token is not None:
            socket = Socket(app, api, environment.slack_app_token.get_secret_value())
        web = create_web(
            slack=Gate(Endpoint(app), environment.slack_signing_secret.get_secret_value()),
            hear=hearing(engine, client, settings.packs, store.heard),
            webhook_secrets=settings.webhook_secrets,
            clock=clock,
            health=Readiness(engine, store, clock, socket),
            registry=engine.metrics.registry,
            report=Door(intake, settings.packs, settings.violation_secrets, clock).answer,
        )
        services = sorted({s for loaded in settings.packs.values() for s in loaded.services})
        upkeep = Upkeep(engine, gateway, directory, client, services, clock, settings.packs, store.heard)
        if tended:
            tasks = [
                asyncio.create_task(upkeep.keep_warm(), name="directory"),
                asyncio.create_task(upkeep.keep_reconciled(), name="reconcile"),
                asyncio.create_task(upkeep.keep_routines(), name="routines"),
            ]
            stack.push_async_callback(_cancel, tasks)
        yield Warroom(web, engine, store, socket, upkeep, intake)


async def _no_pack_missing(store: Store, settings: Settings) -> None:
    """Raises ConfigError while an incident is open whose pack the deployment no longer has: its messages, readings and
    halts would fail one by one."""
    orphans: dict[str, list[str]] = {}
    for name, pack in await store.open_incidents():
        if pack not in settings.packs:
            orphans.setdefault(pack, []).append(name)
    if orphans:
        raise ConfigError([_missing(pack, names) for pack, names in orphans.items()])


def _missing(pack: str, incidents: Sequence[str]) -> str:
    needed = "is open and needs" if len(incidents) == 1 else "are open and need"
    return (
        f"{listed(incidents)} {needed} the pack {pack}: put {pack} back under `packs` in warroom.yaml, and take it out "
        "when no incident of it is open"
    )


def _limits(settings: Settings, clock: Clock) -> Limits:
    """Slack's and PagerDuty's limits; none when switched off, which settings allow in the sandbox only."""
    if not settings.environment.warroom_slack_limits:
        return Unlimited(clock.seconds)
    rates = {**PAGERDUTY_LIMITS, **SLACK_LIMITS, **MAIL_LIMITS, **STATUS_PAGE_LIMITS, **WIKI_LIMITS}
    return Limits({name: Rate(*rate) for name, rate in rates.items()}, clock.seconds)


def named(typed: str, ids: Sequence[str]) -> str:
    """The incident that was typed, as in Slack: 42, INC-2026-0042. `ids` are all, oldest first. Raises ConfigError."""
    found = meant(typed, ids)
    if found is None:
        known = ", ".join(ids[-5:]) or "none"
        raise ConfigError([f"there is no incident {typed}; write 42 or INC-2026-0042; the latest are: {known}"])
    return found


async def compile_again(settings: Settings, typed: str) -> Path:
    """Writes one more post-mortem draft of the incident that was `typed`, beside a running bot; returns its path.

    Raises ConfigError for an id that does not exist, DeliveryError when the draft cannot be written.
    """
    environment = settings.environment
    store = await Store.open(environment.database_url.get_secret_value(), writer=False)
    try:
        incident_id = named(typed, await store.incidents())
        incident = fold(await store.facts(incident_id))
        if incident is None:
            raise ConfigError([f"{incident_id} has no facts; `warroom audit {incident_id}` says what is wrong"])
        number = 1 + len(list((environment.warroom_data / incident_id).glob("postmortem-*.md")))
        now = clock_of(settings).now()
        async with Api(environment.slack_bot_token.get_secret_value(), environment.slack_api_url) as api:
            directory = Directory(api, settings.groups)
            performer = PostmortemPerformer(
                environment.warroom_data, _history(settings, api, directory), store.facts, patience=timedelta()
            )
            data = {"number": number, "reason": "asked for on the command line"}
            effect = Effect(key=f"postmortem:cli:{number}", kind="postmortem.write", data=data, at=now)
            frozen = await store.pack(incident.pack_hash)
            pack = _thaw(settings)(frozen, incident.pack_hash) if frozen else settings.packs[incident.pack]
            job = Job(id=effect.key, effect=effect, incident=incident, pack=pack, attempt=1, now=now)
            return Path(str((await performer.perform(job))["path"]))
    finally:
        await store.close()


def _thaw(settings: Settings) -> Callable[[str, str], LoadedPack]:
    def thaw(text: str, hash: str) -> LoadedPack:
        frozen = thaw_loaded(text, Binding())
        binding = settings.bindings.get(frozen.pack.id, Binding())
        return thaw_loaded(text, binding, settings.environment.warroom_actions)

    return thaw


def _pagerduty_ids(client: Client) -> Callable[[str], Awaitable[str | None]]:
    async def pagerduty_id(email: str) -> str | None:
        user = await client.user_by_email(email)
        return user.id if user else None

    return pagerduty_id


def _surroundings(
    settings: Settings, environ: Mapping[str, str], http: httpx.AsyncClient, clock: Clock
) -> Mapping[str, Surroundings]:
    return {
        name: Surroundings(
            urls=loaded.pack.urls,
            tools=loaded.pack.tools,
            databases={key: url.get_secret_value() for key, url in settings.databases[name].items()},
            environ=environ,
            http=http,
            clock=clock,
            data=settings.environment.warroom_data,
        )
        for name, loaded in settings.packs.items()
    }


def _history(
    settings: Settings, api: Api, directory: Directory
) -> Callable[[str, datetime], Awaitable[Sequence[Line]]]:
    async def name_of(slack_id: str) -> str:
        return (await directory.actor(slack_id, slack_id)).name

    token = settings.environment.slack_bot_token.get_secret_value()
    return History(api.client(token), name_of).read


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

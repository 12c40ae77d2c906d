"""`warroom check --live`: asks Slack, PagerDuty and the other services whether what the settings say is true."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import httpx

from warroom import ways_out
from warroom.domain.decision import LoadedPack
from warroom.errors import DeliveryError, Refused
from warroom.packs.problems import Problem, nearest
from warroom.pagerduty.client import Client
from warroom.pagerduty.payload import Json, mapping, text
from warroom.pagerduty.rest import Rest
from warroom.settings import Settings
from warroom.slack.api import Api
from warroom.slack.channels import Channels
from warroom.slack.directory import Directory
from warroom.slack.manifest import missing_scopes
from warroom.slack.people import ON_CALL

SLACK, PAGERDUTY = "Slack", "PagerDuty"
EVENTS = (
    "incident.triggered",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.resolved",
    "incident.reopened",
)
"""The webhook events without which clocks go wrong."""


async def live_problems(settings: Settings) -> list[Problem]:
    """Everything wrong between the settings and the services; reads only."""
    return [*await _slack(settings), *await _pagerduty(settings), *await _outside(settings)]


async def _outside(settings: Settings) -> list[Problem]:
    """Whether the mail server, the status page and the wiki answer, as far as they are set."""
    found: list[Problem] = []
    mailer = ways_out.mailer(settings.environment)
    async with httpx.AsyncClient(trust_env=False) as http:
        page, wiki = ways_out.status_page(settings.environment, http), ways_out.wiki(settings.environment, http)
        asked = [
            ("Mail", "WARROOM_SMTP_URL", mailer.greet() if mailer else None),
            ("Status page", "WARROOM_STATUSPAGE_KEY", page.find("INC-0") if page else None),
            ("Wiki", "WARROOM_CONFLUENCE_TOKEN", wiki.find("INC-0") if wiki else None),
        ]
        for service, setting, answer in asked:
            try:
                if answer is not None:
                    await answer
            except DeliveryError as error:
                found.append(Problem(service, 0, setting, str(error)))
    if mailer is not None:
        await mailer.close()
    return found


async def _slack(settings: Settings) -> list[Problem]:
    environment = settings.environment
    token = environment.slack_bot_token.get_secret_value()
    found: list[Problem] = []
    async with Api(token, environment.slack_api_url) as api:
        try:
            await api.me()
            channels = {str(c["name"]): c for c in await Channels(api).all()}
        except DeliveryError as error:
            return [Problem(SLACK, 0, "SLACK_BOT_TOKEN", str(error))]
        granted = await _granted(environment.slack_api_url, token)
        ungranted = missing_scopes(granted)
        for scope in ungranted:
            found.append(Problem(SLACK, 0, scope, "this scope is not granted: reinstall the app from manifest.yml"))
        for loaded in settings.packs.values():
            found += _channels(loaded, channels)
        found += await _people(settings, Directory(api, settings.groups), sure=not ungranted)
    return [*found, *await _socket(settings)]


async def _socket(settings: Settings) -> list[Problem]:
    """Whether Slack opens a connection for the app-level token, when there is one."""
    environment = settings.environment
    if environment.slack_app_token is None:
        return []
    headers = {"Authorization": f"Bearer {environment.slack_app_token.get_secret_value()}"}
    try:
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(environment.slack_api_url.rstrip("/") + "/apps.connections.open") as answer,
        ):
            said = await answer.json()
    except (aiohttp.ClientError, ValueError) as error:
        return [Problem(SLACK, 0, "SLACK_APP_TOKEN", f"Slack could not be asked: {type(error).__name__}")]
    if said.get("ok"):
        return []
    advice = "it needs the scope connections:write, and Socket Mode switched on for the app"
    return [Problem(SLACK, 0, "SLACK_APP_TOKEN", f"Slack refuses it ({said.get('error', answer.status)}): {advice}")]


async def _granted(url: str, token: str) -> frozenset[str]:
    """The scopes Slack says the token has (a header of every answer)."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url.rstrip("/") + "/auth.test") as answer,
    ):
        return frozenset(s.strip() for s in answer.headers.get("x-oauth-scopes", "").split(",") if s.strip())


def _channels(loaded: LoadedPack, channels: Mapping[str, Any]) -> list[Problem]:
    found = []
    for key, name in loaded.pack.channels.items():
        bare = name.removeprefix("#")
        where = f"packs.{loaded.pack.id}.channels.{key}"
        if bare not in channels:
            said = f"there is no channel {name} that the bot can see: create it, or invite the bot if it is private"
            found.append(Problem(SLACK, 0, where, said + nearest(bare, channels)))
        elif channels[bare].get("is_archived"):
            found.append(Problem(SLACK, 0, where, f"{name} is archived: unarchive it, or name another in warroom.yaml"))
    return found


async def _people(settings: Settings, directory: Directory, *, sure: bool) -> list[Problem]:
    """Who in the groups of warroom.yaml is nobody in Slack, and what nobody may do therefore.

    Groups that stand for people outside need no account. `sure`: Slack may be asked for everybody.
    """
    advice = "correct it in warroom.yaml, or give them an account"
    found, there = [], set[str]()
    for group in sorted(settings.groups.keys() - settings.outside):
        members = await directory.people([group])
        found += [Problem(SLACK, 0, f"groups.{group}", f"{said.rstrip('.')}: {advice}") for said in members.missing]
        if members.people or members.unasked or not sure:
            there.add(group)
    actions = [
        (loaded.pack.id, action) for loaded in settings.packs.values() for action in loaded.pack.actions.values()
    ]
    nobodys: dict[str, list[str]] = {}
    for pack, action in actions:
        if action.who and not there.union(settings.outside, [ON_CALL]).intersection(action.who):
            nobodys.setdefault(", ".join(action.who), []).append(f"“{action.title}” of {pack}")
    for groups, titles in nobodys.items():
        said = f"nobody in it has an account in Slack, so nobody may do {', '.join(titles)}: list people who have one"
        found.append(Problem(SLACK, 0, f"groups.{groups}", said))
    return found


async def _pagerduty(settings: Settings) -> list[Problem]:
    environment = settings.environment
    rest = Rest(environment.pagerduty_api_token.get_secret_value(), environment.pagerduty_api_url)
    client = Client(rest, environment.pagerduty_from_email)
    found: list[Problem] = []
    try:
        await client.abilities()
        if await client.user_by_email(environment.pagerduty_from_email) is None:
            said = "PagerDuty knows no user with this e-mail: use that of a user who may change incidents"
            found.append(Problem(PAGERDUTY, 0, "PAGERDUTY_FROM_EMAIL", said))
        for loaded in settings.packs.values():
            for service in loaded.services:
                found += await _service(client, loaded.pack.id, service)
        found += _webhooks(await client.webhook_subscriptions())
    except DeliveryError as error:
        found.append(Problem(PAGERDUTY, 0, "PAGERDUTY_API_TOKEN", str(error)))
    finally:
        await client.close()
    return found


async def _service(client: Client, pack: str, service: str) -> list[Problem]:
    try:
        people = await client.on_call(service)
    except Refused as error:
        return [Problem(PAGERDUTY, 0, f"packs.{pack}.services", f"{service}: {error}")]
    if not people:
        said = f"nobody is on call for {service}: a P0 would reach nobody; put somebody on its escalation policy"
        return [Problem(PAGERDUTY, 0, f"packs.{pack}.services", said)]
    return []


def _disabled(subscription: Json) -> bool:
    """PagerDuty switches a subscription off by itself when we do not answer for long."""
    return bool(mapping(subscription.get("delivery_method")).get("temporarily_disabled"))


def _webhooks(subscriptions: tuple[Json, ...]) -> list[Problem]:
    ours = [
        s for s in subscriptions if text(mapping(s.get("delivery_method")).get("url")).endswith("/pagerduty/webhook")
    ]
    where = "webhook"
    if not ours:
        said = "no webhook subscription ends in /pagerduty/webhook: add one (Integrations, Generic Webhooks v3)"
        return [Problem(PAGERDUTY, 0, where, said)]
    found = []
    if not any(s.get("active", True) and not _disabled(s) for s in ours):
        found.append(Problem(PAGERDUTY, 0, where, "the webhook subscription is switched off: enable it in PagerDuty"))
    events = {str(event) for s in ours for event in s.get("events") or ()}
    for event in EVENTS:
        if event not in events:
            found.append(Problem(PAGERDUTY, 0, where, f"the subscription does not send {event}: add it"))
    return found

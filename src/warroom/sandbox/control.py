"""The control API under /control: what tests, the demo, benchmarks and the page use. JSON in, JSON out."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from warroom.sandbox import people
from warroom.sandbox.pagerduty_hands import PAGERDUTY_ACTS
from warroom.sandbox.pagerduty_incident import PagerDutyError, webhook_json
from warroom.sandbox.slack_errors import SlackError
from warroom.sandbox.slack_people import NotOnScreenError

if TYPE_CHECKING:
    from warroom.sandbox.sandbox import Sandbox

Json = dict[str, Any]
Act = Callable[[Json], Awaitable[Json]]


class Control:
    """POST /control/<act> and GET /control/<view>. A mistake of the caller is 400 with ``error``."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        acts: dict[str, Act] = {
            "command": self.command,
            "click": self.click,
            "submit": self.submit,
            "close": self.close,
            "say": self.say,
            "react": self.react,
            "join": self.join,
            "shortcut": self.shortcut,
            "home": self.home,
            "channel": self.channel,
            "bot": self.bot,
            "faults": self.add_fault,
            "faults/clear": self.clear_faults,
            "platform/switch": self.switch,
            "eafix/switch": self.eafix_switch,
            "market-data/switch": self.market_data_switch,
            "webhooks": self.webhooks,
            "journal/clear": self.clear_journal,
        }
        acts |= {f"pagerduty/{name}": self._pagerduty(name) for name in PAGERDUTY_ACTS}
        views: dict[str, Callable[[], Any]] = {
            "messages": self.sandbox.transcript,
            "channels": self.channels,
            "views": self.views,
            "journal": self.sandbox.journal.as_json,
            "pagerduty": self.pagerduty,
            "platform": self.sandbox.platform.as_json,
            "mail": self.sandbox.mail.as_json,
            "status-page": self.sandbox.status_page.as_json,
            "wiki": self.sandbox.wiki.as_json,
            "eafix": self.sandbox.eafix.as_json,
            "market-data": self.sandbox.market_data.as_json,
            "faults": self.sandbox.faults.as_json,
            "settings": self.sandbox.settings,
            "people": self.people,
        }
        routes = [Route("/snapshot", self.snapshot)]
        routes += [Route(f"/{name}", self._act(act), methods=["POST"]) for name, act in acts.items()]
        return routes + [Route(f"/{name}", self._view(view)) for name, view in views.items()]

    def _act(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            try:
                body = await request.json() if await request.body() else {}
                return JSONResponse(await act(body))
            except KeyError as exc:
                return JSONResponse({"error": f"missing or unknown: {exc.args[0]}"}, 400)
            except (NotOnScreenError, SlackError, PagerDutyError, ValueError, TypeError) as exc:
                return JSONResponse({"error": str(exc)}, 400)

        return handle

    def _view(self, view: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            return JSONResponse(view())

        return handle

    async def command(self, body: Json) -> Json:
        answer = await self.sandbox.command(body["user"], body["channel"], body["command"], body.get("text", ""))
        return answer.as_json()

    async def click(self, body: Json) -> Json:
        answer = await self.sandbox.click(
            body["user"],
            body.get("channel"),
            body.get("ts"),
            body["action_id"],
            body.get("value"),
            view_id=body.get("view_id"),
        )
        return answer.as_json()

    async def submit(self, body: Json) -> Json:
        return (await self.sandbox.submit(body["user"], body.get("view_id"), body.get("values"))).as_json()

    async def close(self, body: Json) -> Json:
        return (await self.sandbox.close_view(body["user"], body.get("view_id"))).as_json()

    async def say(self, body: Json) -> Json:
        message = await self.sandbox.say(body["user"], body["channel"], body["text"], body.get("thread_ts") or None)
        return self.sandbox.slack.seen(message)

    async def react(self, body: Json) -> Json:
        await self.sandbox.react(body["user"], body["channel"], body["ts"], body["name"])
        return {"ok": True}

    async def join(self, body: Json) -> Json:
        await self.sandbox.join(body["user"], body["channel"])
        return {"ok": True}

    async def shortcut(self, body: Json) -> Json:
        answer = await self.sandbox.shortcut(body["user"], body["channel"], body["ts"], body["callback_id"])
        return answer.as_json()

    async def home(self, body: Json) -> Json:
        await self.sandbox.open_home(body["user"])
        return {"ok": True}

    async def channel(self, body: Json) -> Json:
        """Make a channel with these people (keys) in it; ``bot`` false leaves the bot out."""
        members = [people.person(key).slack_id for key in body.get("members", [])]
        members += [people.BOT_USER_ID] if body.get("bot", True) else []
        made = self.sandbox.slack.add_channel(body["name"], members, private=bool(body.get("private")))
        return made.as_json()

    async def bot(self, body: Json) -> Json:
        self.sandbox.bot_url = body["url"].rstrip("/")
        return {"url": self.sandbox.bot_url}

    async def add_fault(self, body: Json) -> Json:
        return asdict(self.sandbox.faults.add(**body))

    async def clear_faults(self, body: Json) -> Json:
        self.sandbox.faults.clear(body.get("surface"), body.get("id"))
        return {"left": len(self.sandbox.faults.rules)}

    async def switch(self, body: Json) -> Json:
        for name, value in body.items():
            self.sandbox.platform.switch(name, value)
        return self.sandbox.platform.as_json()

    async def market_data_switch(self, body: Json) -> Json:
        for name, value in body.items():
            self.sandbox.market_data.switch(name, bool(value))
        return self.sandbox.market_data.as_json()

    async def eafix_switch(self, body: Json) -> Json:
        for name, value in body.items():
            self.sandbox.eafix.switch(name, value)
        return self.sandbox.eafix.as_json()

    async def webhooks(self, body: Json) -> Json:
        """hold, release ({"order", "copies"}), redeliver (event id), drop (next n), copies, delay_s, secrets."""
        hooks = self.sandbox.webhooks
        if body.get("hold"):
            hooks.hold()
        if "drop" in body:
            hooks.drop_next = int(body["drop"])
        if "copies" in body:
            hooks.copies = int(body["copies"])
        if "delay_s" in body:
            hooks.delay_s = float(body["delay_s"])
        if "secrets" in body:
            hooks.secrets = tuple(body["secrets"])
        if "redeliver" in body:
            hooks.redeliver(body["redeliver"])
        if "release" in body:
            hooks.release(**(body["release"] or {}))
        return {"held": len(hooks.held), "events": [event.as_json() for event in hooks.events]}

    async def clear_journal(self, body: Json) -> Json:
        self.sandbox.journal.clear()
        return {"ok": True}

    def _pagerduty(self, name: str) -> Act:
        async def act(body: Json) -> Json:
            incident = PAGERDUTY_ACTS[name](self.sandbox.pagerduty, body)
            return webhook_json(incident)

        return act

    def channels(self) -> list[Json]:
        slack = self.sandbox.slack
        return [
            {
                "id": c.id,
                "name": c.name,
                "private": c.private,
                "archived": c.archived,
                "topic": c.topic["value"],
                "purpose": c.purpose["value"],
                "members": [slack.name_of(m) for m in c.members],
                "member_ids": list(c.members),
                "im_with": slack.name_of(c.im_with) if c.im_with else None,
                "bookmarks": [{n: b[n] for n in ("id", "title", "link")} for b in c.bookmarks],
                "pins": [pin["ts"] for pin in c.pins],
            }
            for c in slack.channels.values()
        ]

    def views(self) -> list[Json]:
        """Open modals and home tabs, with the user they are shown to."""
        surfaces = self.sandbox.slack.surfaces
        shown = [*surfaces.open_of(), *surfaces.homes.values()]
        return [{"user_id": v.user, "user": self.sandbox.slack.name_of(v.user), **v.as_json()} for v in shown]

    def pagerduty(self) -> Json:
        pagerduty = self.sandbox.pagerduty
        return {
            "incidents": [
                {
                    **webhook_json(i),
                    "alerts": i.alerts,
                    "notes": i.notes,
                    "status_updates": i.updates,
                    "responders": i.responders,
                    "log": i.log,
                }
                for i in pagerduty.incidents.values()
            ],
            "pages": pagerduty.pages,
            "webhooks": [event.as_json() for event in self.sandbox.webhooks.events],
            "routing_keys": {s.name: key for key, s in pagerduty.routing_keys.items()},
        }

    def people(self) -> list[Json]:
        return [{**asdict(p), "email": p.email} for p in people.PEOPLE]

    async def snapshot(self, request: Request) -> Response:
        """Everything the page shows; ``{"version": n}`` alone when nothing changed since ``?version=n``."""
        version = self.sandbox.feed.version
        if request.query_params.get("version") == str(version):
            return JSONResponse({"version": version, "now": self.sandbox.now().isoformat()})
        pagerduty = self.pagerduty()
        return JSONResponse(
            {
                "version": version,
                "now": self.sandbox.now().isoformat(),
                "channels": self.channels(),
                "messages": self.sandbox.transcript(),
                "views": self.views(),
                "pagerduty": {name: pagerduty[name] for name in ("incidents", "pages")},
                "platform": self.sandbox.platform.as_json(),
                "mail": self.sandbox.mail.as_json(),
                "status_page": self.sandbox.status_page.as_json(),
                "wiki": self.sandbox.wiki.as_json(),
                "people": self.people(),
                "groups": {g.id: g.handle for g in people.GROUPS},
                "bot": {"id": people.BOT_USER_ID, "name": people.BOT_NAME, "url": self.sandbox.bot_url},
            }
        )

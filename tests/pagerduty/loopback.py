"""A PagerDuty on loopback with the shapes and manners of its public API schema, which can be told to fail.

Written on sockets rather than a framework because it must be able to hang up in the middle.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]
TOKEN = "u+TokenOfTheTests7731"
ROUTING_KEY = "R0TESTS00000000000000000000RKEY1"
START = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def ref(kind: str, ident: str, summary: str) -> Json:
    return {"id": ident, "type": f"{kind}_reference", "summary": summary}


@dataclass
class Fault:
    """What goes wrong with the next `times` calls whose "METHOD /path" matches."""

    call: str
    kind: str
    times: int
    retry_after: int = 7


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


class AnsweredError(Exception):
    """Ends a call with this status and body."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def refusal(status: int, message: str, *errors: str) -> AnsweredError:
    return AnsweredError(status, {"error": {"message": message, "code": 2001, "errors": list(errors)}})


@dataclass
class PagerDuty:
    """One service "PSVC" with policy "PPOL": level 1 Ana, level 2 Raj and Mei."""

    now: datetime = START
    url: str = ""
    incidents: dict[str, Json] = field(default_factory=dict)
    logs: dict[str, list[Json]] = field(default_factory=dict)
    notes: dict[str, list[Json]] = field(default_factory=dict)
    alerts: dict[str, list[Json]] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    users: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {
            "PANA": ("Ana", "ana@firm.example"),
            "PRAJ": ("Raj", "raj@firm.example"),
            "PMEI": ("Mei", "mei@firm.example"),
            "PBOT": ("War Room", "bot@firm.example"),
        }
    )
    levels: list[list[str]] = field(default_factory=lambda: [["PANA"], ["PRAJ", "PMEI"]])
    priorities: dict[str, str] = field(default_factory=lambda: {"P1": "PPRI1", "P2": "PPRI2"})
    page_size: int = 100
    _serial: int = 0

    # -- what tests do to it

    def tick(self, seconds: float = 60) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def fail(self, call: str, kind: str, times: int = 1) -> None:
        """`kind`: a status, "drop_before", "drop_after", "hang", "html", "garbage", "unavailable": 503, until nobody
        knows when."""
        self.faults.append(Fault(call, kind, times))

    def calls(self, pattern: str = "") -> list[str]:
        return [c for r in self.requests if re.search(pattern, c := f"{r.method} {r.path}")]

    def open(self, ident: str = "PINC1", title: str = "Market Sentinel down", service: str = "PSVC") -> Json:
        self.incidents[ident] = {
            **ref("incident", ident, f"[#7] {title}"),
            "type": "incident",
            "title": title,
            "html_url": f"https://firm.pagerduty.example/incidents/{ident}",
            "incident_number": 7,
            "status": "triggered",
            "urgency": "high",
            "priority": None,
            "created_at": stamp(self.now),
            "updated_at": stamp(self.now),
            "last_status_change_at": stamp(self.now),
            "resolved_at": None,
            "service": ref("service", service, "market-sentinel"),
            "escalation_policy": ref("escalation_policy", "PPOL", "Technical"),
            "assignments": [{"assignee": ref("user", u, self.users[u][0])} for u in self.levels[0]],
            "responder_requests": [],
            "incidents_responders": [],
        }
        self.logs[ident], self.notes[ident], self.alerts[ident] = [], [], []
        self.log(ident, "trigger_log_entry", ref("service", service, "market-sentinel"))
        return self.incidents[ident]

    def log(self, ident: str, kind: str, agent: Json | None, channel: str = "api") -> Json:
        self._serial += 1
        entry = {
            "id": f"R{self._serial:03}",
            "type": kind,
            "created_at": stamp(self.now),
            "agent": agent,
            "channel": {"type": channel},
        }
        self.logs[ident].insert(0, entry)
        self.incidents[ident]["updated_at"] = stamp(self.now)
        return entry

    def become(self, ident: str, status: str, kind: str, who: str = "PANA") -> None:
        incident = self.incidents[ident]
        agent = ref("user", who, self.users[who][0])
        incident |= {"status": status, "last_status_change_at": stamp(self.now), "last_status_change_by": agent}
        incident["resolved_at"] = stamp(self.now) if status == "resolved" else None
        self.log(ident, kind, agent)

    def acknowledge(self, ident: str = "PINC1", who: str = "PANA") -> None:
        self.become(ident, "acknowledged", "acknowledge_log_entry", who)

    def unacknowledge(self, ident: str = "PINC1") -> None:
        self.become(ident, "triggered", "unacknowledge_log_entry")

    def resolve(self, ident: str = "PINC1", who: str = "PANA") -> None:
        self.become(ident, "resolved", "resolve_log_entry", who)

    def reopen(self, ident: str = "PINC1", who: str = "PANA") -> None:
        self.become(ident, "triggered", "reopen_log_entry", who)

    def prioritise(self, ident: str, name: str, who: str = "PANA") -> None:
        self.incidents[ident]["priority"] = ref("priority", self.priorities[name], name)
        self.log(ident, "priority_change_log_entry", ref("user", who, self.users[who][0]))

    def escalated(self, ident: str, level: int, agent: Json | None, channel: str = "api") -> None:
        who = self.levels[level - 1]
        self.incidents[ident]["assignments"] = [{"assignee": ref("user", u, self.users[u][0])} for u in who]
        self.log(ident, "escalate_log_entry", agent, channel)

    # -- the API

    def answer(self, request: Request) -> Any:
        if request.path == "/events/v2/enqueue":
            if request.body.get("routing_key") != ROUTING_KEY:
                raise AnsweredError(
                    400, {"status": "invalid event", "errors": [f"bad key {request.body['routing_key']}"]}
                )
            self.events.append(request.body)
            raise AnsweredError(202, {"status": "success", "dedup_key": request.body["dedup_key"]})
        given = request.headers.get("authorization", "").removeprefix("Token token=")
        if given != TOKEN:
            raise AnsweredError(401, {"error": {"message": f"no such key {given}", "code": 2006}})
        for method, pattern, handler in self.routes():
            found = re.fullmatch(pattern, request.path)
            if method == request.method and found:
                return handler(request, *map(unquote, found.groups()))
        raise refusal(404, "Not Found")

    def routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        return [
            ("GET", "/incidents", self.list_incidents),
            ("GET", "/incidents/([^/]+)", lambda _, i: {"incident": self.find(i)}),
            ("PUT", "/incidents/([^/]+)", self.put_incident),
            ("GET", "/incidents/([^/]+)/log_entries", self.list_log),
            ("GET", "/incidents/([^/]+)/notes", lambda _, i: {"notes": self.notes[i]}),
            ("POST", "/incidents/([^/]+)/notes", self.post_note),
            ("GET", "/incidents/([^/]+)/alerts", lambda r, i: self.paged(r, "alerts", self.alerts[i])),
            ("POST", "/incidents/([^/]+)/responder_requests", self.post_responders),
            ("GET", "/users", self.list_users),
            ("GET", "/services/PSVC", lambda _: {"service": {"escalation_policy": ref("ep", "PPOL", "Technical")}}),
            ("GET", "/services/PBARE", lambda _: {"service": {}}),
            ("GET", "/oncalls", self.list_oncalls),
            ("GET", "/priorities", self.list_priorities),
            ("GET", "/abilities", lambda _: {"abilities": ["teams", "coordinated_responding"]}),
            ("GET", "/webhook_subscriptions", self.list_subscriptions),
        ]

    def find(self, ident: str) -> Json:
        if ident not in self.incidents:
            raise refusal(404, "Not Found")
        return self.incidents[ident]

    def paged(self, request: Request, key: str, items: list[Json]) -> Json:
        start = int(request.query.get("offset", ["0"])[0])
        size = min(int(request.query.get("limit", ["25"])[0]), self.page_size)
        return {key: items[start : start + size], "more": start + size < len(items), "offset": start}

    def user_of(self, request: Request) -> Json:
        """The user named by From, which PagerDuty demands of every change."""
        email = request.headers.get("from", "")
        for ident, (name, address) in self.users.items():
            if address == email:
                return ref("user", ident, name)
        raise refusal(400, "Requester User Not Found")

    def list_incidents(self, request: Request) -> Json:
        statuses, services = request.query.get("statuses[]", []), request.query.get("service_ids[]", [])
        since = "0" if request.query.get("date_range") == ["all"] else request.query.get("since", ["2026-10-20"])[0]
        shown = [
            i
            for i in self.incidents.values()
            if (not statuses or i["status"] in statuses)
            and (not services or i["service"]["id"] in services)
            and i["created_at"] >= since
        ]
        return self.paged(request, "incidents", shown)

    def put_incident(self, request: Request, ident: str) -> Json:
        user, change, incident = self.user_of(request), request.body["incident"], self.find(ident)
        assert change["type"] == "incident_reference"
        if incident["status"] == "resolved" and "status" not in change:
            raise refusal(400, "Invalid Input Provided", "Incident Already Resolved")
        match change.get("status"):
            case "resolved":
                if incident["status"] == "resolved":
                    raise refusal(400, "Invalid Input Provided", "Incident Already Resolved")
                self.resolve(ident, user["id"])
            case "acknowledged":  # a resolved one is reopened
                self.acknowledge(ident, user["id"])
        if "priority" in change:
            name = next(n for n, p in self.priorities.items() if p == change["priority"]["id"])
            self.prioritise(ident, name, user["id"])
        if "escalation_level" in change:
            self.escalated(ident, change["escalation_level"], user)
        return {"incident": incident}

    def list_log(self, request: Request, ident: str) -> Json:
        self.find(ident)
        since = request.query.get("since", ["0"])[0]
        return self.paged(request, "log_entries", [e for e in self.logs[ident] if e["created_at"] >= since])

    def post_note(self, request: Request, ident: str) -> Json:
        user = self.user_of(request)
        note = {"content": request.body["note"]["content"], "created_at": stamp(self.now), "user": user}
        self.notes[ident].append(note)
        return {"note": note}

    def post_responders(self, request: Request, ident: str) -> Json:
        self.user_of(request)
        body = request.body
        assert body["requester_id"] in self.users
        targets = [t["responder_request_target"] for t in body["responder_request_targets"]]
        assert all(t["type"] == "user_reference" for t in targets)
        made = {
            "requested_at": stamp(self.now),
            "message": body["message"],
            "requester": ref("user", body["requester_id"], ""),
            "responder_request_targets": [{"responder_request_target": {**t, "type": "user"}} for t in targets],
        }
        self.find(ident)["responder_requests"].append(made)
        return {"responder_request": made}

    def list_users(self, request: Request) -> Json:
        query = request.query["query"][0]
        shown = [{"id": i, "name": n, "email": e} for i, (n, e) in self.users.items() if query in f"{n} {e}".lower()]
        return self.paged(request, "users", shown)

    def list_oncalls(self, request: Request) -> Json:
        if request.query.get("earliest", ["false"])[0] not in ("true", "false"):
            raise refusal(400, "earliest must be true or false")
        assert request.query["escalation_policy_ids[]"] == ["PPOL"]
        rows: list[Json] = [
            {
                "escalation_level": level,
                "user": {"id": u, "name": self.users[u][0], "email": self.users[u][1]},
                "escalation_policy": ref("escalation_policy", "PPOL", "Technical"),
            }
            for level, who in enumerate(self.levels, 1)
            for u in who
        ]
        return self.paged(request, "oncalls", rows[::-1])

    def list_priorities(self, request: Request) -> Json:
        shown = [{"id": p, "name": n, "summary": n} for n, p in self.priorities.items()]
        return self.paged(request, "priorities", shown)

    def list_subscriptions(self, request: Request) -> Json:
        shown: list[Json] = [{"id": "PSUB", "active": True, "delivery_method": {"url": "https://bot.example"}}]
        return self.paged(request, "webhook_subscriptions", shown)

    # -- sockets

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                if not await self._respond(request, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # the caller, or the test, is done
        finally:
            writer.close()

    async def _respond(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """AnsweredError; False when the connection is gone."""
        fault = self._fault(f"{request.method} {request.path}")
        if fault == "drop_before":
            return False
        if fault == "hang":
            await asyncio.sleep(60)
        headers, status, body = "", 200, ""
        if fault == "unavailable":
            status, headers, body = 503, "ratelimit-reset: 7\r\n", json.dumps({})
        elif fault and fault.isdecimal():
            status, headers = int(fault), "Retry-After: 7\r\n" if fault in ("429", "503") else ""
            body = json.dumps({"error": {"message": f"told to answer {fault} to {TOKEN}, {'long ' * 48} {TOKEN}"}})
        else:
            try:
                body = json.dumps(self.answer(request))
            except AnsweredError as given:
                status, body = given.status, json.dumps(given.body)
        if fault == "drop_after":
            return False
        body = {"html": "<html>a proxy</html>", "garbage": '["no", "object"]'}.get(fault, body)
        writer.write(f"HTTP/1.1 {status} .\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()
        return True

    def _fault(self, call: str) -> str:
        for fault in self.faults:
            if fault.times and re.search(fault.call, call):
                fault.times -= 1
                return fault.kind
        return ""


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readline()
    if not head:
        return None
    method, target, _ = head.decode().split()
    headers = {}
    while (line := (await reader.readline()).decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    url = urlsplit(target)
    return Request(method, url.path, parse_qs(url.query), headers, json.loads(body) if body else None)


@asynccontextmanager
async def serve() -> AsyncIterator[PagerDuty]:
    """A PagerDuty at `url`, its events at `url`/events."""
    pagerduty = PagerDuty()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await pagerduty.serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    pagerduty.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield pagerduty
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

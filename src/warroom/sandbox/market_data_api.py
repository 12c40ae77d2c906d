"""The HTTP endpoints of the market data pipeline, under /market-data."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from warroom.sandbox.bodies import BadRequestError, json_object
from warroom.sandbox.door import HangUp
from warroom.sandbox.market_data_platform import CONSUMERS, INDICATORS, MARKETS, MarketData, WrongOrderError, stamp

Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]
INCIDENT = re.compile(r"INC-\d{4}-\d{4,}")
BUCKET = "s3://tradepulse-data/quarantine/"


class MarketDataApi:
    """Endpoints under /market-data. What changes something takes the control plane's bearer token."""

    def __init__(self, pipeline: MarketData, token: str) -> None:
        self.pipeline = pipeline
        self.token = token

    def routes(self) -> list[Route]:
        reading: list[tuple[str, Callable[[Request], Any]]] = [
            ("/catalog/data_health", lambda r: self.pipeline.data_health()),
            ("/catalog/gaps", lambda r: self._gaps()),
            ("/ingestion/lag", lambda r: self._lag()),
            ("/ingestion/schema", lambda r: {"mismatches": 3 if "corruption" in self.pipeline.thrown else 0}),
            ("/upstream/network", lambda r: self._network()),
            ("/upstream/auth", lambda r: self._tokens()),
            ("/reconciliation", lambda r: self.pipeline.reconciliation()),
            ("/indicators/{name}", self._indicator),
            ("/quality", lambda r: self._suite()),
            ("/control-plane/consumers/{consumers}", self._consumers),
            ("/control-plane/promotions", lambda r: {"frozen": self.pipeline.frozen is not None}),
            ("/quarantine/{market}", self._quarantine),
            ("/connectors/{market}", lambda r: self.pipeline.connector(_market(r))),
            ("/backfills/{incident}", self._backfill),
            ("/promotions/{incident}", self._promoted),
        ]
        changing: list[tuple[str, str, Callable[[Request, Json], Any]]] = [
            ("POST", "/control-plane/consumers/{consumers}/pause", self._pause),
            ("POST", "/control-plane/consumers/{consumers}/resume", self._resume),
            ("POST", "/control-plane/promotions/freeze", self._freeze),
            ("POST", "/control-plane/promotions/unfreeze", self._unfreeze),
            ("POST", "/quarantine/{market}", self._redirect),
            ("DELETE", "/quarantine/{market}", self._redirect_no_more),
            ("POST", "/promotions/{incident}/{table}", self._promote),
        ]
        tools: list[tuple[str, Callable[[Request, Json], Any]]] = [
            ("/tools/reseed", lambda r, body: {"said": self.pipeline.reseed(_known_market(str(body.get("market"))))}),
            ("/tools/backfill", self._begin),
        ]
        routes = [Route(path, self._reads(answer)) for path, answer in reading]
        routes += [Route(path, self._changes(act, door=True), methods=[verb]) for verb, path, act in changing]
        return routes + [Route(path, self._changes(act, door=False), methods=["POST"]) for path, act in tools]

    def _reads(self, answer: Callable[[Request], Any]) -> Handler:
        async def handle(request: Request) -> Response:
            if request.url.path.startswith("/market-data/control-plane") and self._down:
                return HangUp()
            try:
                return JSONResponse(answer(request))
            except BadRequestError as exc:
                return JSONResponse({"error": str(exc)}, 400)

        return handle

    def _changes(self, act: Callable[[Request, Json], Any], *, door: bool) -> Handler:
        """`door`: behind the control plane, which wants its token; the pipeline's own tools need none."""

        async def handle(request: Request) -> Response:
            if door and self._down:
                return HangUp()
            if door and request.headers.get("authorization") != f"Bearer {self.token}":
                return JSONResponse({"error": "unauthorized"}, 401, {"WWW-Authenticate": "Bearer"})
            try:
                body = await json_object(request)
                if door:
                    self.pipeline.note(f"{request.method} {request.url.path.removeprefix('/market-data/')}", body)
                return JSONResponse(act(request, body))
            except BadRequestError as exc:
                return JSONResponse({"error": str(exc)}, 400)
            except WrongOrderError as exc:
                return JSONResponse({"error": str(exc)}, 409)

        return handle

    @property
    def _down(self) -> bool:
        return "control_plane_down" in self.pipeline.thrown

    def _gaps(self) -> Json:
        gaps = self.pipeline.gaps()
        ends = [stamp(g.ended) if g.ended else None for g in gaps]
        return {
            "windows": ", ".join(f"{stamp(g.since)} to {end or 'now'}" for g, end in zip(gaps, ends, strict=True))
            or "none",
            "gaps": [
                {"market": MARKETS[0], "start": stamp(g.since), "end": end} for g, end in zip(gaps, ends, strict=True)
            ],
        }

    def _lag(self) -> Json:
        return {
            "stream_seconds": round(self.pipeline.stream_lag(), 1),
            "batch_seconds": round(self.pipeline.batch_lag(), 1),
        }

    def _network(self) -> Json:
        down = "network_down" in self.pipeline.thrown
        return {"unreachable": int(down), "vendors": [{"name": "Consolidated Feeds", "reachable": not down}]}

    def _tokens(self) -> Json:
        expired = "token_expired" in self.pipeline.thrown
        vendor = {"name": "Consolidated Feeds", "token": "expired" if expired else "valid"}
        return {"invalid_tokens": int(expired), "vendors": [vendor]}

    def _suite(self) -> Json:
        return {"sound": self.pipeline.sound()}

    def _indicator(self, request: Request) -> Json:
        name = request.path_params["name"]
        if name not in INDICATORS:
            raise BadRequestError(f"there is no indicator {name}; there are {', '.join(INDICATORS)}")
        sound = self.pipeline.sound()
        return {"name": name, "deviation": 0.004 if sound else 0.31, "tolerance": 0.02, "within_tolerance": sound}

    def _consumers(self, request: Request) -> Json:
        named = _named(request)
        states = {name: "paused" if name in self.pipeline.paused else "running" for name in named}
        same = set(states.values())
        return {"consumers": states, "state": same.pop() if len(same) == 1 else "mixed"}

    def _pause(self, request: Request, body: Json) -> Json:
        self.pipeline.paused |= set(_named(request))
        self.pipeline.feed.publish("platform", text="downstream consumers are paused")
        return self._consumers(request)

    def _resume(self, request: Request, body: Json) -> Json:
        self.pipeline.paused -= set(_named(request))
        self.pipeline.feed.publish("platform", text="downstream consumers read again")
        return self._consumers(request)

    def _freeze(self, request: Request, body: Json) -> Json:
        self.pipeline.frozen = body
        return {"frozen": True}

    def _unfreeze(self, request: Request, body: Json) -> Json:
        self.pipeline.frozen = None
        return {"frozen": False}

    def _quarantine(self, request: Request) -> Json:
        found = self.pipeline.quarantines.get(_market(request))
        return {
            "redirected": found is not None,
            "tag": found.tag if found else None,
            "bucket": found.bucket if found else None,
            "batches": 3 if found else 0,
        }

    def _redirect(self, request: Request, body: Json) -> Json:
        if body.get("bucket") != BUCKET:
            raise BadRequestError(f"the quarantine is {BUCKET}")
        self.pipeline.quarantine(_market(request), BUCKET, _incident(str(body.get("tag"))))
        return self._quarantine(request)

    def _redirect_no_more(self, request: Request, body: Json) -> Json:
        self.pipeline.quarantines.pop(_market(request), None)
        return self._quarantine(request)

    def _begin(self, request: Request, body: Json) -> Json:
        start, end = _moment(body, "start"), _moment(body, "end")
        output = str(body.get("output"))
        if not output.startswith("reports/backfill/"):
            raise BadRequestError("the output goes below reports/backfill/")
        return {"said": self.pipeline.backfill(_known_market(str(body.get("market"))), start, end, output)}

    def _backfill(self, request: Request) -> Json:
        job = self.pipeline.backfills.get(_incident(request.path_params["incident"]))
        if job is None:
            return {"status": "none"}
        return {"status": "completed" if self.pipeline.finished(job) else "running", "output": job.output}

    def _promote(self, request: Request, body: Json) -> Json:
        table = request.path_params["table"]
        if table not in ("staging", "production"):
            raise BadRequestError("the table is staging or production")
        self.pipeline.promote(_incident(request.path_params["incident"]), table)
        return self._promoted(request)

    def _promoted(self, request: Request) -> Json:
        job = self.pipeline.backfills.get(_incident(request.path_params["incident"]))
        return {"staging": bool(job and job.staging), "production": bool(job and job.production)}


def _known_market(name: str) -> str:
    if name not in MARKETS:
        raise BadRequestError(f"there is no market {name}; there are {', '.join(MARKETS)}")
    return name


def _market(request: Request) -> str:
    return _known_market(request.path_params["market"])


def _incident(text: str) -> str:
    if not INCIDENT.fullmatch(text):
        raise BadRequestError(f"{text} is no incident")
    return text


def _named(request: Request) -> tuple[str, ...]:
    name = request.path_params["consumers"]
    if name == "all":
        return CONSUMERS
    if name not in CONSUMERS:
        raise BadRequestError(f"there are no consumers {name}; there are all, {', '.join(CONSUMERS)}")
    return (name,)


def _moment(body: Json, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(body.get(name)))
    except ValueError as exc:
        raise BadRequestError(f"{name} is no ISO 8601 moment") from exc
    if at.tzinfo is None:
        raise BadRequestError(f"{name} has no time zone")
    return at

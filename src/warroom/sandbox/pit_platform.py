"""The platform of the point-in-time pack: three services, a feature store, trading signals, the end of its tools."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from warroom.sandbox.bodies import BadRequestError, exact_object
from warroom.sandbox.door import HangUp
from warroom.sandbox.feed import Feed

Json = dict[str, Any]
PORTS = (8001, 8003, 8004)
_FEATURE = re.compile(r"[a-z][a-z0-9_]{0,99}")


@dataclass
class Feature:
    """A feature of the store. `status`: ENABLED, DISABLED or PARTIAL (a share of the traffic)."""

    name: str
    status: str = "ENABLED"
    traffic_percentage: int = 100
    dependents_disabled: bool = False
    restored_from: str = ""
    monitoring: str = "normal"
    leaks: bool = False

    def as_json(self) -> Json:
        return {k: v for k, v in vars(self).items() if k != "leaks"}


@dataclass
class PitPlatform:
    """The state behind the endpoints; `calls` are those that changed something. Features are made when first named."""

    now: Callable[[], datetime]
    feed: Feed
    features: dict[str, Feature] = field(default_factory=dict)
    stopped: Json | None = None
    calls: list[Json] = field(default_factory=list)
    down: set[int] = field(default_factory=set)
    signals_deaf: bool = False

    def feature(self, name: str) -> Feature:
        """The feature of this name."""
        return self.features.setdefault(name, Feature(name))

    def leak(self, name: str) -> None:
        """The feature begins to look into the future."""
        self.feature(name).leaks = True
        self.feed.publish("platform", text=f"{name} uses data from the future")

    def compliance(self) -> Json:
        """What the services say of themselves under `pit_compliance`."""
        leaking = [f.name for f in self.features.values() if f.leaks and f.status == "ENABLED"]
        return {"status": "violated" if leaking else "compliant", "features": leaking}

    def note(self, endpoint: str, body: Json) -> None:
        self.calls.append({"at": self.now().isoformat(), "endpoint": endpoint, "body": body})

    def count(self, endpoint: str) -> int:
        """How often an endpoint that changes something was called."""
        return sum(call["endpoint"] == endpoint for call in self.calls)


class PitApi:
    """Endpoints under /pit/<port>/…, and /pit/tools/… for the stand-ins of the command line tools."""

    def __init__(self, platform: PitPlatform) -> None:
        self.platform = platform

    def routes(self) -> list[Route]:
        table: list[tuple[int, str, str, Callable[[Request], Awaitable[Response]]]] = [
            (8003, "POST", "/features/emergency-disable", self.disable),
            (8003, "POST", "/features/gradual-enable", self.enable),
            (8003, "GET", "/features/{feature}/status", self.status),
            (8003, "GET", "/features/{feature}/history", self.history),
            (8003, "POST", "/monitoring/enhance", self.enhance),
            (8003, "GET", "/logs/pipeline", self.logs),
            (8003, "GET", "/metrics", self.metrics),
            (8003, "GET", "/audit/users", self.users),
            (8004, "POST", "/signals/stop", self.stop),
            (8004, "POST", "/signals/resume", self.resume),
            (8004, "GET", "/signals/status", self.signals),
            *((port, "GET", "/health", self.health) for port in PORTS),
        ]
        routes = [Route(f"/{port}{path}", self._guarded(port, act), methods=[verb]) for port, verb, path, act in table]
        return [*routes, Route("/tools/{tool}", self._guarded(0, self.tool), methods=["POST"])]

    def _guarded(
        self, port: int, act: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if port in self.platform.down:
                return HangUp()
            try:
                return await act(request)
            except BadRequestError as error:
                return JSONResponse({"error": str(error)}, 422)

        return answer

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "healthy", "pit_compliance": self.platform.compliance()})

    async def disable(self, request: Request) -> Response:
        body = await exact_object(request, {"feature_name": str, "reason": str})
        feature = self.platform.feature(_feature(body["feature_name"]))
        self.platform.note("emergency-disable", body)
        feature.status, feature.traffic_percentage = "DISABLED", 0
        self.platform.feed.publish("platform", text=f"{feature.name} is disabled ({body['reason']})")
        return JSONResponse(feature.as_json())

    async def enable(self, request: Request) -> Response:
        body = await exact_object(request, {"feature_name": str, "traffic_percentage": float})
        share = body["traffic_percentage"]
        if not 1 <= share <= 100 or share != int(share):
            raise BadRequestError("traffic_percentage is a whole number from 1 to 100")
        feature = self.platform.feature(_feature(body["feature_name"]))
        self.platform.note("gradual-enable", body)
        feature.status = "ENABLED" if share == 100 else "PARTIAL"
        feature.traffic_percentage, feature.leaks = int(share), False
        self.platform.feed.publish("platform", text=f"{feature.name} gets {int(share)}% of the traffic")
        return JSONResponse(feature.as_json())

    async def status(self, request: Request) -> Response:
        return JSONResponse(self.platform.feature(_feature(request.path_params["feature"])).as_json())

    async def history(self, request: Request) -> Response:
        name = _feature(request.path_params["feature"])
        inputs = ["trades_1m", "earnings_calendar"]
        return JSONResponse(
            {"feature": name, "depends_on": inputs, "calculations": [{"version": 7, "lookahead": "1d"}]}
        )

    async def enhance(self, request: Request) -> Response:
        body = await exact_object(request, {"feature_name": str, "level": str})
        feature = self.platform.feature(_feature(body["feature_name"]))
        self.platform.note("monitoring/enhance", body)
        feature.monitoring = body["level"]
        return JSONResponse(feature.as_json())

    async def logs(self, request: Request) -> Response:
        return PlainTextResponse(f"{self.platform.now():%H:%M:%S} pipeline: batch 4711 took 3.2 s\n")

    async def metrics(self, request: Request) -> Response:
        return JSONResponse({"cpu_pct": 41, "p99_ms": 120, "queue": 3})

    async def users(self, request: Request) -> Response:
        return JSONResponse([{"user": "mei", "did": "deployed feature-store 7.3"}])

    async def stop(self, request: Request) -> Response:
        body = await exact_object(request, {"operator": str, "reason": str, "incident": str})
        self.platform.note("signals/stop", body)
        if not self.platform.signals_deaf:
            self.platform.stopped = {"since": self.platform.now().isoformat(), **body}
            self.platform.feed.publish("halt", text=f"Trading signals stopped: {body['reason']}", halted=True)
        return JSONResponse({"accepted": True})

    async def resume(self, request: Request) -> Response:
        body = await exact_object(request, {"operator": str, "reason": str, "incident": str})
        self.platform.note("signals/resume", body)
        self.platform.stopped = None
        self.platform.feed.publish("halt", text="Trading signals run again", halted=False)
        return JSONResponse({"accepted": True})

    async def signals(self, request: Request) -> Response:
        return JSONResponse({"stopped": self.platform.stopped is not None, **(self.platform.stopped or {})})

    async def tool(self, request: Request) -> Response:
        """What a command line tool does: its arguments in, its exit code and output out."""
        arguments = (await exact_object(request, {"arguments": list}))["arguments"]
        code, output = run_tool(self.platform, request.path_params["tool"], [str(a) for a in arguments])
        return JSONResponse({"code": code, "output": output})


def run_tool(platform: PitPlatform, tool: str, arguments: list[str]) -> tuple[int, str]:
    """The tools of the platform by their names in the pack."""
    verb = arguments[0] if arguments and not arguments[0].startswith("-") else ""
    options = dict(pairwise(arguments))
    feature = platform.feature(_feature(options["--feature"])) if "--feature" in options else None
    match tool, verb, feature:
        case "pit-enforcement", "generate-report", None:
            return 0, f"report written: {platform.compliance()}"
        case "pit-enforcement", "validate-timestamps", None if "--service" in options:
            return 0, f"{options['--service']}: 12,480 timestamps, 0 drift"
        case "contract-validator", "validate-all", None:
            broken = platform.compliance()["features"]
            return (1, f"contract broken: {', '.join(broken)}") if broken else (0, "42 contracts hold")
        case "contract-validator", "validate", None:
            return 0, f"{arguments[1]}: the contract holds"
        case "dependency-manager", "disable-cascade", Feature():
            platform.note("disable-cascade", {"feature": feature.name})
            feature.dependents_disabled = True
            return 0, f"3 calculations that depend on {feature.name} are stopped"
        case "integrity-checker", "", Feature() if "--start-time" in options:
            return 0, f"{feature.name}: 96 rows since {options['--start-time']} differ from their inputs"
        case "external-validator", "", Feature():
            return 0, f"{feature.name}: agrees with the external source on 99.2% of the days"
        case "data-restore", "", Feature() if "--restore-point" in options:
            platform.note("data-restore", {"feature": feature.name, "restore_point": options["--restore-point"]})
            feature.restored_from = options["--restore-point"]
            return 0, f"{feature.name} is restored from {feature.restored_from}"
        case _:
            return 2, f"usage: {tool} does not take {' '.join(arguments)}"


def _feature(name: str) -> str:
    if not _FEATURE.fullmatch(name):
        raise BadRequestError(f"{name!r} is no feature: small letters, digits and _")
    return name


TOOLS: Mapping[str, str] = {
    "pit-enforcement": "pit_enforcement_pipeline.py",
    "contract-validator": "feature_contract_validator.py",
    "dependency-manager": "feature_dependency_manager.py",
    "integrity-checker": "data_integrity_checker.py",
    "external-validator": "external_data_validator.py",
    "data-restore": "data_restore.py",
}
"""the tools' names in the pack, and in the document"""

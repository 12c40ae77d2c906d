"""The HTTP endpoints of the three services, and of the Kafka administration."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from warroom.sandbox.bodies import BadRequestError, json_object
from warroom.sandbox.door import HangUp
from warroom.sandbox.platform import VENUES, Platform

Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]
REGIMES = ("NORMAL_EXPANSION", "STRESS", "CRISIS", "RECOVERY", "LATE_CYCLE")
ROUTING_MODES = ("SMART", "CONSERVATIVE", "AGGRESSIVE")
_DURATION = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _bad(what: str) -> Response:
    return JSONResponse({"error": what}, 400)


def _number(body: Json, name: str, low: float, high: float) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadRequestError(f"{name} must be a number from {low} to {high}")
    return float(value)


class PlatformApi:
    """Endpoints under /platform/<service>/…"""

    def __init__(self, platform: Platform, emergency_token: str) -> None:
        self.platform = platform
        self.token = emergency_token

    def routes(self) -> list[Route]:
        sentinel, warden, executioner = "market-sentinel", "risk-warden", "executioner"
        table: list[tuple[str, str, str, Handler]] = [
            (sentinel, "GET", "/api/db/pool-status", self.pool_status),
            (sentinel, "POST", "/api/regime/manual", self.regime_manual),
            (sentinel, "GET", "/api/regime/status", self.regime_status),
            (warden, "GET", "/api/violations", self.violations),
            (warden, "GET", "/api/risk/attribution", self.attribution),
            (warden, "POST", "/api/emergency/reduce", self.reduce),
            (warden, "GET", "/api/emergency/status", self.reduction),
            (warden, "GET", "/api/positions/risk-ranked", self.positions),
            (executioner, "GET", "/api/venues/health", self.venues),
            (executioner, "GET", "/api/orders", self.orders),
            (executioner, "GET", "/api/routing/diagnostics", self.routing),
            (executioner, "POST", "/api/routing/mode", self.routing_mode),
            (executioner, "POST", "/api/venues/disable", self.disable_venues),
            (executioner, "POST", "/api/emergency/halt-all", self.halt_all),
            (executioner, "GET", "/api/emergency/status", self.halt_status),
            (executioner, "POST", "/api/emergency/resume", self.resume),
            (executioner, "GET", "/api/mode", self.mode),
        ]
        for service in (sentinel, warden, executioner):
            table += [
                (service, "GET", "/health", self._of(service, self._health)),
                (service, "GET", "/api/metrics", self._of(service, self._metrics)),
                (service, "GET", "/api/logs/tail", self._of(service, self._logs)),
            ]
        routes = [Route(f"/{s}{path}", self._guarded(s, handler), methods=[verb]) for s, verb, path, handler in table]
        tools = [
            ("/restart", self.tool_restart),
            ("/scale", self.tool_scale),
            ("/retention", self.tool_retention),
            ("/reset-offsets", self.tool_reset),
            ("/manual-mode", self.tool_manual),
        ]
        routes += [Route(f"/tools{path}", self._guarded(None, h), methods=["POST"]) for path, h in tools]
        kafka = [
            ("/topics", self.topics),
            ("/topics/{topic}", self.topic),
            ("/consumer-groups", self.groups),
            ("/consumers", self.consumers),
        ]
        return routes + [Route(f"/kafka{path}", self._guarded(None, h)) for path, h in kafka]

    def _of(self, service: str, answer: Callable[[str, Request], Response]) -> Handler:
        async def handle(request: Request) -> Response:
            return answer(service, request)

        return handle

    def _guarded(self, service: str | None, handler: Handler) -> Handler:
        """A service that is down closes the connection; slow ones wait; mistakes are 400."""

        async def handle(request: Request) -> Response:
            if self.platform.switches.slow_s:
                await asyncio.sleep(self.platform.switches.slow_s)
            if service is not None and not self.platform.up(service):
                return HangUp()
            try:
                return await handler(request)
            except BadRequestError as exc:
                return _bad(str(exc))

        return handle

    def _health(self, service: str, request: Request) -> Response:
        problems = []
        if self.platform.switches.pool_exhausted:
            problems.append("database: too many connections")
        if service == "executioner" and self.platform.switches.venues_down:
            problems.append("venues down: " + ", ".join(self.platform.switches.venues_down))
        if problems:
            return JSONResponse({"status": "unhealthy", "service": service, "problems": problems}, 503)
        return JSONResponse({"status": "healthy", "service": service, "version": "4.12.0"})

    def _metrics(self, service: str, request: Request) -> Response:
        s = self.platform.switches
        storm, slow_db = s.alert_storm, s.pool_exhausted
        common: Json = {"service": service, "latency_ms_p99": 480 if slow_db else 38, "error_rate": 0.0}
        more: Json = {
            "market-sentinel": {"regime_age_s": self.platform.regime_age_s(), "feeds": 4},
            "risk-warden": {"var_pct_nav": 2.7 if storm else 1.4, "alerts_5m": 31 if storm else 1},
            "executioner": {"fill_rate": 0.82 if s.fill_rate_low else 0.97, "slippage_bps": 1.1},
        }
        return JSONResponse(common | more[service])

    def _logs(self, service: str, request: Request) -> Response:
        wanted = request.query_params.get("lines", "100")
        if not wanted.isdigit() or not 1 <= int(wanted) <= 10_000:
            return _bad("lines must be a number from 1 to 10000")
        lines = [line for line in self.platform.logs if f" {service} " in line]
        return PlainTextResponse("\n".join(lines[-int(wanted) :]) + "\n")

    async def pool_status(self, request: Request) -> Response:
        full = self.platform.switches.pool_exhausted
        return JSONResponse(
            {
                "max_connections": 100,
                "active": 100 if full else 23,
                "idle": 0 if full else 17,
                "waiting": 64 if full else 0,
                "exhausted": full,
            }
        )

    async def regime_status(self, request: Request) -> Response:
        age = self.platform.regime_age_s()
        until = self.platform.regime_by_hand_until
        by_hand = until is not None and until > self.platform.now()
        return JSONResponse(
            {
                "regime": self.platform.regime,
                "updated_at": self.platform.last_regime.isoformat(),
                "age_seconds": round(age, 3),
                "stale": age > 300,
                "manual": by_hand,
                "manual_until": until.isoformat() if by_hand and until else None,
            }
        )

    async def regime_manual(self, request: Request) -> Response:
        body = await json_object(request)
        regime, duration = body.get("regime"), _DURATION.fullmatch(str(body.get("duration", "1h")))
        if regime not in REGIMES:
            raise BadRequestError(f"regime must be one of {', '.join(REGIMES)}")
        if duration is None:
            raise BadRequestError("duration must be like 30m or 1h")
        self.platform.note_call("regime/manual", body)
        self.platform.set_regime(regime, timedelta(**{_UNITS[duration[2]]: int(duration[1])}))
        return JSONResponse({"status": "ok", "regime": regime})

    async def violations(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "50")
        if not limit.isdigit():
            raise BadRequestError("limit must be a number")
        many = 31 if self.platform.switches.alert_storm else 1
        now = self.platform.now()
        kinds = ("VAR_LIMIT", "CONCENTRATION", "GROSS_EXPOSURE")
        listed = [
            {
                "id": f"V-{4100 + n}",
                "type": kinds[n % 3],
                "portfolio": f"PF-{n % 5 + 1}",
                "limit": 3.0,
                "value": round(3.02 + n % 7 * 0.11, 2),
                "at": (now - timedelta(seconds=9 * n)).isoformat(),
            }
            for n in range(many)
        ]
        return JSONResponse(listed[: int(limit)])

    async def attribution(self, request: Request) -> Response:
        high = self.platform.switches.alert_storm
        factors = [("rates", 0.46), ("equity beta", 0.31), ("fx", 0.14), ("residual", 0.09)]
        shares = [{"factor": name, "share": share} for name, share in factors]
        return JSONResponse({"var_pct_nav": 2.7 if high else 1.4, "limit_pct_nav": 3.0, "factors": shares})

    async def reduce(self, request: Request) -> Response:
        body = await json_object(request)
        pct, timeframe = _number(body, "reduction_pct", 0.01, 1), _number(body, "timeframe", 1, 86_400)
        self.platform.note_call("emergency/reduce", body)
        self.platform.reduction_pct = pct
        self.platform.log("risk-warden", "WARN", f"reducing positions by {pct:.0%} within {timeframe:.0f} s")
        return JSONResponse({"status": "accepted", "reduction_pct": pct, "positions": 14})

    async def positions(self, request: Request) -> Response:
        book = [("ES-DEC", 0.31), ("ZN-DEC", 0.22), ("EURUSD", 0.17), ("SPY", 0.12), ("QQQ", 0.08)]
        kept = 1 - self.platform.reduction_pct
        return JSONResponse(
            [
                {"position_id": f"POS-{n}", "symbol": s, "risk_share": r, "notional": round(4e6 * r * kept)}
                for n, (s, r) in enumerate(book, 1)
            ]
        )

    async def venues(self, request: Request) -> Response:
        shown = []
        for venue in VENUES:
            down, disabled = self.platform.venue_down(venue), self.platform.venue_disabled(venue)
            status = "disabled" if disabled else "down" if down else "healthy"
            shown.append({"venue": venue, "status": status, "latency_ms": None if down else 4})
        connected = sum(v["status"] == "healthy" for v in shown)
        return JSONResponse({"venues": shown, "connected": connected, "total": len(shown)})

    async def orders(self, request: Request) -> Response:
        status, limit = request.query_params.get("status"), request.query_params.get("limit", "20")
        if not limit.isdigit():
            raise BadRequestError("limit must be a number")
        failed = 18 if self.platform.switches.fill_rate_low else 1
        book = [("failed", n) for n in range(failed)] + [("filled", n) for n in range(100 - failed)]
        orders = [
            {"order_id": f"O-{n:05d}", "status": s, "venue": VENUES[n % 5], "symbol": "ES-DEC", "notional": 52_000}
            for n, (s, _) in enumerate(book)
            if status in (None, s)
        ]
        return JSONResponse(orders[: int(limit)])

    async def routing(self, request: Request) -> Response:
        low = self.platform.switches.fill_rate_low
        return JSONResponse(
            {
                "mode": self.platform.routing_mode,
                "fill_rate": 0.82 if low else 0.97,
                "rejects_5m": 41 if low else 2,
                "disabled_venues": [v for v in VENUES if self.platform.venue_disabled(v)],
            }
        )

    async def routing_mode(self, request: Request) -> Response:
        body = await json_object(request)
        mode = body.get("mode")
        if mode not in ROUTING_MODES:
            raise BadRequestError(f"mode must be one of {', '.join(ROUTING_MODES)}")
        self.platform.note_call("routing/mode", body)
        self.platform.routing_mode = mode
        return JSONResponse({"status": "ok", "mode": mode})

    async def disable_venues(self, request: Request) -> Response:
        body = await json_object(request)
        venues, duration = body.get("venues"), _number(body, "duration", 1, 86_400)
        if not isinstance(venues, list) or not venues or not set(venues) <= set(VENUES):
            raise BadRequestError(f"venues must be some of {', '.join(VENUES)}")
        self.platform.note_call("venues/disable", body)
        until = self.platform.now() + timedelta(seconds=duration)
        self.platform.disabled_venues |= dict.fromkeys(venues, until)
        return JSONResponse({"status": "ok", "disabled": venues, "until": until.isoformat()})

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse({"error": "unauthorized"}, 401, {"WWW-Authenticate": "Bearer"})
        return None

    async def halt_all(self, request: Request) -> Response:
        """Stop all trading. ``operator``, ``reason`` and ``scope`` in the body are kept."""
        refused = self._refused(request)
        if refused:
            return refused
        body, mode = await json_object(request), self.platform.switches.halt
        if mode == "unreachable":
            return HangUp()
        self.platform.note_call("emergency/halt-all", body)
        if mode == "fails":
            return JSONResponse({"error": "order gateway did not answer"}, 500)
        by, reason = str(body.get("operator", "unknown")), str(body.get("reason", ""))
        done = self.platform.halt_all(by, reason, str(body.get("scope", "all")))
        return HangUp() if mode == "drops" else JSONResponse(done)

    async def reduction(self, request: Request) -> Response:
        return JSONResponse({"reduction_pct": self.platform.reduction_pct})

    async def halt_status(self, request: Request) -> Response:
        if self.platform.switches.halt_status_unreachable:
            return HangUp()
        return JSONResponse(self.platform.halt_status())

    async def resume(self, request: Request) -> Response:
        refused = self._refused(request)
        if refused:
            return refused
        body = await json_object(request)
        self.platform.note_call("emergency/resume", body)
        if self.platform.switches.resume_fails:
            return JSONResponse({"error": "order gateway did not answer"}, 500)
        return JSONResponse(self.platform.resume(str(body.get("operator", "unknown"))))

    async def topics(self, request: Request) -> Response:
        return JSONResponse({"topics": ["market-regime", "orders", "risk-alerts"]})

    async def topic(self, request: Request) -> Response:
        name = request.path_params["topic"]
        partitions = [{"partition": n, "leader": 1, "replicas": 3, "isr": 3} for n in range(3)]
        return JSONResponse({"topic": name, "partitions": partitions, "retention_ms": 86_400_000})

    async def groups(self, request: Request) -> Response:
        lag = 14_250 if self.platform.switches.kafka_backlog else 12
        names = [("market-sentinel-group", "market-regime", lag), ("risk-warden-group", "risk-alerts", 3)]
        groups = [{"group": g, "topic": t, "lag": n, "members": 1} for g, t, n in names]
        return JSONResponse({"groups": groups, "max_lag": max(n for _, _, n in names)})

    async def consumers(self, request: Request) -> Response:
        return JSONResponse({"replicas": self.platform.replicas})

    async def mode(self, request: Request) -> Response:
        return JSONResponse({"manual": self.platform.manual_mode})

    async def tool_restart(self, request: Request) -> Response:
        """`docker-compose restart`: a service that is only stopped comes back, a full pool is emptied."""
        body = await json_object(request)
        self.platform.note_call("tools/restart", body)
        self.platform.restart([str(name) for name in body.get("services", [])])
        return JSONResponse({"status": "ok"})

    async def tool_scale(self, request: Request) -> Response:
        """`docker-compose up -d --scale market-sentinel=N`."""
        body = await json_object(request)
        self.platform.note_call("tools/scale", body)
        self.platform.replicas = int(_number(body, "replicas", 1, 20))
        return JSONResponse({"replicas": self.platform.replicas})

    async def tool_retention(self, request: Request) -> Response:
        """`kafka-configs --alter`; without a number of milliseconds the broker's own holds again."""
        body = await json_object(request)
        if "retention_ms" in body:
            self.platform.note_call("tools/retention", body)
            given = body["retention_ms"]
            self.platform.retention_ms = None if given is None else int(_number(body, "retention_ms", 1, 1e12))
        return JSONResponse({"retention_ms": self.platform.retention_ms})

    async def tool_reset(self, request: Request) -> Response:
        """`kafka-consumer-groups --reset-offsets --to-latest --execute`: nothing is left to read."""
        self.platform.note_call("tools/reset-offsets", await json_object(request))
        self.platform.switch("kafka_backlog", False)
        return JSONResponse({"status": "ok"})

    async def tool_manual(self, request: Request) -> Response:
        """The script for manual trading."""
        self.platform.note_call("tools/manual-mode", await json_object(request))
        self.platform.manual_mode = True
        return JSONResponse({"manual": True})

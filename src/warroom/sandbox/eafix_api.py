"""The HTTP endpoints of EAFIX's six services under /eafix/<service>/…, and of its containers under /eafix/docker/…

Strict: an unknown query parameter, a missing or an unknown field of a body is 400.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from warroom.sandbox.bodies import BadRequestError, exact_object
from warroom.sandbox.door import HangUp
from warroom.sandbox.eafix_platform import PRICES, SERVICES, EafixPlatform, Position

Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]
GATEWAY, INGESTOR, INDICATORS, SIGNALS, RISK, EXECUTION = SERVICES


class EafixApi:
    """The endpoints; a service that is down closes the connection."""

    def __init__(self, platform: EafixPlatform) -> None:
        self.platform = platform

    def routes(self) -> list[Route]:
        """Everything under /eafix."""
        table = [*self._reading(), *self._testing(), *self._changing()]
        table += [(service, "GET", "/healthz", _fixed(self._health(service))) for service in SERVICES]
        routes = [Route(f"/{s}{path}", self._guarded(s, handler), methods=[verb]) for s, verb, path, handler in table]
        return [
            *routes,
            Route("/docker/ps", self._ps),
            Route("/docker/logs", self._logs),
            Route("/docker/{verb}/{service}", self._container, methods=["POST"]),
            Route("/broker/", self._broker, methods=["GET", "HEAD"]),
            Route("/prometheus/api/v1/query", self._prometheus),
        ]

    def _reading(self) -> list[tuple[str, str, str, Handler]]:
        hour = {"period": "1h"}
        return [
            (GATEWAY, "GET", "/health", _fixed(self._all_health)),
            (GATEWAY, "GET", "/api/trading-status", self._trading_status),
            (GATEWAY, "GET", "/api/positions", _query(("status",), self._positions)),
            (GATEWAY, "GET", "/api/positions/summary", _fixed(self._summary)),
            (GATEWAY, "GET", "/api/reconcile/positions", _fixed(self._reconciliation)),
            (GATEWAY, "GET", "/api/pre-market-checklist", _fixed(self._pre_market)),
            (INGESTOR, "GET", "/api/latest-prices", _fixed(self._latest_prices)),
            (INGESTOR, "GET", "/api/data-freshness", _fixed(self._freshness)),
            (SIGNALS, "GET", "/api/signals", _query(("since", "limit"), self._signals)),
            (SIGNALS, "GET", "/api/signals/latest", _fixed(lambda: self._signals({"limit": "1"})[0])),
            (SIGNALS, "GET", "/api/signals/validate-recent", _fixed(lambda: {"checked": 20, "failed": 0})),
            (SIGNALS, "GET", "/api/metrics/signal-accuracy", _fixed(lambda: {"accuracy": 0.61})),
            (SIGNALS, "GET", "/api/metrics/signal-distribution", _fixed(lambda: {"buy": 0.48, "sell": 0.52})),
            (SIGNALS, "GET", "/api/metrics/signal-rate", _wanted(hour, lambda: {"per_hour": self._rate()})),
            (
                SIGNALS,
                "GET",
                "/api/metrics/confidence-distribution",
                _wanted(hour, lambda: {"median": 0.0 if self.platform.switches.signals_stopped else 0.71}),
            ),
            (SIGNALS, "GET", "/api/metrics/accuracy", _wanted({"period": "24h"}, lambda: {"accuracy": 0.6})),
            (RISK, "GET", "/api/risk-assessments", _query(("limit",), self._assessments)),
            (RISK, "GET", "/api/risk-limits", _fixed(self.platform.limits)),
            (RISK, "GET", "/api/risk-metrics/current", _fixed(lambda: {"exposure_usd": 612_000})),
            (RISK, "GET", "/api/risk-metrics/utilization", _fixed(lambda: {"utilization_pct": 61})),
            (RISK, "GET", "/api/risk-metrics/var", _fixed(lambda: {"var_usd": 8_400})),
            (EXECUTION, "GET", "/api/orders", _query(("status",), self._orders)),
            (EXECUTION, "GET", "/api/executions", _query(("since", "limit"), self._executions)),
            (EXECUTION, "GET", "/api/broker-positions", _fixed(self._broker_positions)),
            (EXECUTION, "GET", "/api/metrics/slippage", _wanted(hour, lambda: {"mean_bps": 0.8})),
            (EXECUTION, "GET", "/api/metrics/fill-rate", _wanted(hour, lambda: {"fill_rate": self._fill_rate()})),
            (
                EXECUTION,
                "GET",
                "/api/metrics/execution-times",
                _wanted(hour, lambda: {"p50_s": 0.2, "p99_s": self._latency()}),
            ),
            (EXECUTION, "GET", "/test/broker-connectivity", _fixed(self._connectivity)),
        ]

    def _testing(self) -> list[tuple[str, str, str, Handler]]:
        """POST, and nothing of the trading changes."""
        signal = {"signal_id": str, "symbol": str, "confidence": float}
        return [
            (SIGNALS, "POST", "/test/generate-signal", _body({"symbol": str, "test_mode": bool}, self._test_signal)),
            (RISK, "POST", "/test/validate-signal", _body(signal, self._validate)),
            (RISK, "POST", "/test/validate-test-signal", _body({}, self._validate)),
            (EXECUTION, "POST", "/test/dry-run-order", _body({}, self._dry_run)),
            (GATEWAY, "POST", "/api/reconcile/generate-report", _body({}, self._report)),
        ]

    def _changing(self) -> list[tuple[str, str, str, Handler]]:
        why = {"reason": str, "operator": str}
        change = self._changes
        return [
            (GATEWAY, "POST", "/emergency/stop-trading", _body(why, self._stop)),
            (GATEWAY, "POST", "/emergency/resume-trading", change(why, self._resume)),
            (GATEWAY, "POST", "/emergency/close-all-positions", change(why, self._close_all)),
            (
                GATEWAY,
                "POST",
                "/emergency/set-stop-losses",
                change({"percentage": float, "operator": str}, self._losses),
            ),
            (
                RISK,
                "POST",
                "/emergency/reduce-position-sizes",
                change({"reduction_factor": float, "reason": str}, self._reduce),
            ),
            (
                RISK,
                "POST",
                "/emergency/tighten-limits",
                change({"factor": float, "duration_minutes": float}, self._tighten),
            ),
            (RISK, "POST", "/emergency/stop-new-positions", change({"reason": str}, self._stop_new)),
        ]

    def _guarded(self, service: str, handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            if not self.platform.up(service):
                return HangUp()
            try:
                return await handler(request)
            except BadRequestError as exc:
                return JSONResponse({"error": str(exc)}, 400)

        return handle

    def _changes(self, wanted: Mapping[str, type], do: Callable[[Json], Json]) -> Handler:
        async def handle(request: Request) -> Response:
            body = await exact_object(request, wanted)
            self.platform.note_call(request.url.path.partition("/eafix")[2], body)
            return JSONResponse(do(body))

        return handle

    # reading

    def _health(self, service: str) -> Callable[[], Json]:
        return lambda: {"status": "healthy", "service": service}

    def _all_health(self) -> Json:
        services = {name: "up" if self.platform.up(name) else "down" for name in SERVICES}
        return {"status": "healthy" if set(services.values()) == {"up"} else "degraded", "services": services}

    async def _trading_status(self, request: Request) -> Response:
        if self.platform.switches.status_unreachable:
            return HangUp()
        return JSONResponse(self.platform.trading_status())

    def _positions(self, query: Json) -> list[Json]:
        if query.get("status") not in (None, "open", "closed"):
            raise BadRequestError("status is open or closed")
        shown = [p for p in self.platform.positions if query.get("status") in (None, _status(p))]
        return [
            {
                "symbol": p.symbol,
                "quantity": p.quantity,
                "entry_price": p.entry_price,
                "unrealized_pnl": round(self.platform.switches.pnl_usd * p.share, 2),
                "status": _status(p),
                "stop_loss_pct": p.stop_loss_pct,
            }
            for p in shown
        ]

    def _summary(self) -> Json:
        count = len(self.platform.open_positions)
        return {"open": count, "total_unrealized_pnl": self.platform.switches.pnl_usd if count else 0}

    def _reconciliation(self) -> Json:
        gap = self.platform.switches.gap_usd
        return {"matched": gap == 0, "discrepancy_usd": gap, "positions": len(self.platform.open_positions)}

    def _pre_market(self) -> Json:
        ready = all(self.platform.up(s) for s in SERVICES) and not self.platform.switches.prices_stale
        return {"ready": ready, "failed": [s for s in SERVICES if not self.platform.up(s)]}

    def _latest_prices(self) -> list[Json]:
        at = self.platform.now() - timedelta(seconds=self.platform.age_s("prices_stale", 1))
        return [{"symbol": s, "bid": b, "ask": a, "timestamp": at.isoformat()} for s, (b, a) in PRICES.items()]

    def _freshness(self) -> Json:
        return {"max_age_seconds": self.platform.age_s("prices_stale", 1), "symbols": len(PRICES)}

    def _rate(self) -> int:
        return 0 if self.platform.switches.signals_stopped else 24

    def _signals(self, query: Json) -> list[Json]:
        stopped = self.platform.switches.signals_stopped
        at = self.platform.now() - timedelta(seconds=self.platform.age_s("signals_stopped", 40))
        found = [
            {"id": f"S-{n}", "symbol": "EURUSD", "confidence": 0.0 if stopped else 0.72, "timestamp": at.isoformat()}
            for n in range(_limit(query))
        ]
        return [] if stopped and "since" in query else found

    def _assessments(self, query: Json) -> list[Json]:
        rejects = self.platform.switches.risk_rejects_all
        one = {"approved": not rejects, "position_size": 0 if rejects else 100_000, "risk_score": 0.3}
        return [{"signal_id": f"S-{n}", **one} for n in range(_limit(query))]

    def _orders(self, query: Json) -> list[Json]:
        waiting = 7 if self.platform.switches.orders_stuck else 0
        age = self.platform.age_s("orders_stuck", 0)
        pending = [{"order_id": f"O-{n}", "status": "pending", "age_seconds": age} for n in range(waiting)]
        return pending if query.get("status") in (None, "pending") else []

    def _latency(self) -> float:
        return 11.4 if self.platform.switches.orders_stuck else 0.6

    def _fill_rate(self) -> float:
        return 0.31 if self.platform.switches.orders_stuck else 0.97

    def _executions(self, query: Json) -> list[Json]:
        if self.platform.switches.orders_stuck or self.platform.stop is not None:
            return []
        one = {"status": "filled", "execution_time": self._latency()}
        return [{"order_id": f"O-{n}", **one} for n in range(_limit(query))]

    def _broker_positions(self) -> list[Json]:
        return [{"symbol": p.symbol, "quantity": p.quantity} for p in self.platform.open_positions]

    def _connectivity(self) -> Json:
        return {"connected": not self.platform.switches.broker_down, "latency_ms": 12}

    # tests that change nothing

    def _test_signal(self, body: Json) -> Json:
        if not body["test_mode"]:
            raise BadRequestError("this endpoint makes signals in test mode only")
        return {"symbol": body["symbol"], "confidence": 0.0 if self.platform.switches.signals_stopped else 0.7}

    def _validate(self, body: Json) -> Json:
        return {"approved": not self.platform.switches.risk_rejects_all}

    def _dry_run(self, body: Json) -> Json:
        return {"accepted": not (self.platform.switches.orders_stuck or self.platform.switches.broker_down)}

    def _report(self, body: Json) -> Json:
        return self._reconciliation() | {"report": "reports/reconciliation.csv"}

    # changes

    async def _stop(self, body: Json) -> Response:
        mode = self.platform.switches.stop
        if mode == "unreachable":
            return HangUp()
        self.platform.note_call("/gui-gateway/emergency/stop-trading", body)
        if mode == "fails":
            return JSONResponse({"error": "the execution engine did not answer"}, 500)
        done = self.platform.stop_trading(body["operator"], body["reason"])
        return HangUp() if mode == "drops" else JSONResponse(done)

    def _resume(self, body: Json) -> Json:
        return self.platform.resume_trading(body["operator"])

    def _close_all(self, body: Json) -> Json:
        return {"status": "accepted", "closed": self.platform.close_all()}

    def _losses(self, body: Json) -> Json:
        return {"status": "accepted", "positions": self.platform.set_stop_losses(_within(body, "percentage", 0.1, 20))}

    def _reduce(self, body: Json) -> Json:
        self.platform.reduce_sizes(_within(body, "reduction_factor", 0.05, 1))
        return {"status": "accepted", "size_factor": self.platform.size_factor}

    def _tighten(self, body: Json) -> Json:
        self.platform.tighten_limits(_within(body, "factor", 0.05, 1), _within(body, "duration_minutes", 1, 1440))
        return {"status": "accepted", **self.platform.limits()}

    def _stop_new(self, body: Json) -> Json:
        self.platform.new_positions = False
        return {"status": "accepted"}

    # around the services

    async def _ps(self, request: Request) -> Response:
        return JSONResponse({name: "running" if self.platform.up(name) else "exited" for name in SERVICES})

    async def _logs(self, request: Request) -> Response:
        return PlainTextResponse("\n".join(self.platform.logs[-100:]))

    async def _container(self, request: Request) -> Response:
        verb, service = request.path_params["verb"], request.path_params["service"]
        does = {"restart": self.platform.restart, "stop": self.platform.isolate}
        if verb not in does or service not in SERVICES:
            return PlainTextResponse(f"no such service: {service}", 404)
        self.platform.note_call(f"/docker/{verb}", {"service": service})
        does[verb](service)
        return PlainTextResponse(f"Container {service}  {'Started' if verb == 'restart' else 'Stopped'}")

    async def _broker(self, request: Request) -> Response:
        return HangUp() if self.platform.switches.broker_down else PlainTextResponse("")

    async def _prometheus(self, request: Request) -> Response:
        result = [{"metric": {"job": name}, "values": []} for name in SERVICES]
        return JSONResponse({"status": "success", "data": {"result": result}})


def _status(position: Position) -> str:
    return "open" if position.open else "closed"


def _limit(query: Json) -> int:
    limit = str(query.get("limit", "10"))
    if not limit.isdigit():
        raise BadRequestError("limit must be a number")
    return int(limit)


def _within(body: Json, name: str, low: float, high: float) -> float:
    if not low <= body[name] <= high:
        raise BadRequestError(f"{name} must be from {low} to {high}")
    return float(body[name])


def _query(known: tuple[str, ...], answer: Callable[[Json], Any]) -> Handler:
    async def handle(request: Request) -> Response:
        unknown = set(request.query_params) - set(known)
        if unknown:
            raise BadRequestError(f"no parameter {', '.join(sorted(unknown))} here")
        return JSONResponse(answer(dict(request.query_params)))

    return handle


def _fixed(answer: Callable[[], Any]) -> Handler:
    return _query((), lambda query: answer())


def _wanted(wanted: dict[str, str], answer: Callable[[], Any]) -> Handler:
    async def handle(request: Request) -> Response:
        if dict(request.query_params) != wanted:
            raise BadRequestError(f"write {wanted}")
        return JSONResponse(answer())

    return handle


def _body(wanted: Mapping[str, type], answer: Callable[[Json], Any]) -> Handler:
    async def handle(request: Request) -> Response:
        given = answer(await exact_object(request, wanted))
        if isinstance(given, dict):
            return JSONResponse(given)
        response: Response = await given
        return response

    return handle

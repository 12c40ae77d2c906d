"""The deployment of the sandbox firm: what it binds each pack to, for the demo, the tests and the benchmarks."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from warroom.sandbox import eafix_tools, market_data_tools, pit_platform, pit_tools, tools
from warroom.sandbox.pagerduty_fixture import SERVICES
from warroom.sandbox.sandbox import Sandbox

Binding = dict[str, Any]


def _services(prefix: str) -> list[str]:
    return [service.id for service in SERVICES if service.name.startswith(prefix)]


def _lav_adaf(url: str, redis_port: int) -> Binding:
    platform = f"{url}/platform"
    stand_in = [sys.executable, "-I", tools.__file__, platform]
    return {
        "services": _services("lav-adaf-"),
        "urls": {
            "market_sentinel": f"{platform}/market-sentinel",
            "risk_warden": f"{platform}/risk-warden",
            "executioner": f"{platform}/executioner",
            "redis": f"127.0.0.1:{redis_port}",
            "kafka": f"127.0.0.1:{redis_port}",
        },
        "contacts": {
            "senior_engineers_phones": "+1-202-555-0102",
            "risk_manager_phone": "+1-202-555-0105",
        },
        "tools": {name: [*stand_in, name] for name in tools.TOOLS},
    }


def _eafix(url: str, redis_port: int) -> Binding:
    platform = f"{url}/eafix"
    stand_in = [sys.executable, "-I", eafix_tools.__file__, platform]
    services = ("data-ingestor", "indicator-engine", "signal-generator", "risk-manager", "execution-engine")
    return {
        "services": _services("eafix-"),
        "urls": {
            "gateway": f"{platform}/gui-gateway",
            **{name: f"{platform}/{name}" for name in services},
            "broker": f"{platform}/broker",
            "prometheus": f"{platform}/prometheus",
            "redis": f"127.0.0.1:{redis_port}",
        },
        "contacts": {
            "primary_on_call": "+1-202-555-0101",
            "secondary_on_call": "+1-202-555-0103",
            "engineering_manager_phone": "+1-202-555-0104",
            "trading_desk_phone": "+1-202-555-0108",
            "security_team_phone": "+1-202-555-0107",
            "cto_phone": "+1-202-555-0106",
        },
        "tools": {name: [*stand_in, name] for name in eafix_tools.TOOLS},
    }


def _pit(url: str, redis_port: int) -> Binding:
    platform = f"{url}/pit"
    stand_in = [sys.executable, "-I", pit_tools.__file__, platform]
    return {
        "services": _services("pit-"),
        "urls": {
            "service_8001": f"{platform}/8001",
            "features": f"{platform}/8003",
            "service_8004": f"{platform}/8004",
            "signals": f"{platform}/8004",
        },
        "contacts": {"risk_manager_phone": "+1-202-555-0105"},
        "tools": {name: [*stand_in, name] for name in pit_platform.TOOLS},
    }


def _market_data(url: str, redis_port: int) -> Binding:
    pipeline = f"{url}/market-data"
    stand_in = [sys.executable, "-I", market_data_tools.__file__, pipeline]
    return {
        "services": _services("market-data"),
        "urls": {"pipeline": pipeline},
        "contacts": {
            "bridge_url": "https://bridge.sandbox.example/market-data",
            "live_trading_phone": "+1-202-555-0109",
            "trading_ops_phone": "+1-202-555-0108",
            "vendor_support": "+1-202-555-0190",
        },
        "tools": {name: [*stand_in, name] for name in market_data_tools.TOOLS},
    }


BINDINGS: Mapping[str, Callable[[str, int], Binding]] = {
    "lav_adaf": _lav_adaf,
    "eafix": _eafix,
    "pit": _pit,
    "market_data": _market_data,
}
"""pack → its part of warroom.yaml, given the sandbox's address and the port of its Redis"""

GROUPS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "lav_adaf": {
        "risk_managers": ["rita@sandbox.example"],
        "cto": ["clara@sandbox.example"],
        "executives": ["S0SANDBX06"],
        "senior_engineers": ["S0SANDBX02"],
        "architects": ["lukas@sandbox.example"],
        "compliance": ["omar@sandbox.example"],
        "security": ["omar@sandbox.example"],
        "halt_operators": ["rita@sandbox.example", "U0SANDBX10"],
        "commanders": ["S0SANDBX03"],
    },
    "eafix": {
        "development": ["S0SANDBX02"],
        "management": ["lukas@sandbox.example"],
        "cto": ["clara@sandbox.example"],
        "trading_desk": ["dana@sandbox.example"],
        "risk_managers": ["rita@sandbox.example"],
        "security": ["omar@sandbox.example"],
        "halt_operators": ["rita@sandbox.example", "U0SANDBX10"],
        "commanders": ["S0SANDBX03"],
    },
    "pit": {
        "engineering_managers": ["raj@sandbox.example"],
        "platform_engineers": ["lukas@sandbox.example"],
        "feature_owners": ["mei@sandbox.example"],
        "devops_managers": ["ana@sandbox.example"],
        "risk_managers": ["rita@sandbox.example"],
        "engineering_team": ["S0SANDBX02"],
        "data_platform_team": ["lukas@sandbox.example", "mei@sandbox.example"],
        "business_management": ["clara@sandbox.example"],
        "executives": ["S0SANDBX06"],
        "legal": ["omar@sandbox.example"],
        "customer_success": ["dana@sandbox.example"],
        "communications": ["dana@sandbox.example"],
        "qa": ["ana@sandbox.example"],
        "technical_writers": ["ana@sandbox.example"],
        "halt_operators": ["rita@sandbox.example", "U0SANDBX10"],
        "regulators": ["regulators@outside.example"],
        "customers": ["customers@outside.example"],
        "partners": ["partners@outside.example"],
    },
    "market_data": {
        "data_engineers": ["mei@sandbox.example", "raj@sandbox.example"],
        "trading_ops": ["dana@sandbox.example"],
        "live_trading": ["tom@sandbox.example"],
        "strategy_leads": ["lukas@sandbox.example"],
        "risk_managers": ["rita@sandbox.example"],
        "executives": ["S0SANDBX06"],
        "compliance": ["omar@sandbox.example"],
        "commanders": ["S0SANDBX03"],
    },
}
"""pack → who is in its groups; a group of the same name in two packs has the same people"""


def deployment(url: str, redis_port: int, packs: Sequence[str] = ("lav_adaf",)) -> Mapping[str, Any]:
    """A warroom.yaml for the sandbox firm at `url` with these packs."""
    groups: dict[str, list[str]] = {}
    for pack in packs:
        groups |= {name: list(members) for name, members in GROUPS[pack].items()}
    return {"packs": {pack: BINDINGS[pack](url, redis_port) for pack in packs}, "groups": groups}


def environment(
    sandbox: Sandbox, folder: Path, *, actions: str = "live", packs: Sequence[str] = ("lav_adaf",)
) -> dict[str, str]:
    """The environment of a bot that lives in `folder` and works against `sandbox`; writes its warroom.yaml."""
    config = folder / "warroom.yaml"
    config.write_text(yaml.safe_dump(dict(deployment(sandbox.url, sandbox.redis_port, packs)), sort_keys=False))
    first = {pack: BINDINGS[pack](sandbox.url, sandbox.redis_port)["services"][0] for pack in packs}
    keys = {pack: next(s.routing_key for s in SERVICES if s.id == service) for pack, service in first.items()}
    return sandbox.settings() | {
        "PAGERDUTY_ROUTING_KEY": keys[packs[0]],
        **{f"PAGERDUTY_ROUTING_KEY_{pack.upper()}": key for pack, key in keys.items() if len(packs) > 1},
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'warroom.db'}",
        "WARROOM_CONFIG": str(config),
        "WARROOM_DATA": str(folder / "data"),
        "WARROOM_ACTIONS": actions,
    }

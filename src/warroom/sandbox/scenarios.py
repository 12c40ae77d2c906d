"""The stories that the demo can play, by name."""

from collections.abc import Mapping

from warroom.sandbox import market_sentinel_down, pit_leakage
from warroom.sandbox.scenario import Scenario

SCENARIOS: Mapping[str, Scenario] = {s.name: s for s in (market_sentinel_down.SCENARIO, pit_leakage.SCENARIO)}

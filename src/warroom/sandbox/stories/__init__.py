"""The stories that the demo can play, by name."""

from collections.abc import Mapping

from warroom.sandbox.scenario import Scenario
from warroom.sandbox.stories import (
    data_feed_stall,
    market_sentinel_down,
    order_execution_failure,
    pit_leakage,
    risk_alert_storm,
    security_breach,
)

_STORIES = (
    market_sentinel_down.SCENARIO,
    pit_leakage.SCENARIO,
    data_feed_stall.SCENARIO,
    order_execution_failure.SCENARIO,
    risk_alert_storm.SCENARIO,
    security_breach.SCENARIO,
)

SCENARIOS: Mapping[str, Scenario] = {story.name: story for story in _STORIES}

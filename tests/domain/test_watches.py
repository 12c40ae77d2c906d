"""Watches: read on time, silent unless it matters, steady only by an unbroken row of healthy readings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.play import ID, MINUTE, PACK, START, Play, Went, succeed

from warroom.domain import facts as f
from warroom.domain.effects import Effect
from warroom.domain.incident import Incident
from warroom.domain.policy import Probe
from warroom.domain.procedures import Watch

SECOND = timedelta(seconds=1)
PNL = Watch(title="P&L", probe="pnl", every=10 * SECOND, moves_over=1000, channels=("room", "risk"))
LAG = Watch(title="Lag under its SLA", probe="lag", every=30 * SECOND, steady_for=2 * MINUTE)


@dataclass
class Platform:
    """What the probes show; None: the reading never comes back."""

    value: float = 0.0
    state: str | None = "ok"
    asked: list[str] = field(default_factory=list)

    def __call__(self, effect: Effect, incident: Incident) -> Mapping[str, Any] | Went | None:
        if effect.kind != "platform.watch":
            return succeed(effect, incident)
        self.asked.append(effect.key)
        if self.state is None:
            return None
        if self.state == "refused":
            return Went("refused", "too late")
        return {"state": self.state, "summary": f"it reads {self.value:g}", "value": self.value}


def a_play(watch: Watch, **details: Any) -> tuple[Play, Platform]:
    probes = {**PACK.pack.probes, "pnl": Probe(title="P&L"), "lag": Probe(title="Lag", help="Restart the connector.")}
    pack = replace(PACK, pack=replace(PACK.pack, watches={"it": watch}, probes=probes))
    platform = Platform()
    play = Play(packs={"lav_adaf": pack}, world=platform)
    play.alert(details=details)
    return play, platform


def saw(play: Play) -> list[str]:
    return [w.why for w in play.whats(f.WatchSaw)]


@pytest.mark.row("X9")
def test_it_is_read_every_ten_seconds_from_its_beginning_on() -> None:
    play, platform = a_play(PNL)
    play.wait(35 * SECOND)
    slots = [START + n * 10 * SECOND for n in (1, 2, 3)]
    assert platform.asked == [f"watch:it:{slot.isoformat()}" for slot in slots]
    assert [w.summary for w in play.whats(f.WatchSaw)] == ["it reads 0"]
    assert play.broken == []


@pytest.mark.row("X9")
def test_it_speaks_when_the_value_moved_by_more_than_the_threshold_since_it_last_spoke() -> None:
    play, platform = a_play(PNL)
    play.wait(10 * SECOND)
    for value in (400.0, 1000.0, 999.0):
        platform.value = value
        play.wait(10 * SECOND)
    assert saw(play) == ["first reading"]
    platform.value = -1000.5
    play.wait(10 * SECOND)
    assert "moved by -1,000.5 in 40 s, from 0 to -1,000.5" in saw(play)[1]
    platform.value = -1.0  # less than the threshold away from what was said last
    play.wait(10 * SECOND)
    assert len(saw(play)) == 2
    told = play.seen("watch_saw")
    assert {text.partition(":")[0] for text in told} == {"room", "risk"}
    assert "P&L: healthy. -1,000.5 (it reads -1000.5)" in told[-1]
    assert (
        "Read every 10 s; the next word comes when it turns healthy or not healthy or moves by more than 1,000"
        in (told[-1])
    )


def test_a_reading_that_does_not_matter_makes_no_fact_no_message_and_no_edit() -> None:
    play, platform = a_play(PNL)
    play.wait(15 * SECOND)
    before = len(play.facts[ID])
    panels = len(play.keys("panel.edit:"))
    play.wait(40 * SECOND)
    assert len(platform.asked) == 5
    assert len(play.facts[ID]) == before
    assert len(play.keys("panel.edit:")) == panels


@pytest.mark.row("T5")
def test_it_speaks_when_its_state_changes_and_says_what_to_do() -> None:
    play, platform = a_play(LAG)
    platform.state = "failed"
    play.wait(MINUTE)
    platform.state = "ok"
    play.wait(MINUTE)
    assert saw(play) == ["first reading", "was NOT HEALTHY since 14:31 UTC"]
    first, second = play.seen("watch_saw")
    assert "Lag under its SLA: NOT HEALTHY." in first
    assert "Restart the connector." in first
    assert "Lag under its SLA: healthy." in second
    assert "has been healthy for 2 m" in second
    assert "Lag under its SLA: it reads 0 · since 14:32 UTC" in play.panel()


@pytest.mark.row("T5")
def test_it_is_steady_once_after_an_unbroken_row_of_healthy_readings() -> None:
    play, platform = a_play(LAG)
    play.wait(MINUTE)
    platform.state = "failed"
    play.wait(30 * SECOND)
    platform.state = "ok"
    play.wait(30 * SECOND)  # healthy from 14:33:00 on
    play.wait(2 * MINUTE - SECOND)
    assert play.whats(f.WatchSteady) == []
    play.wait(SECOND)
    (steady,) = play.whats(f.WatchSteady)
    assert steady.since == START + 2 * MINUTE
    assert "is steady: healthy without a break since 14:33 UTC" in play.seen("watch_steady")[0]
    assert "steady since 14:33 UTC" in play.panel()
    play.wait(5 * MINUTE)
    assert len(play.whats(f.WatchSteady)) == 1


@pytest.mark.row("T5")
def test_time_without_readings_proves_nothing() -> None:
    play, _ = a_play(LAG)
    play.wait(MINUTE)
    play.sleep(10 * MINUTE)
    assert play.whats(f.WatchSteady) == []
    assert saw(play) == ["first reading", "it was not read for 9 m 30 s before"]
    play.wait(2 * MINUTE + 30 * SECOND)
    assert len(play.whats(f.WatchSteady)) == 1


@pytest.mark.row("T5")
def test_a_reading_that_could_not_be_taken_is_told_and_breaks_the_row() -> None:
    play, platform = a_play(LAG)
    play.wait(MINUTE)
    platform.state = "refused"
    play.wait(30 * SECOND)
    platform.state = "ok"
    play.wait(2 * MINUTE)
    assert saw(play) == ["first reading", "was healthy since 14:31 UTC", "was NOT READABLE since 14:32 UTC"]
    assert "NOT READABLE. too late" in play.seen("watch_saw")[1]
    assert play.whats(f.WatchSteady) == []
    assert play.posts("dead_letter") == []


def test_it_ends_when_the_incident_is_resolved_and_begins_anew_when_it_is_reopened() -> None:
    play, platform = a_play(LAG)
    play.wait(MINUTE)
    play.hear("incident.resolved")
    play.wait(MINUTE)
    assert len(platform.asked) == 2
    assert "Lag under its SLA" not in play.panel()
    play.hear("incident.reopened")
    assert "Lag under its SLA: read every 30 s, no reading yet" in play.panel()
    play.wait(30 * SECOND)
    assert saw(play) == ["first reading", "first reading"]
    play.wait(MINUTE)
    assert play.whats(f.WatchSteady) == []  # not before two minutes of the new row


def test_it_is_read_only_for_its_severities_and_playbooks() -> None:
    for only in ({"severities": ("P2",)}, {"playbooks": ("kafka_backlog",)}):
        play, platform = a_play(replace(LAG, **only))  # type: ignore[arg-type]
        play.wait(MINUTE)
        assert platform.asked == []
    play, platform = a_play(replace(LAG, severities=("P2",)))
    play.type("/incident severity P2 calmer")
    play.wait(30 * SECOND)
    assert len(platform.asked) == 1


def test_readings_that_are_late_expire_and_wait_in_a_row_for_each_other() -> None:
    play, platform = a_play(PNL)
    platform.state = None
    play.wait(10 * SECOND)
    reading = play.made[ID, platform.asked[0]]
    assert reading.expires == START + 20 * SECOND
    assert (reading.lane, reading.coalesce) == ("watch:it", "watch:it")
    assert reading.priority > play.made[ID, "announce"].priority


@settings(settings.get_profile("plays"))
@given(st.lists(st.sampled_from(["ok", "ok", "ok", "ok", "failed", "error"]), min_size=1, max_size=14))
def test_steady_means_that_every_reading_for_so_long_was_healthy(states: list[str]) -> None:
    play, platform = a_play(LAG)
    row, ever = 0, []
    for state in states:
        platform.state = state
        play.wait(30 * SECOND)
        row = row + 1 if state == "ok" else 0
        if row == 5:  # the first of them and two minutes after it
            ever.append(play.now)
    assert [x.at for x in play.facts[ID] if isinstance(x.what, f.WatchSteady)] == ever

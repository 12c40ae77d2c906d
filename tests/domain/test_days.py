"""What happened or comes on another UTC day names that day, whoever shows it; what is of today does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.domain import test_gates, test_watches
from tests.domain.orders import CLARA, RITA, a_toy, order, press
from tests.domain.play import ID, MINUTE, RAJ, Play, text_of

from warroom.domain import facts as f

TEN_TO_MIDNIGHT = datetime(2026, 11, 17, 23, 50, tzinfo=UTC)
DAY = timedelta(days=1)


def a_play(**more: Any) -> Play:
    """A P0 of ten minutes before midnight UTC."""
    play = Play(now=TEN_TO_MIDNIGHT, **more)
    play.type("/incident declare P0 Feed down")
    return play


def says(play: Play, typed: str) -> str:
    return text_of(play.type(typed, RITA), play.now)


def test_a_step_names_the_day_it_is_due_until_that_day_has_come() -> None:
    play = a_play()
    assert "Assign the incident commander · Technical lead · from Wed 18 Nov 2026, 00:00 UTC" in play.panel()
    assert "from Wed 18 Nov 2026, 00:00 UTC" in says(play, "/incident-status")
    play.wait(12 * MINUTE)
    assert "Assign the incident commander · Technical lead · due 00:05 UTC" in play.panel()
    assert "due by 00:05 UTC" in play.seen("step_request")[-1]
    assert "LATE, was due Tue 17 Nov 2026, 23:55 UTC" in play.panel()


def test_the_incident_and_its_entries_of_yesterday_are_of_yesterday() -> None:
    play = a_play(packs=a_toy())
    assert "- 23:50 UTC" in says(play, "/incident timeline")
    assert "since 23:50 UTC" in says(play, "/incident list")
    play.wait(15 * MINUTE)
    timeline = says(play, "/incident timeline")
    assert "- Tue 17 Nov 2026, 23:55 UTC · warroom · SLA missed: Acknowledge" in timeline
    assert "- 00:05 UTC · warroom · SLA missed: Respond" in timeline
    assert "since Tue 17 Nov 2026, 23:50 UTC" in says(play, "/incident list")
    sent = play.render(play.made[ID, "announce"]).parts[0].blocks
    assert "Tue 17 Nov 2026, 23:50 UTC (" in str(sent)


def test_a_halt_names_the_day_of_its_order_and_of_its_end() -> None:
    play = a_play(packs=a_toy())
    shown = play.type("/halt all bad prices", RITA)
    play.click("halt.confirm", shown.context["button"], RITA)
    play.wait(DAY)
    row = play.show(play.type("/halt status", RITA)).parts[0].blocks
    assert "Tue 17 Nov 2026, 23:50 UTC (" in str(row)
    play.type("/diagnostics health")
    shown = play.type("/halt resume all good again", RITA)
    play.click("action.confirm", shown.context["button"], RITA)
    press(play, "approve", CLARA)
    assert "LIFTED 23:50 UTC" in play.panel()
    play.wait(DAY)
    assert "LIFTED Wed 18 Nov 2026, 23:50 UTC" in play.panel()


def test_a_request_and_a_limit_that_end_after_midnight_say_so() -> None:
    play = a_play(packs=a_toy())
    order(play, "reduce-sizes market=FX x")
    order(play, "close-all lost")
    assert "in force until Wed 18 Nov 2026, 00:50 UTC, 1 h left" in play.panel()
    assert "since 23:50 UTC, asked by Rita, 0 of 1 given, until Wed 18 Nov 2026, 00:05 UTC" in play.panel()
    (page,) = [e for e in play.sent if e.kind == "pagerduty.page" and "approve" in str(e.data["message"])]
    assert "until Wed 18 Nov 2026, 00:05 UTC" in str(page.data["message"])
    play.wait(20 * MINUTE)
    assert "nobody else approved it within 15 m" in play.seen("approval_closed")[0]


def test_what_a_gate_and_a_watch_go_by_names_its_day() -> None:
    play = test_gates.a_play(test_gates.SIGNED)
    play.click("gate.sign:0", f"{ID}|resume|0", RAJ)
    play.now += DAY
    assert test_gates.state(play).why == "Signed off by Raj at Tue 17 Nov 2026, 14:31 UTC"
    play, platform = test_watches.a_play(test_watches.LAG)
    play.wait(MINUTE)
    platform.state = "failed"
    play.now += DAY
    play.wait(MINUTE)
    assert play.whats(f.WatchSaw)[-1].why.startswith("was healthy since Tue 17 Nov 2026, 14:31 UTC")

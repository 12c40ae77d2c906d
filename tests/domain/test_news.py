"""An update that nobody wrote: what the record knows, what nobody has done, and no news called new that is old."""

from dataclasses import replace

from tests.domain.play import ANA, ID, MINUTE, RAJ, Play, Went, a_pack, a_pack_with, succeed

from warroom.domain import facts as f
from warroom.domain.evolve import evolve
from warroom.domain.people import WARROOM
from warroom.domain.policy import Cadence
from warroom.domain.progress import MOST
from warroom.packs.bindings import Binding
from warroom.packs.loader import loaded_pack, shipped

EAFIX = loaded_pack(shipped("eafix"), Binding(services=("PSVC1",)))

QUIET = a_pack(clocks={}, steps=())
"""no step takes readings or is late"""


def an_alert(quiet: bool = False) -> Play:
    play = Play(QUIET) if quiet else Play()
    play.alert()
    return play


def automatic(play: Play, minute: float, message: str = "p0_update") -> str:
    """The newest update as it is read at `minute`."""
    return play.at(minute).seen(message)[-1]


def test_it_lists_readings_notes_milestones_and_halts_since_the_last_update() -> None:
    play = an_alert()
    play.at(6).type("/incident note venue XNYS is back")
    play.type("/incident milestone contained")
    preview = play.type("/halt all bad prices", RAJ)
    play.click("halt.confirm", preview.context["button"], RAJ)
    said = automatic(play, 15)
    for line in (
        "since 14:31 UTC, from the record:",
        "- 14:36 UTC 10 readings taken (evidence)",
        "- 14:37 UTC Ana: venue XNYS is back",
        "- 14:37 UTC Contained (Ana)",
        "- 14:37 UTC Trading halt (all): CONFIRMED by reading back",
    ):
        assert line in said
    assert "nothing new" not in said


def test_what_an_update_told_is_not_told_by_the_next_one_and_nothing_new_says_since_when() -> None:
    play = an_alert(quiet=True)
    play.at(6).type("/incident note venue XNYS is back")
    assert "venue XNYS is back" in automatic(play, 15)
    silent = automatic(play, 30)
    assert "nothing new was reported since 14:37 UTC" in silent
    assert "XNYS" not in silent


def test_without_anything_on_record_nothing_new_was_reported_since_the_beginning() -> None:
    assert "nothing new was reported since 14:31 UTC" in automatic(an_alert(quiet=True), 15)


def test_it_says_that_nobody_acknowledged_that_nobody_commands_and_what_is_late() -> None:
    play = an_alert()
    for at in (15, 30, 75):
        said = automatic(play, at)
        for line in (
            "Nobody has acknowledged it",
            "Nobody is in command",
            "LATE since 14:36 UTC: Engage the circuit breakers (Risk manager)",
        ):
            assert line in said
    play.type("/incident take")
    after = automatic(play, 90)
    assert "Ana is in command" in after
    assert "Nobody" not in after


def test_an_update_that_a_person_wrote_says_what_the_person_said_and_no_more() -> None:
    play = an_alert()
    play.at(6).type("/incident note venue XNYS is back")
    play.type("/incident update disk is full")
    said = play.seen("p0_update")[-1]
    assert "Progress: disk is full" in said
    assert "XNYS" not in said
    assert "Nobody" not in said


def test_an_estimate_says_when_it_was_given_whenever_it_is_repeated() -> None:
    play = an_alert()
    play.at(15).send("update", summary="disk full", status="identified", eta="20 minutes")
    assert "ETA: 20 minutes" in play.seen("p0_update")[-1]
    play.at(20).type("/incident update still cleaning up")
    assert "ETA (said 14:46 UTC): 20 minutes" in play.seen("p0_update")[-1]
    said = automatic(play, 35)
    assert "ETA (said 14:46 UTC): 20 minutes" in said
    assert "Last word, 14:51 UTC: still cleaning up" in said
    play.send("update", summary="nearly there", status="identified", eta="5 minutes")
    assert "ETA: 5 minutes" in play.seen("p0_update")[-1]


def test_of_many_notes_the_last_three_are_told_and_long_ones_are_cut() -> None:
    play = an_alert(quiet=True)
    for number in range(5):
        play.at(number + 1).type(f"/incident note reading {number} {'x' * 400}")
    said = automatic(play, 15)
    assert [n for n in range(5) if f"reading {n}" in said] == [2, 3, 4]
    assert "x" * 200 not in said


def test_more_news_than_fit_are_counted() -> None:
    play = an_alert(quiet=True)
    for number in range(MOST + 3):
        play.type(f"/diagnostics {list(play.packs['lav_adaf'].pack.probes)[number]}")
    said = automatic(play, 15)
    assert said.count("1 reading taken") == MOST
    assert "3 earlier ones are in the timeline" in said


def test_related_alerts_are_one_line_with_their_number() -> None:
    play = an_alert(quiet=True)
    for number in range(3):
        play.at(1).alert(id=f"PINC{number + 2}", title=f"Related {number}")
    assert "Related alert: Related 2 (and 2 more)" in automatic(play, 15)


def test_news_that_came_late_are_told_with_the_update_after_we_heard_of_them() -> None:
    play = an_alert(quiet=True)
    play.at(15)
    play.at(16).hear("incident.acknowledged", at=play.now - 2 * MINUTE)
    said = automatic(play, 30)
    assert "14:45 UTC Acknowledged after 14 m" in said
    assert "Nobody has acknowledged it" not in said


def test_each_schedule_tells_what_its_own_readers_have_not_heard() -> None:
    often = Cadence(id="often", title="Often", every=5 * MINUTE, message="p0_update", channels=("war_room",))
    seldom = Cadence(id="seldom", title="Seldom", every=15 * MINUTE, message="p1_status_update", channels=("risk",))
    play = Play(a_pack(clocks={}, steps=(), cadences=(often, seldom)))
    play.alert()
    play.at(2).type("/incident note venue XNYS is back")
    play.at(15)
    assert ["XNYS" in text for text in play.seen("p0_update")] == [True, False, False]
    assert "XNYS" in play.seen("p1_status_update")[0]


def test_the_notification_says_what_is_new_and_not_what_was_said_before() -> None:
    play = an_alert(quiet=True)
    play.at(2).type("/incident update disk is full")
    play.at(6).type("/incident note venue XNYS is back")
    play.at(17)
    shown = play.render(play.posts("p0_update")[-1]).summary
    assert "venue XNYS is back" in shown
    assert "disk is full" not in shown


def test_an_action_that_failed_meanwhile_is_told_as_it_stands() -> None:
    world = lambda e, i: Went("refused", "HTTP 403") if e.kind == "platform.act" else succeed(e, i)  # noqa: E731
    play = Play(QUIET, world=world)
    play.alert()
    preview = play.type("/halt all bad prices", RAJ)
    play.click("halt.confirm", preview.context["button"], RAJ)
    said = automatic(play, 15)
    assert "Trading halt (all): FAILED" in said
    assert "ordered, not confirmed yet" not in said


def test_an_impact_that_was_only_left_standing_is_nobodys_word() -> None:
    play = an_alert(quiet=True)
    play.at(2).type("/incident update disk is full")
    assert [u.impact for u in play.incident.updates] == [""]
    play.send("update", summary="it spreads", status="identified", impact="no orders since 14:20")
    play.type("/incident update still so")
    assert [u.impact for u in play.incident.updates] == ["", "no orders since 14:20", "no orders since 14:20"]


def test_the_resolve_form_does_not_say_what_it_cost_before_somebody_does() -> None:
    play = an_alert(quiet=True)
    form = play.click("incident.resolve", actor=ANA)
    assert form.context["values"]["impact"] == ""
    play.send("resolve", summary="fixed", impact="two missed trades", override="tests have no gates")
    assert play.click("incident.resolve", actor=ANA).context["values"]["impact"] == "two missed trades"


def test_what_nobody_has_said_of_a_declared_incident_is_not_known_yet() -> None:
    play = Play(a_pack_with(playbooks={}))
    play.type("/incident declare P0 something odd", channel="C1")
    said = play.seen("p0_initial_alert")[0]
    assert "Impact: not known yet" in said
    assert "Systems affected: not known yet" in said
    assert said.count("something odd") == 1
    assert "Alert:" not in said


def test_where_all_that_was_done_is_listed_too_nothing_is_told_twice() -> None:
    play = Play()
    play.alert(title="Slow orders", details={"degradation_pct": 60})
    play.at(3).type("/incident ack")
    said = automatic(play, 30, "p1_status_update")
    assert said.count("Acknowledged after 3 m") == 1
    again = automatic(play, 60, "p1_status_update")
    assert again.count("Acknowledged after 3 m") == 1


def test_that_nobody_acknowledged_is_not_said_once_more_as_a_late_step() -> None:
    play = Play()
    play.alert(title="Slow orders", details={"degradation_pct": 60})
    said = automatic(play, 30, "p1_status_update")
    assert "Nobody has acknowledged it" in said
    assert "Alert the on-call team" not in said


def test_the_desk_is_told_to_send_no_orders_only_while_trading_is_stopped() -> None:
    play = Play({"eafix": EAFIX})
    play.alert(title="Order execution failure: orders are stuck")
    act = f.ActionRequested(run="r", action="stop-trading", scope="all", reason="stuck", mode="live")
    sure = f.ActionSettled(run="r", action="stop-trading", scope="all", outcome="confirmed", detail="")
    lifted = f.HaltLifted(incident="INC-2026-0009", run="x", scopes=("all",), outcome="confirmed", reason="well again")
    play.type("/incident update first")
    said = [play.seen("desk_update")[-1]]
    for whats in ((act, replace(sure, outcome="unknown")), (sure,), (lifted,)):
        for what in whats:
            play.incidents[ID] = evolve(play.incident, f.Fact(at=play.now, recorded=play.now, by=WARROOM, what=what))
        play.type("/incident update more")
        said.append(play.seen("desk_update")[-1])
    before, unsure, stopped, after = said
    assert "trading is stopped" not in before
    assert "nobody knows whether trading is stopped" in unsure
    assert "trading is stopped (Trading halt (all): CONFIRMED by reading back): send no new orders until" in stopped
    assert "trading is stopped" not in after
    assert "no halt in force, resumed at" in after

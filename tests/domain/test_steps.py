"""The P0 and P1 protocols as timed steps: started, done, late and skipped at their minutes, and told so."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.domain.play import ANA, ID, MINUTE, PACK, RAJ, START, Play, Went, a_pack, succeed, text_of

from warroom.domain import facts as f
from warroom.domain import protocol
from warroom.domain.effects import Effect
from warroom.domain.evolve import evolve
from warroom.domain.fact_lines import tell
from warroom.domain.incident import Incident
from warroom.domain.people import WARROOM
from warroom.domain.policy import Do, Step
from warroom.postmortem import response

SECOND = timedelta(seconds=1)
P0 = pytest.mark.row("L2")
P1 = pytest.mark.row("L3")


def minute(n: float) -> datetime:
    return START + n * MINUTE


def deaf(*kinds: str) -> Any:
    """A world in which effects of these kinds (or keys beginning so) are never answered."""

    def world(effect: Effect, incident: Incident) -> Mapping[str, Any] | Went | None:
        return None if effect.kind in kinds or effect.key.startswith(kinds) else succeed(effect, incident)

    return world


def a_p0(*unanswered: str) -> Play:
    play = Play(world=deaf(*unanswered)) if unanswered else Play()
    play.alert()
    return play


def a_p1(*unanswered: str) -> Play:
    play = Play(world=deaf(*unanswered)) if unanswered else Play()
    play.alert(title="Slow orders", details={"degradation_pct": 60})
    assert play.incident.severity == "P1"
    return play


def pages(play: Play, of: str) -> list[object]:
    return [e.data["groups"] for e in play.sent if e.kind == "pagerduty.page" and e.key.startswith(of)]


def posts(play: Play, of: str) -> set[object]:
    return {e.data["to"] for e in play.sent if e.kind == "slack.post" and e.key.startswith(of)}


@pytest.mark.parametrize(
    ("severity", "step", "begin", "end"),
    [
        pytest.param("P0", "p0_alert", 0, 2, marks=P0),
        pytest.param("P0", "p0_circuit_breakers", 2, 5, marks=P0),
        pytest.param("P0", "p0_evidence", 5, 10, marks=P0),
        pytest.param("P0", "p0_commander", 10, 15, marks=P0),
        pytest.param("P0", "p0_executive_brief", 10, 15, marks=P0),
        pytest.param("P1", "p1_on_call", 0, 15, marks=P1),
        pytest.param("P1", "p1_impact", 15, 30, marks=P1),
        pytest.param("P1", "p1_mitigation", 30, 60, marks=P1),
        pytest.param("P1", "p1_stakeholders", 30, 60, marks=P1),
    ],
)
def test_a_step_starts_and_gets_late_at_its_minutes(severity: str, step: str, begin: int, end: int) -> None:
    unanswered = ("pagerduty.page", "platform.probes", f"step:{step}:0:tell")
    play = a_p0(*unanswered) if severity == "P0" else a_p1(*unanswered)
    if begin:
        play.wait(begin * MINUTE - SECOND)
        assert play.state(step) == "waiting"
        play.wait(SECOND)
    assert play.state(step) == "started"
    play.wait((end - begin) * MINUTE - SECOND)
    assert play.state(step) == "started"
    play.wait(SECOND)
    assert play.state(step) == "late"
    assert [w.due for w in play.whats(f.StepLate) if w.step == step] == [minute(end)]
    play.at(90)
    assert len([w for w in play.whats(f.StepLate) if w.step == step]) == 1


@P0
@pytest.mark.row("L4")
def test_a_p0_alerts_the_war_room_and_pages_on_call_risk_and_cto_at_once() -> None:
    play = a_p0()
    announcement = play.sent[0]
    assert (announcement.key, announcement.data["to"], announcement.data["broadcast"]) == (
        "announce",
        "war_room",
        "channel",
    )
    assert announcement.priority == min(e.priority for e in play.made.values())
    assert pages(play, "step:p0_alert") == [["on_call", "risk_managers", "cto"]]
    assert play.state("p0_alert") == "done"
    assert [e.at for e in play.posts("p0_initial_alert")] == [START]
    assert "PagerDuty is calling Ana" in play.seen("paged")[0]


@P0
def test_an_alert_that_pagerduty_did_not_take_escalates_after_two_minutes() -> None:
    play = a_p0("step:p0_alert")
    play.at(2)
    assert play.keys("late:p0_alert") == ["late:p0_alert:0:escalate", "late:p0_alert"]


@P0
def test_circuit_breakers_are_asked_for_at_two_and_escalate_at_five_minutes() -> None:
    play = a_p0()
    play.at(2)
    request = play.seen("step_request")[0]
    assert "Engage the circuit breakers" in request
    assert "Risk manager" in request
    assert "14:36" in request
    play.at(5)
    assert "late:p0_circuit_breakers:0:escalate" in play.keys("late:")
    assert pages(play, "late:p0_circuit_breakers") == [["risk_managers", "cto"]]
    assert posts(play, "late:p0_circuit_breakers") == {"room", "risk"}
    late = play.seen("step_late")[0]
    assert "LATE: Engage the circuit breakers" in late
    assert "the risk managers and the CTO" in late


@P0
def test_a_confirmed_halt_does_the_circuit_breakers() -> None:
    play = a_p0()
    play.at(3).send("halt", scope="all", reason="bad prices", actor=RAJ)
    assert play.state("p0_circuit_breakers") == "done"
    assert "confirmed" in play.incident.steps["p0_circuit_breakers"].note
    play.at(6)
    assert play.keys("late:p0_circuit_breakers") == []


@P0
def test_a_rehearsed_halt_does_not_and_whoever_is_to_decide_is_chased_all_the_same() -> None:
    play = a_p0()
    play.actions = "dry_run"
    play.at(3).send("halt", scope="all", reason="bad prices", actor=RAJ)
    assert play.state("p0_circuit_breakers") == "started"
    play.at(6)
    assert pages(play, "late:p0_circuit_breakers") == [["risk_managers", "cto"]]


@P0
def test_a_person_who_says_that_trading_was_stopped_must_say_how_and_the_room_reads_it() -> None:
    play = a_p0()
    play.at(3)
    blocks = play.render(play.posts("step_request")[0]).parts[0].blocks
    buttons = [e["action_id"] for b in blocks if b["type"] == "actions" for e in b["elements"]]
    assert buttons == ["halt.open", "step.skip"]
    for answer in (
        play.type("/incident step done p0_circuit_breakers", ANA),
        play.click("step.done", f"{ID}|p0_circuit_breakers", ANA),
    ):
        assert "say how trading was stopped" in text_of(answer)
    assert play.state("p0_circuit_breakers") == "started"
    play.type("/incident step done p0_circuit_breakers the desk pulled the plug", RAJ)
    assert play.state("p0_circuit_breakers") == "done"
    assert "done by hand, not read back by warroom. the desk pulled the plug" in play.seen("note")[0]
    assert play.incident.steps["p0_circuit_breakers"].note == "by Raj: the desk pulled the plug"


@P0
@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_a_halt_that_failed_or_is_unknown_leaves_the_circuit_breakers_open(outcome: str) -> None:
    play = a_p0()
    play.world = lambda e, i: {"outcome": outcome, "detail": "?"} if e.kind == "platform.act" else succeed(e, i)
    play.at(3).send("halt", scope="all", reason="bad prices", actor=RAJ)
    assert play.state("p0_circuit_breakers") == "started"
    play.at(5)
    assert play.state("p0_circuit_breakers") == "late"


@P0
def test_evidence_is_collected_by_itself_at_five_minutes() -> None:
    play = a_p0()
    play.at(5)
    probes = [e for e in play.sent if e.kind == "platform.probes"]
    assert [e.data["title"] for e in probes] == ["evidence"]
    assert "snapshot" in probes[0].data["probes"]  # type: ignore[operator]
    assert play.state("p0_evidence") == "done"


@P0
def test_evidence_that_does_not_come_back_pages_on_call() -> None:
    play = a_p0("platform.probes")
    play.at(10)
    assert pages(play, "late:p0_evidence") == [["on_call"]]


@P0
def test_a_commander_in_time_does_the_step_and_none_escalates_it() -> None:
    play = a_p0()
    play.at(7).click("incident.take")
    assert play.state("p0_commander") == "done"
    play.at(20)
    assert play.keys("late:p0_commander") == []
    nobody = a_p0()
    nobody.at(15)
    assert pages(nobody, "late:p0_commander") == [["senior_engineers", "commanders"]]
    assert posts(nobody, "late:p0_commander") == {"room", "engineering", "executive"}


@P0
def test_executives_are_briefed_at_ten_minutes() -> None:
    play = a_p0()
    play.at(10)
    assert [e.data["to"] for e in play.posts("executive_brief")] == ["executive"]
    brief = play.seen("executive_brief")[0]
    assert "P0" in brief
    assert "not assigned yet" in brief
    assert play.state("p0_executive_brief") == "done"


@P1
def test_l1_is_paged_at_once_and_the_next_levels_not_before_their_minute() -> None:
    play = a_p1()
    assert [e.data["groups"] for e in play.sent if e.kind == "pagerduty.page"] == [["first_on_call"]]
    assert play.made[ID, "announce"].data["broadcast"] == "here"
    play.at(15)
    assert "late:p1_on_call:0:escalate" in play.keys("late:")
    at_15 = [e.data["groups"] for e in play.sent if e.kind == "pagerduty.page"][1:]
    assert at_15 == [["first_on_call"], ["senior_engineers"]]
    play.at(59)
    paged = {group for e in play.sent if e.kind == "pagerduty.page" for group in e.data["groups"]}
    assert paged == {"first_on_call", "senior_engineers"}
    play.at(60)
    assert ["architects"] in [e.data["groups"] for e in play.sent if e.kind == "pagerduty.page"]
    acknowledged = a_p1()
    acknowledged.at(14).click("incident.ack")
    assert acknowledged.state("p1_on_call") == "done"
    acknowledged.at(16)
    assert acknowledged.keys("late:p1_on_call") == []


@P1
def test_stakeholders_are_told_within_the_hour() -> None:
    play = a_p1()
    play.at(30)
    assert {e.data["to"] for e in play.posts("executive_brief")} == {"risk", "executive"}
    assert play.state("p1_stakeholders") == "done"


@P1
def test_resolving_does_the_mitigation_and_starts_nothing_more() -> None:
    play = a_p1()
    play.at(20).hear("incident.resolved")
    assert play.state("p1_mitigation") == "done"
    play.at(90)
    assert play.state("p1_stakeholders") == "waiting"
    assert play.posts("executive_brief") == []


@pytest.mark.row("L2")
def test_skipping_needs_a_reason_and_is_told_with_it() -> None:
    play = a_p0()
    play.at(3)
    assert "needs a reason" in text_of(play.type("/incident step skip p0_circuit_breakers"))
    assert play.state("p0_circuit_breakers") == "started"
    play.type("/incident step skip p0_circuit_breakers positions are flat")
    assert play.state("p0_circuit_breakers") == "skipped"
    assert "positions are flat" in play.seen("step_skipped")[0]
    assert "skipped: positions are flat" in play.panel()
    play.at(6)
    assert play.keys("late:p0_circuit_breakers") == []


def test_the_skip_button_asks_for_the_reason_in_a_form_and_takes_it() -> None:
    play = a_p0()
    play.at(3)
    form = play.click("step.skip", f"{ID}|p0_circuit_breakers")
    assert (form.name, form.about) == ("step_skip", f"{ID}|p0_circuit_breakers")
    assert "reason" in play.send("step_skip", form.about, reason=" ").errors
    assert "skipped" in text_of(play.send("step_skip", form.about, reason="positions are flat"))
    assert play.state("p0_circuit_breakers") == "skipped"


def test_marking_a_step_done_twice_is_harmless() -> None:
    play = a_p1()
    play.at(20)
    assert "is done" in text_of(play.click("step.done", f"{ID}|p1_impact"))
    assert "Nothing was changed" in text_of(play.click("step.done", f"{ID}|p1_impact", RAJ))
    assert "Nothing was changed" in text_of(play.type("/incident step skip p1_impact no need"))
    assert [w.how for w in play.whats(f.StepDone) if w.step == "p1_impact"] == ["by Ana"]


def test_a_late_step_may_still_be_done_and_stays_marked_as_late() -> None:
    play = a_p0()
    play.at(6)
    assert "LATE, was due" in play.panel()
    play.type("/incident step done p0_circuit_breakers by hand", ANA)
    assert play.incident.steps["p0_circuit_breakers"].late == minute(5)
    assert "done 14:37 UTC, late (by Ana: by hand)" in play.panel()


def test_what_a_person_says_of_a_step_that_is_done_is_kept_with_it() -> None:
    play = a_p0()
    play.type("/incident step done p0_circuit_breakers the limits are tight", ANA)
    assert play.incident.steps["p0_circuit_breakers"].note == "by Ana: the limits are tight"


def test_the_panel_shows_every_step_with_owner_and_mark() -> None:
    play = a_p0()
    play.at(3)
    panel = play.panel()
    assert "Alert the war room · warroom · done" in panel
    assert "Engage the circuit breakers · Risk manager · due 14:36 UTC" in panel
    assert "Preserve the evidence · warroom · from 14:36 UTC" in panel


def test_a_late_step_of_our_own_names_warroom() -> None:
    play = a_p0("platform.probes")
    play.at(11)
    (late,) = [text for text in play.seen("step_late") if "Preserve the evidence" in text]
    assert "LATE: Preserve the evidence. warroom had until 14:41 UTC." in late.replace("**", "")
    assert "Preserve the evidence · warroom · LATE" in play.panel().replace("**", "")
    assert "Preserve the evidence · warroom · LATE" in text_of(play.type("/incident-status")).replace("**", "")


def test_a_misspelt_step_gets_the_nearest_real_ones() -> None:
    play = a_p0()
    assert "/incident step done p0_evidence" in text_of(play.type("/incident step done p0_evidense"))
    assert "Say what happened to which step" in text_of(play.type("/incident step"))


def test_raising_the_severity_counts_its_protocol_from_then() -> None:
    play = a_p1()
    play.at(10).type("/incident severity P0 worse")
    assert play.state("p0_alert") == "done"
    play.at(12)
    assert play.state("p0_circuit_breakers") == "started"
    play.at(15)
    assert [w.due for w in play.whats(f.StepLate) if w.step == "p0_circuit_breakers"] == [minute(15)]
    assert not [w for w in play.whats(f.StepLate) if w.step.startswith("p1")]


def test_after_a_downtime_overdue_steps_happen_in_order_and_once() -> None:
    play = a_p0()
    play.sleep(30 * MINUTE)
    started = [w.step for w in play.whats(f.StepStarted)]
    assert started == [
        "p0_alert",
        "p0_l1",
        "p0_circuit_breakers",
        "p0_risk",
        "p0_evidence",
        "p0_l2",
        "p0_commander",
        "p0_executive_brief",
        "p0_l3",
    ]
    assert {w.step for w in play.whats(f.StepLate)} >= {"p0_circuit_breakers", "p0_commander"}
    assert play.broken == []


def test_the_impact_is_assessed_when_somebody_tells_it_in_an_update_after_it_was_asked_for() -> None:
    play = Play()
    play.alert(title="Executioner latency", details={"critical_service_down": False}, priority="P1")
    assert play.incident.severity == "P1"
    play.at(5).type("/incident update looking into it")
    play.at(16)
    assert play.state("p1_impact") == "started"
    play.type("/incident update orders at NYSE take 4 s since 14:30")
    assert play.state("p1_impact") == "done"


# steps of warroom's own


def test_an_escalation_that_an_acknowledgement_made_needless_is_not_called_done() -> None:
    play = a_p0()
    play.at(1).type("/incident ack")
    play.at(6)
    said = "Escalate to L2, the senior engineers · warroom · not needed (acknowledged)"
    assert said in play.panel()
    assert said in play.show(play.type("/incident-status")).plain
    title = "Escalate to L2, the senior engineers"
    row = next(r for r in response.step_rows(play.incident, PACK, play.now) if r.title == title)
    assert (row.result, row.done, row.by, row.ok) == ("not needed (acknowledged)", None, "", None)
    told = [tell(fact, PACK) for fact in play.facts[ID]]
    assert f"Step not needed: {title} (acknowledged)" in told


def test_an_escalation_that_went_out_is_done_whoever_acknowledges_later() -> None:
    play = a_p0()
    play.at(6).type("/incident ack")
    assert "Escalate to L2, the senior engineers · warroom · done 14:36 UTC (sent)" in play.panel()


def test_a_step_that_people_had_done_before_it_began_is_done() -> None:
    play = a_p0()
    play.at(1).type("/diagnostics evidence")
    assert "Preserve the evidence · warroom · done 14:32 UTC (readings collected)" in play.panel()
    play.type("/incident take")
    assert "Assign the incident commander · Technical lead · done 14:32 UTC (commander assigned)" in play.panel()


@pytest.mark.parametrize("of", [a_p0, a_p1])
def test_nobody_is_asked_for_what_warroom_does_by_itself(of: Any) -> None:
    play = of("platform.probes", "pagerduty.page")
    play.at(61)
    own = {step.id for step in protocol.steps(play.incident, PACK) if step.owner == "system"}
    assert own
    assert not [e for e in play.posts("step_request") if str(e.data["button"]).partition("|")[2] in own]


def test_when_it_is_late_it_says_what_to_do_by_hand() -> None:
    play = a_p0("platform.probes")
    play.at(10)
    late = next(text for text in play.seen("step_late") if "Preserve the evidence" in text)
    assert "Take the snapshot by hand (/diagnostics evidence tries again)" in late


def test_where_the_pack_does_not_say_what_to_do_by_hand_it_follows_from_what_the_step_does() -> None:
    does = (
        Do(kind="page", groups=("senior_engineers",)),
        Do(kind="probes", probes="evidence"),
        Do(kind="tell", message="technical_escalation", channels=("engineering",)),
        Do(kind="act", action="halt-all"),
    )
    own = Step(id="own", title="Do it", owner="system", start=timedelta(), end=MINUTE, does=does)
    step = replace(own, done_on=("acknowledged",))
    play = Play(a_pack(steps=(step,), clocks={}), world=deaf("pagerduty.page"))
    play.alert()
    (late,) = play.at(1).seen("step_late")
    for words in (
        "Nobody has acknowledged it.",
        "Call the senior engineers yourselves; /incident contacts has the numbers.",
        "Take the readings by hand: /diagnostics evidence",
        "Tell #lav-adaf-engineering yourselves.",
        "Order it yourselves: /halt all REASON",
    ):
        assert words in late


def test_after_a_downtime_nobody_is_called_for_what_warroom_is_about_to_do() -> None:
    play = a_p0()
    play.sleep(30 * MINUTE)
    assert play.state("p0_evidence") == "done"
    assert not [w for w in play.whats(f.StepLate) if w.step == "p0_evidence"]
    silent = a_p0("platform.probes")
    silent.sleep(30 * MINUTE)
    silent.wait(MINUTE)
    assert [w.due for w in silent.whats(f.StepLate) if w.step == "p0_evidence"] == [minute(10)]


def halt(play: Play) -> None:
    shown = play.type("/halt all bad prices", RAJ)
    play.click("halt.confirm", shown.context["button"], RAJ)


def test_risk_is_asked_whether_trading_stops_only_while_that_is_open() -> None:
    asked = a_p0().at(2).seen("risk_escalation")[0]
    assert "does trading stop?" in asked
    halted = a_p0()
    halt(halted.at(1))
    said = halted.at(2).seen("risk_escalation")[0]
    assert "does trading stop?" not in said
    assert "trading is halted" in said
    assert "[Halt trading]" not in said


def test_risk_reads_that_trading_was_halted_and_goes_on() -> None:
    play = a_p0()
    halt(play.at(1))
    lifted = f.HaltLifted(incident="INC-2026-0009", run="r", scopes=("all",), outcome="confirmed", reason="well again")
    play.incidents[ID] = evolve(play.incident, f.Fact(at=play.now, recorded=play.now, by=WARROOM, what=lifted))
    said = play.at(2).seen("risk_escalation")[0]
    assert "trading was halted, and goes on" in said
    assert "does trading stop?" not in said


def test_risk_reads_that_nobody_knows_whether_trading_is_halted() -> None:
    def world(effect: Effect, incident: Incident) -> Mapping[str, Any] | Went | None:
        unsure = {"outcome": "unknown", "detail": "no answer"}
        return unsure if effect.kind == "platform.act" else succeed(effect, incident)

    play = Play(world=world)
    play.alert()
    halt(play.at(1))
    assert "nobody knows whether trading is halted" in play.at(2).seen("risk_escalation")[0]


def test_that_nobody_has_acknowledged_is_said_whatever_readings_there_are() -> None:
    play = a_p0()
    play.at(1).type("/diagnostics health")
    play.at(6)
    for text in (play.seen("technical_escalation")[-1], play.seen("p0_initial_alert")[0]):
        assert "readings taken" in text
        assert re.search("Nobody ha[sd] acknowledged it", text)
    play.type("/incident ack")
    assert "Nobody has acknowledged it yet" not in play.seen("p0_initial_alert")[0]

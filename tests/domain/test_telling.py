"""Who is told what, when and by which ways; what waits for approval; phone calls as tasks."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.play import ID, MINUTE, PACK, RAJ, START, Play, Went, a_pack, succeed, text_of

from warroom.domain import facts as f
from warroom.domain import inputs
from warroom.domain.decision import LoadedPack
from warroom.domain.effects import FieldErrors, Form
from warroom.domain.policy import Cadence, Communication, Contact, Do, Step, When
from warroom.domain.procedures import Audience, Call
from warroom.domain.telling import ways

DESK = Audience(title="Trading desk", channels=("war_room", "risk"), mail=("risk_managers",))
MANAGEMENT = Audience(title="Management", channels=("executive",), mail=("executives", "risk_managers"), pagerduty=True)
WORLD = Audience(title="Everybody", status_page=True, wiki=True)
CUSTOMERS = Audience(
    title="Customers", mail=("architects",), status_page=True, external=True, approvers=("compliance",)
)
AUDIENCES = {"desk": DESK, "management": MANAGEMENT, "world": WORLD, "customers": CUSTOMERS}
OLGA = replace(RAJ, slack_id="U0OLGA", name="Olga", groups=frozenset({"compliance"}))
HOUR = timedelta(hours=1)


def packs(audiences: dict[str, Audience] = AUDIENCES, **changes: Any) -> dict[str, LoadedPack]:
    """lav_adaf whose P0 has nothing but the given parts, with our audiences."""
    bare: dict[str, Any] = {"steps": (), "cadences": (), "communications": (), "clocks": {}}
    made = a_pack(**bare | changes)["lav_adaf"]
    contacts = (
        Contact(title="Trading desk", phone="desk_phone", note="Ask for the head of desk."),
        Contact(title="Risk manager", phone="risk_phone"),
        Contact(title="Nobody", note="no phone"),
    )
    numbers = {"desk_phone": "+1 202 555 0101", "risk_phone": "+1 202 555 0102"}
    pack = replace(made.pack, audiences=audiences, contacts=contacts)
    return {"lav_adaf": replace(made, pack=pack, contacts=numbers)}


def a_play(**changes: Any) -> Play:
    play = Play(packs=packs(**changes))
    play.alert()
    return play


def told(id: str = "c", **changes: Any) -> Communication:
    return Communication(**{"id": id, "at": "declared", "message": "incident_announcement"} | changes)


# the ways


def test_each_channel_and_each_group_is_reached_once_and_in_order() -> None:
    found = ways(packs()["lav_adaf"].pack, "k", ("war_room", "room"), ("desk", "management", "world"))
    assert [(w.key, w.groups) for w in found] == [
        ("k:war_room", ()),
        ("k:room", ()),
        ("k:risk", ()),
        ("k:executive", ()),
        ("k:@mail:desk", ("risk_managers",)),
        ("k:@mail:management", ("executives",)),
        ("k:@pagerduty", ()),
        ("k:@status_page", ()),
        ("k:@wiki", ()),
    ]


def test_a_communication_goes_out_by_every_means_of_its_audiences() -> None:
    play = a_play(communications=(told(audiences=("desk", "management", "world")),))
    assert {(e.key, e.kind) for e in play.sent if e.key.startswith("comm:")} == {
        ("comm:c:1:war_room", "slack.post"),
        ("comm:c:1:risk", "slack.post"),
        ("comm:c:1:executive", "slack.post"),
        ("comm:c:1:@mail:desk", "mail.send"),
        ("comm:c:1:@mail:management", "mail.send"),
        ("comm:c:1:@pagerduty", "pagerduty.update"),
        ("comm:c:1:@status_page", "status_page.post"),
        ("comm:c:1:@wiki", "wiki.page"),
    }
    assert play.broken == []


@pytest.mark.row("E9")
def test_a_cadence_reaches_its_audiences_every_time() -> None:
    cadence = Cadence(id="u", title="Update", every=30 * MINUTE, message="status_update", audiences=("desk",))
    play = a_play(cadences=(cadence,))
    play.at(61)
    assert play.keys("update:") == [f"update:{n}:{to}" for n in (1, 2) for to in ("war_room", "risk", "@mail:desk")]
    assert not any(e.data["to"] == "room" for e in play.posts("status_update"))


def test_a_step_that_tells_an_audience_is_done_when_all_of_it_went_out() -> None:
    step = Step(
        id="brief",
        title="Brief the desk",
        owner="system",
        start=timedelta(),
        end=5 * MINUTE,
        does=(Do(kind="tell", message="step_late", audiences=("desk", "customers")),),
        done_on=("effects",),
    )
    held = {"step:brief:0:tell:@mail:desk"}
    play = Play(packs=packs(steps=(step,)), world=lambda e, i: None if e.key in held else succeed(e, i))
    play.alert()
    assert play.state("brief") == "started"
    assert play.keys("step:brief:0:tell") == ["step:brief:0:tell:war_room", "step:brief:0:tell:risk"]
    assert [a.request.subject for a in play.incident.approvals] == ["step:brief:0:tell:customers"]
    play.at(5)
    assert play.state("brief") == "late"


def test_what_a_step_told_before_the_room_existed_links_it_and_stays_as_it_was() -> None:
    play = Play(world=lambda e, i: None if e.kind == "slack.room" else succeed(e, i))
    play.alert()
    (post,) = play.posts("technical_escalation")
    before = play.render(post).plain
    made = {"channel": "CROOM", "name": "inc-2026-0001-down"}
    play.give(inputs.EffectResult(incident=ID, key="room", kind="slack.room", outcome="done", result=made))
    edit = play.made[ID, f"room.edit:{post.key}"]
    assert edit in play.sent
    assert play.render(edit).plain == before.replace(ID + " ·", ID + " · join #CROOM ·")
    assert "join" not in before


# the moment


def test_a_communication_after_a_while_waits_for_its_moment() -> None:
    play = a_play(communications=(told(after=5 * MINUTE, channels=("war_room",)),))
    play.wait(5 * MINUTE - timedelta(seconds=1))
    assert play.keys("comm:") == []
    play.wait(timedelta(seconds=1))
    assert play.keys("comm:") == ["comm:c:1:war_room"]


@pytest.mark.row("E12")
def test_the_next_business_day_begins_when_the_office_opens() -> None:
    play = a_play(communications=(told(hours="next_business_day", channels=("war_room",)),))
    morning = PACK.sessions.business.next_day(START)
    assert (morning - START) > 12 * HOUR
    play.wait(morning - START - timedelta(seconds=1))
    assert play.keys("comm:") == []
    play.wait(timedelta(seconds=1))
    assert play.keys("comm:") == ["comm:c:1:war_room"]


@pytest.mark.row("E11")
def test_an_hour_after_the_resolution_the_desk_gets_its_summary_by_mail() -> None:
    summary = told(at="resolved", after=HOUR, message="resolution_notice", audiences=("desk",))
    play = a_play(communications=(summary,))
    play.at(10)
    play.hear("incident.resolved")
    play.at(69)
    assert play.keys("comm:") == []
    play.at(70)
    assert "comm:c:1:@mail:desk" in play.keys("comm:")


def test_what_was_withdrawn_before_its_moment_is_not_told_and_told_when_it_holds_again() -> None:
    play = a_play(communications=(told(at="resolved", after=HOUR, channels=("war_room",)),))
    play.at(10)
    play.hear("incident.resolved")
    play.at(20)
    play.hear("incident.reopened")
    play.at(120)
    assert play.keys("comm:") == []
    play.hear("incident.resolved")
    play.at(180)
    assert play.keys("comm:") == ["comm:c:2:war_room"]


def test_a_reopening_is_told_to_every_channel_that_read_of_the_end_once_and_to_no_other() -> None:
    ends = (
        told("a", at="resolved", channels=("war_room", "room"), audiences=("desk", "world")),
        told("b", at="resolved", audiences=("desk",)),
        told("c", at="resolved", after=30 * MINUTE, audiences=("management",)),
    )
    play = a_play(communications=ends)
    play.at(10).hear("incident.resolved")
    play.at(20).hear("incident.reopened")
    assert sorted(str(e.data["to"]) for e in play.posts("reopened")) == ["risk", "room", "war_room"]
    play.at(30).hear("incident.resolved")
    play.at(61).hear("incident.reopened")
    second = sorted(str(e.data["to"]) for e in play.posts("reopened"))
    assert second == sorted(["risk", "room", "war_room"] * 2 + ["executive"])
    assert play.broken == []


def test_a_communication_for_the_market_or_for_a_condition_is_only_told_then() -> None:
    play = a_play(
        communications=(
            told("open", market="open", channels=("risk",)),
            told("closed", market="closed", channels=("risk",)),
            told("fits", when=(When(field="title", matches="sentinel"),), channels=("risk",)),
            told("other", when=(When(field="title", matches="broker"),), channels=("risk",)),
        )
    )
    assert play.keys("comm:") == ["comm:fits:1:risk", "comm:open:1:risk"]


@pytest.mark.row("E12")
def test_a_raise_tells_those_of_the_graver_severity_and_a_lowering_tells_nobody_again() -> None:
    play = Play(packs=packs(communications=(told(channels=("executive",)),)))
    play.alert(title="Slow orders", details={"degradation_pct": 60})
    assert play.incident.severity == "P1"
    play.at(10)
    assert play.keys("comm:") == []
    play.type("/incident severity P0 it is worse")
    assert play.keys("comm:") == ["comm:c:1:executive"]
    play.type("/incident severity P1 better")
    play.type("/incident severity P0 worse again")
    assert play.keys("comm:") == ["comm:c:1:executive"]


@settings(settings.get_profile("plays"))
@given(
    after=st.lists(st.integers(0, 90), min_size=1, max_size=4),
    news=st.lists(st.tuples(st.sampled_from(["resolved", "reopened", "acknowledged"]), st.integers(1, 40)), max_size=6),
    downtimes=st.lists(st.integers(1, 120), max_size=3),
)
def test_every_communication_is_told_once_a_turn_whatever_wakes_us(
    after: list[int], news: list[tuple[str, int]], downtimes: list[int]
) -> None:
    play = a_play(
        communications=tuple(
            told(f"c{n}-{at}", at=at, after=minutes * MINUTE, channels=("war_room",))
            for n, minutes in enumerate(after)
            for at in ("declared", "resolved")
        )
    )
    for n, (what, minutes) in enumerate(news):
        if n < len(downtimes):
            play.sleep(timedelta(minutes=downtimes[n]))
        play.wait(minutes * MINUTE)
        play.hear(f"incident.{what}")
    play.wait(3 * HOUR)
    said = play.whats(f.CommunicationDue)
    assert len(said) == len({(x.communication, x.turn) for x in said})
    for n in range(len(after)):
        assert (f"c{n}-declared", 1) in {(x.communication, x.turn) for x in said}
    if not play.incident.is_open:
        turn = max(x.turn for x in said if x.communication.endswith("resolved"))
        assert {(f"c{n}-resolved", turn) for n in range(len(after))} <= {(x.communication, x.turn) for x in said}
    else:
        assert all(at > play.now for at in play.timers[ID].values())
    assert play.broken == []


# external audiences


def a_message() -> Play:
    """The customers are told at once, and again of each update, if somebody approves."""
    cadence = Cadence(id="u", title="Update", every=30 * MINUTE, message="status_update", audiences=("customers",))
    return a_play(communications=(told(audiences=("customers", "desk")),), cadences=(cadence,))


def the_run(play: Play) -> str:
    return play.incident.approvals[-1].request.run


def to_customers(play: Play) -> list[str]:
    return [e.key for e in play.sent if e.kind in ("mail.send", "status_page.post") and "desk" not in e.key]


@pytest.mark.row("P13")
def test_nothing_goes_outside_before_it_is_approved_and_the_room_reads_the_exact_text() -> None:
    play = a_message()
    assert "comm:c:1:@mail:desk" in play.keys("comm:")
    assert to_customers(play) == []
    (asked,) = [a.request for a in play.incident.approvals]
    assert (asked.kind, asked.subject, asked.approvers) == ("message", "c:1:customers", ("compliance",))
    (shown,) = play.seen("message_approval")
    for words in (
        "Message to Customers (now that it is declared) waits for the approval of",
        "It goes out by e-mail and the public status page and cannot be taken back.",
        "Exactly this goes out",
        "Market regime feed down",
        "Nothing has been sent yet.",
    ):
        assert words in shown
    assert [e.data["groups"] for e in play.sent if e.key == f"approvers:{asked.run}"] == [["compliance"]]

    play.click("approval.approve", f"{ID}|{asked.run}", OLGA)
    assert to_customers(play) == ["comm:c:1:@mail:customers", "comm:c:1:@status_page"]
    (mail,) = [e for e in play.sent if e.kind == "mail.send" and e.data["hidden"]]
    sent = play.render(mail).plain
    text = "\n".join(line.strip() for line in shown.splitlines())
    assert all(line.strip() in text for line in sent.splitlines())
    assert "was approved by" in play.seen("message_approved")[0]


@pytest.mark.row("P13")
def test_what_was_approved_goes_out_as_it_was_read_even_if_the_incident_has_moved_on() -> None:
    play = a_message()
    run = the_run(play)
    play.type("/incident severity P1 it is less than feared")
    play.click("approval.approve", f"{ID}|{run}", OLGA)
    (mail,) = [e for e in play.sent if e.kind == "mail.send" and e.data["hidden"]]
    assert play.render(mail).summary.startswith("P0")


@pytest.mark.row("P13")
def test_a_message_that_is_rejected_is_not_sent_and_the_room_reads_why() -> None:
    play = a_message()
    run = the_run(play)
    assert isinstance(play.click("approval.reject", f"{ID}|{run}", OLGA), Form)
    play.send("approval_reject", f"{ID}|{run}", OLGA, reason="names a venue")
    assert "rejected it. names a venue" in play.seen("message_closed")[0]
    assert play.incident.approvals[0].state == "rejected"
    play.click("approval.approve", f"{ID}|{run}", OLGA)
    play.at(20)
    assert to_customers(play) == []


def test_only_its_approvers_approve_a_message_and_nobody_their_own_update() -> None:
    play = a_message()
    play.click("approval.approve", f"{ID}|{the_run(play)}", RAJ)
    assert to_customers(play) == []
    play.now += MINUTE
    play.send("update", status="identified", summary="We know why.", actor=OLGA)
    play.click("approval.approve", f"{ID}|{the_run(play)}", OLGA)
    assert to_customers(play) == []
    other = replace(OLGA, slack_id="U0OMAR", name="Omar")
    play.click("approval.approve", f"{ID}|{the_run(play)}", other)
    assert to_customers(play) == ["update:1:@mail:customers", "update:1:@status_page"]


def test_a_newer_text_for_the_same_audience_voids_the_one_that_waits() -> None:
    play = a_message()
    first = the_run(play)
    play.at(30)
    states = {a.request.subject: a.state for a in play.incident.approvals}
    assert states == {"c:1:customers": "void", "update:1:customers": "pending"}
    play.click("approval.approve", f"{ID}|{first}", OLGA)
    assert to_customers(play) == []
    assert "a newer message to the same audience" in play.seen("message_closed")[0]


def test_a_text_that_nobody_approves_in_time_is_not_sent_any_more() -> None:
    play = a_play(communications=(told(audiences=("customers",)),))
    play.wait(5 * HOUR)
    assert play.incident.approvals[0].state == "expired"
    assert "nobody approved it in time" in play.seen("message_closed")[0]
    assert play.broken == []


# what does not get through


def test_a_way_that_is_not_set_up_is_said_once_and_the_others_go_on() -> None:
    def world(effect: Any, incident: Any) -> Any:
        return Went("refused", "set WARROOM_SMTP_URL") if effect.kind == "mail.send" else succeed(effect, incident)

    play = Play(
        packs=packs(communications=(told("a", audiences=("desk",)), told("b", audiences=("management",)))), world=world
    )
    play.alert()
    (said,) = play.seen("dead_letter")
    assert "This was not done: sending an e-mail" in said
    assert "set WARROOM_SMTP_URL" in said
    assert "comm:b:1:executive" in play.keys("comm:")


def test_a_mail_server_that_is_away_is_told_once() -> None:
    held = ("mail.send",)
    play = Play(
        packs=packs(communications=(told("a", audiences=("desk",)), told("b", audiences=("management",)))),
        world=lambda e, i: None if e.kind in held else succeed(e, i),
    )
    play.alert()
    for key in ("comm:a:1:@mail:desk", "comm:b:1:@mail:management"):
        play.give(inputs.EffectResult(incident=ID, key=key, kind="mail.send", outcome="delayed", error="It broke off."))
    (said,) = play.seen("outlet_away")
    assert "This takes long: sending an e-mail. It broke off." in said


def test_people_whom_a_mail_did_not_reach_are_named() -> None:
    def world(effect: Any, incident: Any) -> Any:
        if effect.kind == "mail.send":
            return {"sent": 1, "missing": ["raj@firm.example was not accepted: 550 no such user"]}
        return succeed(effect, incident)

    play = Play(packs=packs(communications=(told(audiences=("desk",)),)), world=world)
    play.alert()
    (said,) = play.seen("mail_missing")
    assert "raj@firm.example was not accepted" in said


# phone calls

CALL = Step(
    id="call_desk",
    title="Phone the trading desk",
    owner="commander",
    start=timedelta(),
    end=5 * MINUTE,
    ask="Read the script.",
    call=Call(whom="Trading desk"),
)


def a_call() -> Play:
    return a_play(steps=(CALL,))


@pytest.mark.row("X10")
def test_a_call_is_a_task_with_number_and_script_filled_in() -> None:
    play = a_call()
    (task,) = play.seen("call_request")
    for words in (
        "Phone the trading desk (Incident commander), due by",
        "Call: Trading desk, +1 202 555 0101",
        "Ask for the head of desk.",
        "This is [your name] from Platform Engineering. We have a P0 incident affecting",
        "Trading impact: The market regime is not being updated",
        "Current status: investigating",
        "Estimated resolution: not known yet",
        "Actions needed from the trading desk:",
    ):
        assert words in task
    assert play.posts("step_request") == []


@pytest.mark.row("X10")
def test_a_call_that_was_made_says_with_whom() -> None:
    play = a_call()
    form = play.click("call.done", f"{ID}|call_desk")
    assert isinstance(form, Form)
    assert form.context["values"] == {"person": "Trading desk", "note": ""}
    assert isinstance(play.send("call_done", form.about, person=" "), FieldErrors)
    play.send("call_done", form.about, person="Dana", note="they stop new orders")
    assert play.incident.steps["call_desk"].note == "called, spoke to Dana: they stop new orders"
    assert "is done" in text_of(play.click("call.done", f"{ID}|call_desk"))
    play.at(10)
    assert play.posts("step_late") == []


def test_the_owner_is_reminded_with_the_number_and_a_plain_done_asks_with_whom() -> None:
    play = a_play(steps=(replace(CALL, remind_before=2 * MINUTE),))
    play.at(3)
    (reminder,) = play.seen("step_reminder")
    assert "Call: Trading desk, +1 202 555 0101" in reminder
    form = play.click("step.done", f"{ID}|call_desk")
    assert isinstance(form, Form)
    assert form.name == "call_done"


@pytest.mark.row("X10")
def test_somebody_who_cannot_be_reached_is_noted_and_the_next_one_named() -> None:
    play = a_call()
    assert isinstance(play.click("call.failed", f"{ID}|call_desk"), Form)
    assert isinstance(play.send("call_failed", f"{ID}|call_desk", note=""), FieldErrors)
    play.send("call_failed", f"{ID}|call_desk", note="no answer")
    assert [n.what.text for n in play.incident.notes] == ["Could not reach Trading desk by phone: no answer"]  # type: ignore[union-attr]
    assert play.state("call_desk") == "started"
    task = play.seen("call_request")[-1]
    assert "They could not be reached. Call the next one: Risk manager, +1 202 555 0102" in task
    play.send("call_failed", f"{ID}|call_desk", note="engaged")
    assert "Call the next one: Trading desk" in play.seen("call_request")[-1]


def test_a_call_marked_by_hand_says_with_whom_or_is_asked_for_it() -> None:
    play = a_call()
    form = play.type("/incident step done call_desk")
    assert isinstance(form, Form)
    assert form.name == "call_done"
    assert play.state("call_desk") == "started"
    assert "is done" in text_of(play.type("/incident step done call_desk Dana on the desk"))
    assert play.incident.steps["call_desk"].note == "called, spoke to Dana on the desk"
    assert "is done (14:31 UTC). Nothing was changed." in text_of(play.type("/incident step done call_desk"))


@pytest.mark.row("X10")
def test_a_call_that_is_late_names_owner_and_number_again() -> None:
    play = a_call()
    play.type("/incident take")
    play.at(5)
    (late,) = play.seen("step_late")
    assert "LATE: Phone the trading desk." in late
    assert "Incident commander" in late
    assert "Call: Trading desk, +1 202 555 0101" in late


def test_the_caller_and_what_the_desk_must_do_come_from_what_is_known() -> None:
    play = Play(packs=packs(steps=(replace(CALL, start=2 * MINUTE),)))
    play.alert()
    play.type("/incident take")
    play.send("update", status="identified", summary="s", next_steps="Hold new orders\nCancel quotes", eta="15:30 UTC")
    play.at(2)
    (task,) = play.seen("call_request")
    assert "This is Ana from Platform Engineering" in task
    assert "Current status: identified" in task
    assert "Estimated resolution: 15:30 UTC" in task
    assert "- Hold new orders" in task

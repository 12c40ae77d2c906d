"""Approvals: others, each once, in time, for exactly what was shown; never sent without enough of them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.orders import (
    ACTIONS,
    CLARA,
    IVY,
    RITA,
    SAM,
    a_play,
    a_toy,
    acts,
    an_action,
    ends,
    order,
    press,
    run_of,
)
from tests.domain.play import ANA, ID, Play, succeed, text_of

from warroom.domain import approvals
from warroom.domain import facts as f
from warroom.domain.effects import FieldErrors, Form
from warroom.domain.people import Actor
from warroom.engine.lanes import Hopeless, Pending, obstacle

pytestmark = pytest.mark.row("S2")


def states(play: Play) -> list[str]:
    return [a.state for a in play.incident.approvals]


def test_what_is_extreme_lifts_a_halt_or_is_a_last_resort_takes_two_people_whatever_the_pack_says() -> None:
    pack = a_toy()["lav_adaf"].pack
    needed = {name: approvals.needed(pack, name) for name in ACTIONS}
    assert needed == {
        "reduce-sizes": 0,
        "restore-sizes": 0,
        "disable-venue": 0,
        "close-all": 1,
        "two-more": 2,
        "gated": 0,
        "purge": 1,
        "halt-all": 0,
        "resume-all": 1,
    }
    assert approvals.approvers(pack, "purge") == ("risk_managers",)


def test_an_extreme_action_waits_for_another_person_and_goes_out_once_when_they_approve() -> None:
    play = a_play()
    assert "waits for one other person (the risk managers and the CTO) to approve within 15 m" in order(
        play, "close-all lost"
    )
    assert acts(play) == []
    (request,) = play.seen("approval_request")
    for part in ("Approval needed", "Close all positions", "Rita", "lost", "POST executioner/api/close", "14:46"):
        assert part in request.replace("**", "").replace("U0RITA", "Rita")
    assert "waits for approval since 14:31 UTC, asked by Rita, 0 of 1 given, until 14:46 UTC" in play.panel()
    assert "it goes out now" in press(play, "approve", CLARA)
    (act,) = acts(play)
    assert (act.data["operator"], act.data["reason"]) == ("Rita", "lost")
    assert "approved by" in play.seen("action_settled")[0].replace("**", "")
    assert "it is sent once" in press(play, "approve", IVY)
    assert len(acts(play)) == 1
    assert "waits for approval" not in play.panel()


def test_approvers_are_brought_in_mentioned_and_paged_where_it_is_extreme() -> None:
    play = a_play()
    order(play, "close-all lost")
    run = run_of(play)
    assert play.made[ID, f"approvers:{run}"].data["groups"] == ["risk_managers", "cto"]
    assert play.made[ID, f"approval:{run}:page"].data["groups"] == ["risk_managers", "cto"]
    assert play.made[ID, f"approval:{run}:call"].data["thread"] == f"approval:{run}"
    assert "your approval of" in play.seen("approval_call")[0]
    order(play, "purge old")
    assert (ID, f"approval:{run_of(play)}:page") not in play.made


def test_the_request_is_edited_in_place_as_it_moves_on() -> None:
    play = a_play()
    order(play, "two-more lost")
    post = play.made[ID, f"approval:{run_of(play)}"]
    assert "[" not in str(play.render(post).summary)
    press(play, "approve", IVY)
    assert "1 of 2 still missing" in play.render(post).plain.replace("**", "")
    press(play, "approve", CLARA)
    assert "Approved: Rebuild the books" in play.render(post).plain.replace("**", "")
    assert len(play.keys("approval.edit:")) == 2
    assert "approval.approve" not in str(play.render(post).parts)


@pytest.mark.parametrize(
    ("who", "says"),
    [
        (RITA, "You asked for “Close all positions”, so somebody else must approve it."),
        (SAM, "Only the risk managers and the CTO may do it"),
        (ANA, "Only the risk managers and the CTO may do it"),
    ],
)
def test_neither_the_requester_nor_a_stranger_approves_and_the_attempt_is_a_fact(who: Actor, says: str) -> None:
    play = a_play()
    order(play, "close-all lost")
    assert says in press(play, "approve", who)
    assert len(play.whats(f.Denied)) == 1
    assert acts(play) == []
    assert states(play) == ["pending"]


def test_somebody_who_cannot_be_looked_up_does_not_approve() -> None:
    play = a_play()
    order(play, "close-all lost")
    nobody = Actor("U0CLARA", "Clara", verified=False)
    assert "could not be asked who you are" in press(play, "approve", nobody)
    assert acts(play) == []


def test_somebody_listed_by_slack_id_approves_while_slack_cannot_be_asked() -> None:
    play = a_play()
    order(play, "close-all lost")
    listed = Actor("U0CLARA", "Clara", groups=frozenset({"cto"}), verified=False)
    assert "it goes out now" in press(play, "approve", listed)
    assert len(acts(play)) == 1


def test_a_pack_that_sends_something_else_by_now_makes_the_request_void() -> None:
    play = a_play()
    order(play, "close-all lost")
    play.packs = a_toy(close_all=an_action("Liquidate", "extreme", approvers=("risk_managers", "cto")))
    assert "is no longer what was shown" in press(play, "approve", CLARA)
    assert acts(play) == []


def test_each_person_counts_once() -> None:
    play = a_play()
    order(play, "two-more lost")
    assert "1 more must" in press(play, "approve", IVY)
    assert "You have approved “Rebuild the books” already; 1 more must, other than you." in press(play, "approve", IVY)
    assert acts(play) == []
    press(play, "approve", CLARA)
    assert len(acts(play)) == 1


def test_a_request_expires_is_told_and_cannot_be_approved_any_more() -> None:
    play = a_play()
    order(play, "close-all lost")
    play.at(14.99)
    assert states(play) == ["pending"]
    play.at(15)
    assert states(play) == ["expired"]
    assert "Close all positions: expired, nothing was sent" in play.seen("approval_closed")[0].replace("**", "")
    assert "has expired; nothing was sent" in press(play, "approve", CLARA)
    assert acts(play) == []


def test_at_the_very_moment_it_expires_it_cannot_be_approved_even_before_the_timer_fires() -> None:
    play = a_play()
    order(play, "close-all lost")
    play.now += timedelta(minutes=15)
    assert "has expired" in press(play, "approve", CLARA)
    assert states(play) == ["expired"]
    assert acts(play) == []


def test_rejecting_takes_a_reason_which_is_told() -> None:
    play = a_play()
    order(play, "close-all lost")
    run = run_of(play)
    form = play.click("approval.reject", f"{ID}|{run}", CLARA)
    assert isinstance(form, Form)
    assert (form.name, form.about) == ("approval_reject", f"{ID}|{run}")
    assert isinstance(play.send("approval_reject", form.about, CLARA, reason=" "), FieldErrors)
    play.send("approval_reject", form.about, CLARA, reason="hedge first")
    assert states(play) == ["rejected"]
    told = play.seen("approval_closed")[0]
    assert "hedge first" in told
    assert "rejected by" in told
    assert "was rejected; nothing was sent (hedge first)" in press(play, "approve", IVY)
    assert "was rejected" in text_of(play.send("approval_reject", form.about, IVY, reason="again"))
    assert acts(play) == []


def test_the_requester_may_withdraw_and_a_stranger_may_not_reject() -> None:
    play = a_play()
    order(play, "close-all lost")
    about = f"{ID}|{run_of(play)}"
    assert "denied" in text_of(play.click("approval.reject", about, SAM))
    assert "denied" in text_of(play.send("approval_reject", about, SAM, reason="no"))
    play.send("approval_reject", about, RITA, reason="not needed any more")
    assert states(play) == ["rejected"]


def test_a_newer_request_by_the_same_person_voids_the_older_one_and_tells_so() -> None:
    play = a_play()
    order(play, "close-all lost")
    order(play, "close-all lost more")
    order(play, "close-all mine", IVY)
    assert states(play) == ["void", "pending", "pending"]
    assert "Close all positions: void" in play.seen("approval_closed")[0].replace("**", "")
    assert "is void; nothing was sent" in press(play, "approve", CLARA, run_of(play, 0))
    press(play, "approve", CLARA, run_of(play, 1))
    assert [a.data["reason"] for a in acts(play)] == ["lost more"]


def test_what_changed_since_it_was_asked_for_is_void_and_not_sent() -> None:
    play = a_play()
    order(play, "two-more lost")
    press(play, "approve", IVY)
    play.type("/incident set market EQ", ANA)
    said = press(play, "approve", CLARA)
    assert "was not sent: what would be sent is no longer what was shown" in said
    assert states(play) == ["void"]
    assert acts(play) == []


def test_a_request_made_as_a_rehearsal_is_never_sent_for_real() -> None:
    play = a_play("dry_run")
    order(play, "close-all lost")
    play.actions = "live"
    press(play, "approve", CLARA)
    assert states(play) == ["void"]
    assert acts(play) == []


def test_every_word_about_a_rehearsed_request_says_so_and_nobody_is_paged_for_it() -> None:
    play = a_play("dry_run")
    assert "nothing is sent before" not in order(play, "two-more lost")
    assert "Rebuild the books: DRY RUN, waits for approval" in play.panel()
    assert "DRY RUN" in press(play, "approve", IVY)
    assert "its rehearsal begins now" in press(play, "approve", CLARA)
    order(play, "two-more lost again")
    play.send("approval_reject", f"{ID}|{run_of(play)}", actor=IVY, reason="not now")
    order(play, "close-all lost")
    play.wait(timedelta(minutes=31))
    assert {"approved", "rejected", "expired"} <= set(states(play))
    for message in ("approval_request", "approval_call", "approval_closed"):
        texts = play.seen(message)
        assert texts
        assert [t for t in texts if "DRY RUN" not in t] == []
    asked = [line for line in text_of(play.type("/incident timeline")).splitlines() if "Approval asked for" in line]
    assert len(asked) == 3
    assert all("DRY RUN" in line for line in asked)
    assert [e.key for e in play.sent if e.kind == "pagerduty.page" and e.key.startswith("approval:")] == []


def test_switched_off_meanwhile_nothing_is_approved() -> None:
    play = a_play()
    order(play, "close-all lost")
    play.actions = "off"
    assert "switched off" in press(play, "approve", CLARA)
    assert states(play) == ["pending"]


def test_a_gate_that_closed_meanwhile_keeps_it_back_and_the_request_goes_on() -> None:
    slow = an_action("Promote the data", "extreme", gate="promote", expires=timedelta(minutes=30))
    play = a_play(packs=a_toy(gated=slow))
    play.type("/diagnostics health")
    order(play, "gated x")
    play.at(20)
    said = press(play, "approve", IVY)
    assert "Not sent and not approved yet: its gate has closed." in said
    assert "/diagnostics health" in said
    assert (states(play), acts(play)) == (["pending"], [])
    play.type("/diagnostics health")
    assert "it goes out now" in press(play, "approve", IVY)
    assert len(acts(play)) == 1


def test_another_name_is_not_another_person() -> None:
    play = a_play()
    order(play, "two-more lost")
    renamed = Actor(RITA.slack_id, "Rita Okafor", groups=RITA.groups)
    assert "somebody else must approve it" in press(play, "approve", renamed)
    press(play, "approve", IVY)
    assert "already" in press(play, "approve", Actor(IVY.slack_id, "Ivy Chen", groups=IVY.groups))
    assert acts(play) == []


def test_an_unknown_request_and_an_order_pressed_twice_get_a_sentence() -> None:
    play = a_play()
    assert "not known here any more" in press(play, "approve", CLARA, "nothing")
    shown = play.type("/incident action close-all lost", RITA)
    play.click("action.confirm", shown.context["button"], RITA)
    assert "was asked for already, and is" in text_of(play.click("action.confirm", shown.context["button"], RITA))
    assert states(play) == ["pending"]


def test_an_extreme_action_is_noted_in_pagerduty_with_its_outcome() -> None:
    play = a_play()
    play.world = ends({"close-all": "unknown"})
    order(play, "close-all lost")
    press(play, "approve", CLARA)
    notes = [str(e.data["text"]) for e in play.sent if e.kind == "pagerduty.note"]
    assert any("Close all positions: unknown" in note for note in notes)
    assert "Nobody can say whether it took effect" in play.seen("action_settled")[0]


# never without enough distinct approvers

PEOPLE = [RITA, IVY, CLARA, SAM, ANA, Actor("U0IVY", "Ivy again", groups=frozenset({"cto"}))]
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.sampled_from(["close-all", "two-more", "purge"]), st.sampled_from(PEOPLE)),
        st.tuples(st.just("approve"), st.integers(0, 5), st.sampled_from(PEOPLE)),
        st.tuples(st.just("reject"), st.integers(0, 5), st.sampled_from(PEOPLE)),
        st.tuples(st.just("wait"), st.integers(1, 20), st.just(RITA)),
        st.tuples(st.just("change"), st.sampled_from(["FX", "EQ"]), st.just(ANA)),
    ),
    max_size=18,
)


@settings(settings.get_profile("plays"))
@given(moves=MOVES)
def test_nothing_is_ever_sent_without_enough_distinct_others_who_approved_exactly_that(moves: list[Any]) -> None:
    play = a_play()
    for kind, what, who in moves:
        _move(play, kind, what, who)
    pack = play.packs["lav_adaf"].pack
    for act in acts(play):
        run = str(act.data["run"])
        asked = approvals.named(play.incident, run)
        assert asked is not None
        assert asked.state == "approved"
        need = approvals.needed(pack, str(act.data["action"]))
        given_by = {by.id for by in asked.given}
        assert len(given_by) >= max(need, 1)
        assert asked.by.id not in given_by
        allowed = {p.by.id for p in PEOPLE if p.groups & set(asked.request.approvers)}
        assert given_by <= allowed
        assert act.at < asked.request.expires
        assert act.data["parameters"] == asked.request.parameters
    runs = [str(a.data["run"]) for a in acts(play)]
    assert len(runs) == len(set(runs)) == sum(state == "approved" for state in states(play))
    assert play.broken == []


def _move(play: Play, kind: str, what: Any, who: Actor) -> None:
    asked = play.incident.approvals
    if kind == "order":
        shown = play.type(f"/incident action {what} because", who)
        if "button" in shown.context:
            play.click("action.confirm", shown.context["button"], who)
    elif kind == "wait":
        play.wait(timedelta(minutes=what))
    elif kind == "change":
        play.type(f"/incident set market {what}", who)
    elif asked and kind == "approve":
        play.click("approval.approve", f"{ID}|{asked[what % len(asked)].request.run}", who)
    elif asked:
        play.send("approval_reject", f"{ID}|{asked[what % len(asked)].request.run}", who, reason="no")


def test_whoever_asks_is_not_paged_for_it() -> None:
    play = a_play()
    order(play, "close-all lost")
    page = play.made[ID, f"approval:{run_of(play)}:page"]
    assert page.data["but"] == {"id": "slack:U0RITA", "name": "Rita"}


def test_a_page_that_spares_whoever_asks_says_so_in_the_room() -> None:
    play = a_play()
    paged = {"paged": ["Clara"], "missing": [], "spared": ["Rita"]}
    play.world = lambda e, i: paged if e.kind == "pagerduty.page" else succeed(e, i)
    order(play, "close-all lost")
    assert "PagerDuty is calling Clara. Not called: Rita, who asks." in play.seen("paged")[0]


def test_where_nobody_else_can_approve_the_room_is_told_to_call_somebody() -> None:
    alone = {"people": [{"slack_id": "U0RITA", "name": "Rita"}], "missing": []}
    play = a_play()
    play.world = lambda e, i: alone if e.key.startswith("approvers:") else succeed(e, i)
    order(play, "close-all lost")
    (said,) = play.seen("approval_call")
    assert "Nobody but" in said
    assert "was found among the risk managers and the CTO, so nobody was called" in said.replace("**", "")


def test_when_two_people_approve_at_the_same_moment_it_is_sent_once_and_the_second_reads_so() -> None:
    play = a_play()
    order(play, "close-all lost")
    run = run_of(play)
    press(play, "approve", CLARA, run)
    assert "was approved already; it is sent once" in press(play, "approve", IVY, run)
    assert len(acts(play)) == 1


def test_what_was_asked_for_in_an_incident_that_was_resolved_since_is_void_and_told() -> None:
    play = a_play()
    order(play, "close-all lost")
    play.hear("incident.resolved")
    assert states(play) == ["void"]
    assert "the incident was resolved meanwhile" in play.seen("approval_closed")[0]
    assert "is void; nothing was sent" in press(play, "approve", CLARA)
    assert acts(play) == []


def test_what_is_asked_for_in_a_resolved_incident_can_be_approved() -> None:
    play = a_play()
    play.hear("incident.resolved")
    order(play, "close-all lost")
    press(play, "approve", CLARA)
    assert len(acts(play)) == 1


def test_a_request_made_for_real_is_void_once_actions_are_rehearsed() -> None:
    play = a_play()
    order(play, "close-all lost")
    play.actions = "dry_run"
    assert "is no longer what was shown" in press(play, "approve", CLARA)
    assert acts(play) == []


def test_an_order_that_could_not_begin_in_its_time_is_not_carried_out_later() -> None:
    play = a_play()
    order(play, "close-all lost")
    press(play, "approve", CLARA)
    (act,) = acts(play)
    assert act.expires == play.now + timedelta(minutes=15)
    waiting = Pending(id="x", incident=ID, seq=1, effect=act)
    late = obstacle(waiting, play.incident, play.now + timedelta(minutes=15))
    assert isinstance(late, Hopeless)
    assert "too late" in late.reason

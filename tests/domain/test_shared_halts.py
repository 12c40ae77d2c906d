"""A halt ordered in two incidents of one platform is one halt there: nobody lifts it for the other unasked, and whoever
had it learns that it was lifted."""

from dataclasses import replace
from typing import Any

import pytest
from tests.domain.orders import CLARA, IVY, RITA, a_toy, acts, an_action, ends
from tests.domain.play import ANA, ID, MINUTE, START, Play, Went, succeed, text_of

from warroom.domain import facts as f
from warroom.domain.halts import in_force, needed_by, standing_halts
from warroom.domain.people import PAGERDUTY, WARROOM
from warroom.domain.policy import Parameter
from warroom.domain.views import taken
from warroom.postmortem.telling import Teller

pytestmark = pytest.mark.row("S2")

OTHER = "INC-2026-0002"
ROOM, OTHER_ROOM = "CROOM1", "CROOM2"


def rooms(effect: Any, incident: Any) -> Any:
    """A room of its own for every incident."""
    found = {"channel": f"CROOM{int(incident.id[-4:])}", "name": "r"}
    return found if effect.kind == "slack.room" else succeed(effect, incident)


def halt(play: Play, room: str, reason: str = "bad prices", scope: str = "all") -> None:
    shown = play.type(f"/halt {scope} {reason}", RITA, channel=room)
    play.click("halt.confirm", shown.context["button"], RITA)


def both_halted(mode: str = "live", **more: Any) -> Play:
    play = Play(a_toy(**more), world=rooms, actions=mode)
    play.alert()
    play.type("/incident declare P0 another trouble", channel="CELSE")
    halt(play, OTHER_ROOM, "theirs")
    halt(play, ROOM, "ours")
    play.wait(MINUTE)
    return play


def ask(play: Play, room: str = ROOM, by: Any = RITA) -> str:
    """Asks to resume from this room, with its gate open."""
    play.type("/diagnostics health", channel=room)
    shown = play.type("/halt resume prices are good", by, channel=room)
    return text_of(play.click("action.confirm", shown.context["button"], by))


def approve(play: Play, incident: str = ID, by: Any = CLARA, number: int = -1) -> str:
    run = play.incidents[incident].approvals[number].request.run
    return text_of(play.click("approval.approve", f"{incident}|{run}", by))


def states(play: Play, incident: str) -> list[str]:
    return [a.state for a in play.incidents[incident].approvals]


def said_in(play: Play, incident: str, message: str) -> str:
    """What this message said in the room of an incident and where it announces."""
    posts = [e for (of, _), e in play.made.items() if of == incident and e.data.get("message") == message]
    return "\n".join(f"{e.data['to']}: {play.render(e, incident).plain}" for e in posts)


def test_what_another_open_incident_halted_is_not_lifted_while_nobody_there_asks_to_resume() -> None:
    play = both_halted()
    ask(play)
    said = approve(play)
    assert f"Not sent and not approved yet: {OTHER} halted trading, too, and nobody there asks to resume." in said
    assert f"/halt {OTHER} resume REASON asks there, through its own gate" in said
    assert acts(play, "resume-all") == []
    assert states(play, ID) == ["pending"]


def test_the_preview_and_the_request_say_what_the_other_incident_must_do() -> None:
    play = both_halted()
    play.type("/diagnostics health", channel=ROOM)
    shown = text_of(play.type("/halt resume prices are good", RITA, channel=ROOM))
    warning = f"This also lifts the halt of {OTHER}: it is sent only while somebody there asks to resume, too"
    assert warning in shown
    ask(play)
    assert warning in said_in(play, ID, "approval_request")


def test_the_other_incident_asks_through_its_own_gate() -> None:
    play = both_halted()
    ask(play)
    shown = play.type(f"/halt {OTHER} resume they are good", IVY, channel="CELSE")
    assert "Before trading resumes: 0 of 1 met" in text_of(shown).replace("**", "")
    assert shown.context["button"] == ""
    assert "nobody there asks" in approve(play)


@pytest.mark.parametrize("approved", [ID, OTHER])
def test_when_both_ask_one_approval_of_either_lifts_both_and_the_other_request_is_void(approved: str) -> None:
    play = both_halted()
    ask(play)
    ask(play, OTHER_ROOM, IVY)
    assert "it goes out now" in approve(play, approved)
    assert len(acts(play, "resume-all")) == 1
    assert in_force(play.incidents[ID]) == in_force(play.incidents[OTHER]) == ()
    assert sorted(states(play, ID) + states(play, OTHER)) == ["approved", "void"]
    other = OTHER if approved == ID else ID
    assert "no halt is left to lift" in said_in(play, other, "approval_closed")


def test_a_request_that_expired_there_is_nobodys_word_any_more() -> None:
    play = both_halted()
    ask(play, OTHER_ROOM, IVY)
    play.wait(14 * MINUTE)
    ask(play)
    play.now += 2 * MINUTE
    assert "nobody there asks" in approve(play)


def test_a_rehearsed_request_there_is_nobodys_word() -> None:
    play = both_halted()
    play.actions = "dry_run"
    ask(play, OTHER_ROOM, IVY)
    play.actions = "live"
    ask(play)
    assert "nobody there asks" in approve(play)


def test_what_an_automatic_rule_asks_for_there_is_nobodys_word() -> None:
    play = both_halted()
    ask(play, OTHER_ROOM, IVY)
    asked = play.incidents[OTHER].approvals[0]
    assert [h.asked for h in standing_halts(play.incidents[OTHER])] == [asked.request.expires]
    by_a_rule = replace(play.incidents[OTHER], approvals=(replace(asked, by=WARROOM),))
    assert [h.asked for h in standing_halts(by_a_rule)] == [None]


@pytest.mark.parametrize("outcome", ["unknown", "in flight"])
def test_a_halt_there_that_may_be_in_force_counts_too(outcome: str) -> None:
    play = Play(a_toy(), actions="live")

    def world(effect: Any, incident: Any) -> Any:
        if effect.kind == "platform.act" and incident.id == OTHER:
            return None if outcome == "in flight" else {"outcome": outcome, "detail": "no answer"}
        return rooms(effect, incident)

    play.world = world
    play.alert()
    play.type("/incident declare P0 another trouble", channel="CELSE")
    halt(play, OTHER_ROOM)
    halt(play, ROOM)
    ask(play)
    assert "nobody there asks" in approve(play)


def test_an_incident_that_was_resolved_keeps_nobody_from_resuming_and_still_learns_of_it() -> None:
    play = both_halted()
    play.send("resolve", OTHER, RITA, summary="over", root_cause="x", actions_taken="y")
    play.type("/diagnostics health", channel=ROOM)
    shown = text_of(play.type("/halt resume prices are good", RITA, channel=ROOM))
    assert f"This also lifts the halt of {OTHER}, which is resolved." in shown
    ask(play)
    assert "it goes out now" in approve(play)
    assert in_force(play.incidents[OTHER]) == ()
    assert "was LIFTED" in said_in(play, OTHER, "halt_lifted")
    assert "order it again" not in said_in(play, OTHER, "halt_lifted")


def test_an_abandoned_incident_is_gone_past_by_overriding_its_gate_with_a_name_and_a_reason() -> None:
    play = both_halted()
    ask(play)
    play.send("gate_override", f"{OTHER}|resume", ANA, reason="nobody is left there")
    shown = play.type(f"/halt {OTHER} resume as the platform is well", RITA, channel="CELSE")
    play.click("action.confirm", shown.context["button"], RITA)
    assert "it goes out now" in approve(play)


def test_a_halt_of_another_platform_is_none_of_its_business() -> None:
    cards = both_halted().cards()
    assert [c.id for c in needed_by(ID, "lav_adaf", ("all",), cards, START)] == [OTHER]
    assert needed_by(ID, "another", ("all",), cards, START) == ()
    assert needed_by(ID, "lav_adaf", ("another",), cards, START) == ()


def lifted(outcome: str = "confirmed") -> Play:
    """Both asked, and the one of ID was approved."""
    play = both_halted()
    asked_by = ends({"resume-all": outcome})
    play.world = lambda e, i: rooms(e, i) if e.kind == "slack.room" else asked_by(e, i)
    ask(play)
    ask(play, OTHER_ROOM, IVY)
    play.wait(MINUTE)
    approve(play)
    return play


def test_the_other_incident_says_in_its_room_who_lifted_its_halt_from_where_and_what_to_do() -> None:
    play = lifted()
    said = said_in(play, OTHER, "halt_lifted").replace("**", "")
    assert sorted(line.partition(":")[0] for line in said.splitlines() if "LIFTED from" in line) == ["room", "war_room"]
    assert f"The halt of {OTHER} (all) was LIFTED from {ID}: trading resumes on the whole platform" in said
    assert "reason: prices are good" in said
    assert f"/halt {OTHER} all REASON" in said
    (fact,) = play.whats(f.HaltLifted)
    assert (fact.incident, fact.outcome, [by.name for by in fact.approved_by]) == (ID, "confirmed", ["Clara"])
    assert play.facts[OTHER][-1].at <= play.now


def test_the_other_incident_shows_its_halt_as_in_force_nowhere() -> None:
    play = lifted()
    assert standing_halts(play.incidents[OTHER]) == ()
    shown = text_of(play.type("/halt status", RITA, channel=OTHER_ROOM))
    assert f"Trading halt (all): CONFIRMED by reading back, LIFTED 14:33 UTC from {ID}" in shown
    assert "trading is halted" not in play.render(play.made[OTHER, "announce"], OTHER).plain
    edits = [e for (of, key), e in play.made.items() if of == OTHER and key.startswith("announce.edit:")]
    assert edits[-1].at == play.now
    assert f"Resuming trading (all) from {ID}: CONFIRMED by reading back" in taken(play.incidents[OTHER])
    status = text_of(play.type("/incident status", RITA, channel=OTHER_ROOM))
    assert f"Resuming trading (all) from {ID}: CONFIRMED by reading back" in status
    assert "No halt is in force" in text_of(play.type("/halt resume again", RITA, channel=OTHER_ROOM))


def test_the_other_incidents_timeline_and_its_draft_tell_it() -> None:
    play = lifted()
    line = f"Trading resumed (all) from {ID}: CONFIRMED (prices are good)"
    assert line in text_of(play.type("/incident timeline", RITA, channel=OTHER_ROOM))
    teller = Teller.of(play.incidents[OTHER], play.facts[OTHER], play.packs["lav_adaf"].pack)
    (told,) = [teller.tell(fact) for fact in play.facts[OTHER] if isinstance(fact.what, f.HaltLifted)]
    assert told is not None
    assert told.action == f"Trading resumed from {ID} (all): CONFIRMED"


def test_nobody_is_told_that_a_halt_was_lifted_when_resuming_failed_or_was_rehearsed() -> None:
    play = lifted("failed")
    assert play.whats(f.HaltLifted) == []
    assert len(in_force(play.incidents[OTHER])) == 1
    play = both_halted("dry_run")
    ask(play)
    approve(play)
    assert play.whats(f.HaltLifted) == []


def test_a_rehearsal_that_came_to_nothing_known_tells_nobody_that_a_halt_was_lifted() -> None:
    play = both_halted()
    play.actions = "dry_run"
    ask(play)
    play.world = lambda e, i: Went("unknown") if e.kind == "platform.act" else rooms(e, i)
    approve(play)
    assert play.incidents[ID].runs[-1].outcome == "unknown"
    assert play.whats(f.HaltLifted) == []


def test_where_a_halt_is_only_on_its_way_nobody_is_told_that_it_was_lifted() -> None:
    play = Play(a_toy(), world=rooms, actions="live")
    play.alert()
    play.type("/incident declare P0 another trouble", channel="CELSE")
    halt(play, ROOM)
    ask(play)
    play.world = lambda e, i: None if e.kind == "platform.act" else rooms(e, i)
    approve(play)
    halt(play, OTHER_ROOM)
    play.world = rooms
    play.waiting.append((ID, acts(play, "resume-all")[0]))
    play.deliver()
    assert in_force(play.incidents[ID]) == ()
    assert play.whats(f.HaltLifted) == []


def test_when_nobody_knows_whether_trading_resumed_the_other_incident_hears_that_and_its_halt_stays_on_show() -> None:
    play = lifted("unknown")
    said = said_in(play, OTHER, "halt_lifted").replace("**", "")
    assert "may have been lifted" in said
    assert "Do NOT treat it as resumed, nor rely on the halt" in said
    assert len(in_force(play.incidents[OTHER])) == 1
    status = text_of(play.type("/incident status", RITA, channel=OTHER_ROOM))
    assert f"Resuming trading (all) from {ID}: UNKNOWN, check by hand" in status


def test_a_halt_ordered_there_later_is_in_force_and_is_not_lifted_by_what_was_before() -> None:
    play = lifted()
    play.wait(MINUTE)
    halt(play, OTHER_ROOM, "again")
    assert [r.reason for r in in_force(play.incidents[OTHER])] == ["again"]


def test_a_halt_that_is_still_on_its_way_there_is_judged_by_its_own_later_reading() -> None:
    play = both_halted()
    held: list[Any] = []

    def world(effect: Any, incident: Any) -> Any:
        if effect.kind == "platform.act" and (incident.id == OTHER or effect.data["action"] == "resume-all"):
            held.append((incident.id, effect))
            return None
        return rooms(effect, incident)

    ask(play)
    ask(play, OTHER_ROOM, IVY)
    play.world = world
    approve(play)
    halt(play, OTHER_ROOM, "meanwhile")
    play.world = rooms
    for pair in held:  # the resumption is read back first
        play.wait(MINUTE)
        play.waiting.append(pair)
        play.deliver()
    assert [r.reason for r in in_force(play.incidents[OTHER])] == ["meanwhile"]


def test_while_trading_is_being_resumed_from_one_incident_it_is_not_ordered_from_the_other() -> None:
    play = both_halted()
    play.world = lambda e, i: None if e.kind == "platform.act" else rooms(e, i)
    ask(play)
    ask(play, OTHER_ROOM, IVY)
    approve(play)
    assert f"trading is being resumed from {ID} right now" in approve(play, OTHER)
    assert len(acts(play, "resume-all")) == 1


def test_two_requests_in_one_incident_resume_once() -> None:
    play = Play(a_toy(), world=rooms, actions="live")
    play.alert()
    halt(play, ROOM)
    ask(play, by=RITA)
    ask(play, by=IVY)
    play.world = lambda e, i: None if e.kind == "platform.act" else rooms(e, i)
    approve(play, number=0)
    assert "being resumed" in approve(play, number=1)
    held = [("INC-2026-0001", acts(play, "resume-all")[0])]
    play.world, play.waiting = rooms, [*play.waiting, *held]
    play.deliver()
    assert states(play, ID) == ["approved", "void"]
    assert "is void; nothing was sent (no halt is left to lift)" in approve(play, number=1)


def test_a_halt_ordered_after_the_request_to_resume_makes_it_void_and_says_so() -> None:
    play = Play(a_toy(gates=False), world=rooms, actions="live")
    play.alert()
    halt(play, ROOM)
    ask(play)
    halt(play, ROOM, "wild again")
    assert states(play, ID) == ["void"]
    assert "a halt was ordered again since it was asked for" in said_in(play, ID, "approval_closed")
    assert "is void" in approve(play)
    assert len(in_force(play.incidents[ID])) == 2


def test_halts_and_their_resumptions_wait_for_no_other_action() -> None:
    play = both_halted()
    play.type("/incident action purge REASON", RITA, channel=ROOM)
    ask(play)
    ask(play, OTHER_ROOM, IVY)
    approve(play)
    assert {e.lane for e in acts(play, "halt-all") + acts(play, "resume-all")} == {"halts"}
    assert {e.lane for e in acts(play, "purge")} <= {"platform"}


def test_what_monitoring_resolved_in_pagerduty_still_needs_somebodys_word() -> None:
    play = both_halted()
    play.hear("incident.resolved", key=OTHER, id="PINC2", agent=PAGERDUTY)
    assert not play.incidents[OTHER].is_open
    ask(play)
    assert "nobody there asks" in approve(play)
    assert "/incident resolve" not in approve(play)
    ask(play, OTHER_ROOM, IVY)
    assert "it goes out now" in approve(play)


def test_a_halt_ordered_in_the_room_of_a_resolved_incident_is_needed_there_and_the_preview_says_it_is_resolved() -> (
    None
):
    play = both_halted()
    play.send("resolve", OTHER, RITA, summary="over", root_cause="x", actions_taken="y")
    play.wait(MINUTE)
    assert "which is resolved: a halt does not reopen it" in text_of(play.type("/halt all x", RITA, channel=OTHER_ROOM))
    halt(play, OTHER_ROOM, "it goes on")
    ask(play)
    assert "nobody there asks" in approve(play)


def test_where_one_action_takes_back_several_scopes_all_of_them_count() -> None:
    halts = {
        f"halt_{scope}": an_action(f"Halt {scope}", "contain", scope=scope, undo="resume-all", who=("halt_operators",))
        for scope in ("nyse", "xetra")
    }
    play = Play(a_toy(**halts), world=rooms, actions="live")
    play.alert()
    play.type("/incident declare P0 another trouble", channel="CELSE")
    halt(play, OTHER_ROOM, scope="nyse")
    halt(play, ROOM, scope="xetra")
    play.wait(MINUTE)
    ask(play)
    assert "nobody there asks" in approve(play)
    ask(play, OTHER_ROOM, IVY)
    approve(play)
    assert in_force(play.incidents[ID]) == in_force(play.incidents[OTHER]) == ()
    assert "(nyse) was LIFTED" in said_in(play, OTHER, "halt_lifted").replace("**", "")


def test_where_the_scope_is_given_to_the_action_halts_are_lifted_one_by_one() -> None:
    resume = an_action("Resume", parameters={"scope": Parameter(title="Scope")}, body={"scope": "{scope}"})
    halts = {
        f"halt_{scope}": an_action(f"Halt {scope}", "contain", scope=scope, undo="resume-all", who=("halt_operators",))
        for scope in ("nyse", "xetra")
    }
    play = Play(a_toy(resume_all=resume, **halts), world=rooms, actions="live")
    play.alert()
    halt(play, ROOM, scope="nyse")
    halt(play, ROOM, scope="xetra")
    assert "say which one to take back" in text_of(play.type("/halt resume well", RITA, channel=ROOM))
    shown = play.type("/halt resume xetra well", RITA, channel=ROOM)
    play.click("action.confirm", shown.context["button"], RITA)
    approve(play, by=IVY)
    assert [r.scope for r in in_force(play.incidents[ID])] == ["nyse"]


def test_resuming_while_the_only_halt_is_on_its_way_waits_for_its_result() -> None:
    play = Play(a_toy(), world=lambda e, i: None if e.kind == "platform.act" else rooms(e, i), actions="live")
    play.alert()
    halt(play, ROOM)
    said = text_of(play.type("/halt resume well", RITA, channel=ROOM))
    assert f"A halt of {ID} is ordered and not read back yet." in said
    assert "Wait for its result in the room." in said

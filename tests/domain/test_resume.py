"""Resuming is harder than halting: the gate, somebody else's approval, and only what was read back counts."""

from typing import Any

import pytest
from tests.domain.orders import CLARA, IVY, RITA, SAM, a_play, a_toy, acts, an_action, ends, press, run_of
from tests.domain.play import ANA, ID, Play, Went, succeed, text_of

from warroom.domain import facts as f
from warroom.domain.effects import FieldErrors, Form
from warroom.domain.halts import in_force

pytestmark = pytest.mark.row("S2")


def halt(play: Play, scope: str = "all", reason: str = "bad prices") -> None:
    shown = play.type(f"/halt {scope} {reason}", RITA)
    play.click("halt.confirm", shown.context["button"], RITA)


def halted(**more: Any) -> Play:
    play = a_play(**more)
    halt(play)
    return play


def ask(play: Play, typed: str = "prices are good again") -> str:
    """Asks to resume, with the gate open; gives the answer to the confirmation."""
    play.type("/diagnostics health")
    shown = play.type(f"/halt resume {typed}", RITA)
    return text_of(play.click("action.confirm", shown.context["button"], RITA))


def test_resuming_shows_the_closed_gate_with_every_criterion_and_no_button() -> None:
    play = halted()
    shown = play.type("/halt resume prices are good", RITA)
    said = text_of(shown).replace("**", "")
    for part in ("Not yet: Resume all trading", "Before trading resumes: 0 of 1 met", "All well: Not read yet", "all"):
        assert part in said
    assert shown.context["button"] == ""
    assert play.incident.approvals == ()


def test_with_the_gate_open_it_waits_for_somebody_else_and_then_resumes_once() -> None:
    play = halted()
    assert "waits for one other person (the risk managers and the CTO)" in ask(play)
    assert "lifts the trading halt (all)" in play.seen("approval_request")[0].replace("**", "")
    assert acts(play, "resume-all") == []
    assert "somebody else must approve it" in press(play, "approve", RITA)
    press(play, "approve", CLARA)
    assert len(acts(play, "resume-all")) == 1
    assert in_force(play.incident) == ()


def test_a_confirmed_resumption_is_told_everywhere_and_the_halt_is_in_force_nowhere() -> None:
    play = halted(
        packs=a_toy(
            resume_all=an_action("Resume all trading", gate="resume", tell=("risk",), who=("cto", "risk_managers"))
        )
    )
    assert "trading is halted" in play.render(play.made[ID, "announce"]).plain
    ask(play)
    press(play, "approve", IVY)
    told = [t for t in play.seen("action_settled") if "Trading resumes (all)" in t]
    assert sorted(t.partition(":")[0] for t in told) == ["risk", "room", "war_room"]
    assert "trading is halted" not in play.render(play.made[ID, "announce"]).plain
    assert "LIFTED 14:31 UTC" in play.panel()
    assert "Resuming trading (all): CONFIRMED" in play.panel()
    assert any("Resume all trading: confirmed" in str(e.data["text"]) for e in play.sent if e.kind == "pagerduty.note")
    assert "No halt is in force" in text_of(play.type("/halt resume again", RITA))


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        ("unknown", "Do NOT treat trading as resumed"),
        ("failed", "Trading has NOT resumed by this order"),
        ("lost", "Do NOT treat trading as resumed"),
    ],
)
def test_a_resumption_that_is_not_confirmed_is_never_shown_as_one(outcome: str, says: str) -> None:
    play = halted()
    normal = ends({"resume-all": outcome})

    def world(effect: Any, incident: Any) -> Any:
        lost = outcome == "lost" and effect.kind == "platform.act" and effect.data["action"] == "resume-all"
        return Went("unknown", "no answer") if lost else normal(effect, incident)

    play.world = world
    ask(play)
    press(play, "approve", CLARA)
    told = [t for t in play.seen("action_settled") if says in t]
    assert sorted(t.partition(":")[0] for t in told) == ["room", "war_room"]
    assert len(in_force(play.incident)) == 1
    assert "LIFTED" not in play.panel()
    assert "trading is halted" in play.render(play.made[ID, "announce"]).plain
    assert "Trading resumes" not in "".join(play.seen("action_settled"))


def test_after_resuming_a_new_halt_works_and_can_be_lifted_again() -> None:
    play = halted()
    ask(play)
    press(play, "approve", CLARA)
    play.at(5)
    halt(play)
    assert len(acts(play, "halt-all")) == 2
    assert len(in_force(play.incident)) == 1
    play.at(6)
    ask(play, "good once more")
    press(play, "approve", CLARA)
    assert in_force(play.incident) == ()
    assert len(acts(play, "resume-all")) == 2


def test_a_halt_ordered_after_the_resumption_was_sent_is_not_lifted_by_it() -> None:
    play = halted()
    held: list[Any] = []

    def world(effect: Any, incident: Any) -> Any:
        if effect.kind == "platform.act" and effect.data["action"] == "resume-all":
            held.append(effect)
            return None
        return succeed(effect, incident)

    play.world = world
    ask(play)
    press(play, "approve", CLARA)
    halt(play, reason="again")
    play.world = succeed
    play.waiting += [(ID, e) for e in held]
    play.deliver()
    assert [r.reason for r in in_force(play.incident)] == ["again"]


def test_readings_from_before_the_halt_open_no_gate() -> None:
    play = a_play()
    play.type("/diagnostics health")
    play.at(1)
    halt(play)
    assert "before the halt" in text_of(play.type("/halt resume now", RITA))


def test_an_overridden_gate_lets_it_be_asked_for_and_still_takes_two_people() -> None:
    play = halted()
    play.send("gate_override", f"{ID}|resume", ANA, reason="the probe is broken")
    shown = play.type("/halt resume checked by hand", RITA)
    assert "overridden by Ana" in text_of(shown)
    play.click("action.confirm", shown.context["button"], RITA)
    assert acts(play, "resume-all") == []
    assert "NOT verified: All well (overridden by Ana: the probe is broken)" in play.seen("approval_request")[0]
    press(play, "approve", IVY)
    assert len(acts(play, "resume-all")) == 1
    told = [t for t in play.seen("action_settled") if "Trading resumes (all)" in t]
    assert all("NOT verified: All well (overridden by Ana" in t and "you may send orders" not in t for t in told)
    assert "you may send orders again" in play_that_resumed().seen("action_settled")[-1]


def test_a_picture_stands_for_a_halt_only_while_it_is_in_force() -> None:
    play = halted()
    assert "🛑 Trading halt (all): CONFIRMED" in play.panel()
    play = play_that_resumed()
    assert "🛑" not in play.panel()
    assert "🟢 Trading halt (all): CONFIRMED by reading back, LIFTED 14:31 UTC · 14:31 UTC by" in play.panel()
    assert "🟢 Resuming trading (all): CONFIRMED" in text_of(play.type("/incident-status"))
    assert "CONFIRMED by reading back, LIFTED since" in play.render(play.made[ID, "announce"]).plain


def test_an_update_names_the_halts_that_stand_and_after_resuming_that_none_does() -> None:
    play = Play()
    play.alert()
    halt(play)
    play.at(20)
    assert "Halts: Trading halt (all): CONFIRMED by reading back\n" in play.seen("p0_update")[-1]
    play.send("gate_override", f"{ID}|resume", ANA, reason="the probe is broken")
    shown = play.type("/halt resume fine again", RITA)
    play.click("action.confirm", shown.context["button"], RITA)
    press(play, "approve", CLARA)
    play.at(35)
    assert "Halts: none in force, trading resumed at 14:51 UTC" in play.seen("p0_update")[-1]


def play_that_resumed() -> Play:
    play = halted()
    ask(play)
    press(play, "approve", CLARA)
    return play


def test_the_form_asks_for_the_reason_shows_the_gate_and_its_second_page_asks_for_approval() -> None:
    play = halted()
    form = play.type("/halt resume", RITA)
    assert isinstance(form, Form)
    assert form.name == "halt_resume"
    assert form.context["criteria"] == ["✗ All well: Not read yet: /diagnostics health"]
    closed = play.send("halt_resume", ID, RITA, reason="all well")
    assert isinstance(closed, FieldErrors)
    assert "Not yet. All well" in closed.errors["reason"]
    play.type("/diagnostics health")
    page = play.send("halt_resume", ID, RITA, reason="all well")
    assert page.name == "action_confirm"
    play.send("action_confirm", page.about, RITA)
    assert [a.state for a in play.incident.approvals] == ["pending"]
    press(play, "approve", CLARA, run_of(play))
    assert in_force(play.incident) == ()


def test_a_stranger_may_not_ask_for_it() -> None:
    play = halted()
    assert text_of(play.type("/halt resume please", SAM)).startswith("denied")
    assert text_of(play.click("halt.resume", ID, SAM)).startswith("denied")
    assert len(play.whats(f.Denied)) == 2


def test_without_an_action_that_takes_it_back_it_says_what_to_do() -> None:
    play = halted(packs=a_toy(halt_all=an_action("Halt all trading", "contain", scope="all", who=("halt_operators",))))
    said = text_of(play.type("/halt resume now", RITA))
    assert "This pack has no action that takes this halt back." in said
    assert "Resume on the platform itself" in said


def test_several_halts_are_lifted_one_by_one_where_each_has_its_own_way() -> None:
    packs = a_toy(
        halt_nyse=an_action("Halt NYSE", "contain", scope="nyse", undo="resume-nyse", who=("halt_operators",)),
        resume_nyse=an_action("Resume NYSE", gate="resume"),
    )
    play = halted(packs=packs)
    halt(play, "nyse")
    said = text_of(play.type("/halt resume well now", RITA))
    assert "Several halts are in force: say which one to take back" in said
    assert "/halt resume nyse REASON" in said
    ask(play, "nyse well now")
    press(play, "approve", IVY)
    assert [r.scope for r in in_force(play.incident)] == ["all"]
    assert "No halt of scope “nyse” is in force" in text_of(play.type("/halt resume nyse again", RITA))


def test_status_shows_the_halts_of_all_incidents_and_since_when_wherever_it_is_asked() -> None:
    play = halted()
    play.at(5).type("/incident declare P0 Something else", ANA)
    for channel in ("CROOM", "CELSEWHERE"):
        said = text_of(play.type("/halt status", SAM, channel=channel))
        assert "Trading halt (all): CONFIRMED by reading back" in said
        assert f"{ID} · since 2026-11-17 14:31 UTC" in said
    play.type(f"/diagnostics {ID} health", ANA)
    shown = play.type(f"/halt {ID} resume well", RITA)
    play.click("action.confirm", shown.context["button"], RITA)
    press(play, "approve", CLARA)
    assert all(card.halts == () for card in play.cards())
    assert "No halt is in force" in text_of(play.type("/halt status", SAM, channel="CELSEWHERE"))


def test_asked_for_where_no_halt_is_it_says_where_there_is_one() -> None:
    play = halted()
    play.type("/incident declare P0 Something else", ANA)
    other = next(i for i in play.incidents if i != ID)
    said = text_of(play.type(f"/halt {other} resume all well", RITA))
    assert f"/halt {ID} resume REASON lifts all" in said


def test_in_a_rehearsal_resuming_is_rehearsed_and_says_so() -> None:
    play = halted(mode="dry_run")
    assert "DRY RUN" in ask(play)
    press(play, "approve", CLARA)
    assert "DRY RUN" in play.seen("approval_request")[0].partition("\n")[0]
    assert "Would be sent" in play.seen("approval_request")[0]
    assert acts(play, "resume-all")[0].data["mode"] == "dry_run"
    assert "Trading resumes" not in "".join(play.seen("action_settled"))


def test_resuming_says_which_other_incidents_halt_it_lifts_and_so_does_the_request() -> None:
    def world(effect: Any, incident: Any) -> Any:
        found = {"channel": f"CROOM{int(incident.id[-4:])}", "name": "r"}
        return found if effect.kind == "slack.room" else succeed(effect, incident)

    play = Play(a_toy(), world=world)
    play.alert()
    play.type("/incident declare P0 another trouble", channel="CELSE")
    other = "INC-2026-0002"
    shown = play.type("/halt all theirs", RITA, channel="CROOM2")
    play.click("halt.confirm", shown.context["button"], RITA)
    shown = play.type("/halt all ours", RITA, channel="CROOM1")
    assert f"Already in force: Trading halt (all): CONFIRMED by reading back ({other})" in text_of(shown).replace(
        "**", ""
    )
    play.click("halt.confirm", shown.context["button"], RITA)
    play.type("/diagnostics health", channel="CROOM1")
    warning = f"This also lifts the halt of {other}: it is sent only while somebody there asks to resume, too"
    shown = play.type("/halt resume prices are good", RITA, channel="CROOM1")
    assert warning in text_of(shown)
    play.click("action.confirm", shown.context["button"], RITA)
    assert warning in play.seen("approval_request")[0]

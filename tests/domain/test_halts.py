"""Halting trading: previewed, authorised, done once, read back; unknown is never shown as success."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.domain.play import ANA, EVE, ID, RAJ, Play, Went, succeed, text_of

from warroom.domain import facts as f
from warroom.domain.effects import Effect, FieldErrors, Form
from warroom.domain.incident import Incident

HALT = pytest.mark.row("L5")
SAFE = pytest.mark.row("S2")
pytestmark = [HALT, SAFE]


def ends(outcome: str) -> Callable[[Effect, Incident], Mapping[str, Any] | Went | None]:
    """A platform on which every act ends like this."""

    def world(effect: Effect, incident: Incident) -> Mapping[str, Any] | Went | None:
        if effect.kind != "platform.act":
            return succeed(effect, incident)
        if outcome in ("refused", "lost"):
            return Went("refused" if outcome == "refused" else "unknown", "HTTP 403")
        return {"outcome": outcome, "detail": "read back: halted=false"}

    return world


def an_alert(mode: str = "live", outcome: str = "confirmed") -> Play:
    play = Play(actions=mode, world=ends(outcome) if outcome != "confirmed" else succeed)
    play.alert()
    return play


def acts(play: Play) -> list[Effect]:
    return [e for e in play.made.values() if e.kind == "platform.act"]


def halt(play: Play, actor: Any = RAJ) -> Any:
    preview = play.type("/halt all bad prices", RAJ)
    return play.click("halt.confirm", preview.context["button"], actor)


def test_the_preview_shows_exactly_what_will_be_sent_and_does_nothing() -> None:
    play = an_alert()
    before = play.incident
    answer = text_of(play.type("/halt all bad prices | really", RAJ))
    for part in ("Halt all trading", "POST executioner/api/emergency/halt-all", "bad prices | really", ID):
        assert part in answer
    assert "Nothing has been done yet" in answer
    assert play.incident == before
    assert acts(play) == []


def test_confirming_orders_once_and_the_second_click_says_so() -> None:
    play = an_alert()
    preview = play.type("/halt all bad prices | really", RAJ)
    assert "Halt ordered (all), not confirmed yet" in text_of(
        play.click("halt.confirm", preview.context["button"], RAJ)
    )
    again = text_of(play.at(1).click("halt.confirm", preview.context["button"], RAJ))
    assert "ordered already at 14:31" in again
    assert "nothing was sent again" in again
    assert [e.data["reason"] for e in acts(play)] == ["bad prices | really"]
    ordered = play.whats(f.ActionRequested)
    assert [(o.action, o.scope, o.mode) for o in ordered] == [("halt-all", "all", "live")]
    assert acts(play)[0].data["operator"] == "Raj"


def test_the_form_orders_in_one_go_and_wants_a_reason() -> None:
    play = an_alert()
    form = play.click("halt.open", actor=RAJ)
    assert isinstance(form, Form)
    assert form.context["scopes"] == [{"value": "all", "label": "Halt all trading"}]
    errors = play.send("halt", scope="all", reason=" ", actor=RAJ)
    assert isinstance(errors, FieldErrors)
    assert "reason" in errors.errors
    assert "scope" in play.send("halt", scope="moon", reason="x", actor=RAJ).errors
    assert acts(play) == []
    assert text_of(play.send("halt", scope="all", reason="bad prices", actor=RAJ)).startswith("halt_ordered")
    assert len(acts(play)) == 1


@pytest.mark.parametrize(
    ("typed", "hint"), [("/halt al bad prices", "/halt all bad prices"), ("/halt all", "needs a reason")]
)
def test_a_halt_mistyped_is_answered_with_what_to_type(typed: str, hint: str) -> None:
    play = an_alert()
    assert hint in text_of(play.type(typed, RAJ))
    assert acts(play) == []


@pytest.mark.parametrize("ask", ["command", "button", "confirm", "form"])
def test_a_stranger_is_denied_with_a_fact_and_no_act(ask: str) -> None:
    play = an_alert()
    button = play.type("/halt all bad prices", RAJ).context["button"]
    answer = {
        "command": lambda: play.type("/halt all bad prices", EVE),
        "button": lambda: play.click("halt.open", actor=EVE),
        "confirm": lambda: play.click("halt.confirm", button, EVE),
        "form": lambda: play.send("halt", scope="all", reason="x", actor=EVE),
    }[ask]()
    assert "Only the people who may halt trading may do it" in text_of(answer)
    assert [(d.what, d.why) for d in play.whats(f.Denied)] == [
        ("/halt", "Eve is not in the people who may halt trading")
    ]
    assert acts(play) == []


def test_a_person_who_could_not_be_looked_up_is_denied_but_told_why() -> None:
    play = an_alert()
    stranger = replace(RAJ, groups=frozenset(), verified=False)
    answer = text_of(play.type("/halt all bad prices", stranger))
    assert "could not be asked who you are" in answer
    assert "could not be looked up" in play.whats(f.Denied)[0].why
    listed = replace(RAJ, verified=False)
    assert text_of(play.type("/halt all bad prices", listed)).startswith("halt_preview")


def test_a_commander_is_not_a_halt_operator() -> None:
    play = an_alert()
    assert text_of(play.type("/halt all bad prices", ANA)).startswith("denied")


def test_switched_off_nothing_is_previewed_or_sent() -> None:
    play = an_alert("off")
    button = f"{ID}|run|lav_adaf|all|bad prices"
    for answer in (
        play.type("/halt all bad prices", RAJ),
        play.click("halt.confirm", button, RAJ),
        play.send("halt", scope="all", reason="x", actor=RAJ),
    ):
        assert "switched off" in text_of(answer)
        assert "on the platform itself, now" in text_of(answer)
    assert acts(play) == []


def test_a_dry_run_says_so_everywhere_and_never_that_trading_is_halted() -> None:
    play = an_alert("dry_run")
    assert "DRY RUN" in text_of(play.type("/halt all bad prices", RAJ))
    assert "DRY RUN" in text_of(halt(play))
    assert acts(play)[0].data["mode"] == "dry_run"
    for text in (*play.seen("action_ordered"), *play.seen("action_settled")):
        assert "DRY RUN" in text
        assert "CONFIRMED" not in text
    for text in play.seen("action_settled"):
        assert "Trading is NOT halted by this. If it must stop, halt on the platform by hand now." in text
    assert "DRY RUN, nothing was sent" in play.panel()
    assert "trading is halted" not in play.render(play.made[ID, "announce"]).plain
    assert play.incident.reached("contained") is None
    play.send("resolve", summary="over")
    assert "no halt of this incident is in force" in play.seen("resolution_notice")[0]


def test_a_confirmed_halt_is_told_in_room_and_channel_and_stands_on_the_panel() -> None:
    play = an_alert()
    halt(play)
    settled = play.seen("action_settled")
    assert sorted(text.partition(":")[0] for text in settled) == ["executive", "risk", "room", "war_room"]
    assert all("CONFIRMED" in text and "Trading is halted (all)" in text for text in settled)
    assert "Trading halt (all): CONFIRMED by reading back" in play.panel()
    announcement = play.render(play.made[ID, "announce"]).plain
    assert "trading is halted" in announcement
    assert play.incident.reached("contained") == play.now
    assert any("confirmed" in str(e.data["text"]) for e in play.sent if e.kind == "pagerduty.note")
    play.send("resolve", summary="over")
    assert "a halt is still in force" in play.seen("resolution_notice")[0]


@pytest.mark.parametrize(
    ("outcome", "word", "says"),
    [
        ("failed", "FAILED", "Trading is NOT halted by this order"),
        ("refused", "FAILED", "Trading is NOT halted by this order"),
        ("unknown", "UNKNOWN", "Treat trading as NOT halted"),
        ("lost", "UNKNOWN", "Treat trading as NOT halted"),
        ("something else", "UNKNOWN", "Treat trading as NOT halted"),
    ],
)
def test_a_halt_that_did_not_come_about_is_said_aloud_and_never_reads_as_success(
    outcome: str, word: str, says: str
) -> None:
    play = an_alert(outcome=outcome)
    halt(play)
    texts = play.seen("action_settled")
    assert sorted(text.partition(":")[0] for text in texts) == ["executive", "risk", "room", "war_room"]
    announcement = play.render(play.made[ID, "announce"]).plain
    for text in (*texts, play.panel(), announcement, text_of(play.type("/halt status", RAJ))):
        assert "CONFIRMED" not in text
        assert "trading is halted" not in text.lower()
        assert word in text
    assert all(says in text for text in texts)
    assert play.incident.reached("contained") is None
    assert ("UNKNOWN" in play.panel()) == (word == "UNKNOWN")
    play.send("resolve", summary="over")
    notice = play.seen("resolution_notice")[0]
    assert "still in force" not in notice
    assert ("nobody knows whether a halt is in force" in notice) == (word == "UNKNOWN")


def test_a_second_halt_that_is_unknown_names_the_one_that_is_in_force() -> None:
    play = an_alert()
    halt(play)
    play.world = lambda e, i: {"outcome": "unknown"} if e.kind == "platform.act" else succeed(e, i)
    play.at(3)
    halt(play)
    told = play.seen("action_settled")[-1]
    assert "UNKNOWN" in told
    assert "In force from before: Trading halt (all): CONFIRMED by reading back" in told
    assert "Treat trading as NOT halted" not in told


def test_before_it_is_settled_nothing_says_that_trading_is_halted() -> None:
    play = an_alert()
    play.world = lambda e, i: None if e.kind == "platform.act" else succeed(e, i)
    halt(play)
    assert "It is not confirmed yet" in play.seen("action_ordered")[0]
    assert "ordered, not confirmed yet" in play.panel()
    assert "trading is halted" not in play.render(play.made[ID, "announce"]).plain
    play.hear("incident.resolved")
    assert "nobody knows whether a halt is in force" in play.seen("resolution_notice")[0]


def test_a_halt_without_an_incident_opens_one_and_its_button_works_once() -> None:
    play = Play()
    preview = play.type("/halt all bad prices", RAJ)
    assert "a new P0 will be opened for it" in text_of(preview)
    assert play.incidents == {}
    assert "which opens now" in text_of(play.click("halt.confirm", preview.context["button"], RAJ))
    assert (play.incident.severity, play.incident.title) == ("P0", "Trading halt (all)")
    assert play.incident.description == "bad prices"
    assert "ordered already" in text_of(play.click("halt.confirm", preview.context["button"], RAJ))
    assert list(play.incidents) == [ID]
    assert len(acts(play)) == 1
    assert acts(play)[0].priority == min(e.priority for e in play.made.values())


def test_a_halt_previewed_before_an_incident_opened_joins_it() -> None:
    play = Play()
    preview = play.type("/halt all bad prices", RAJ)
    play.alert()
    play.click("halt.confirm", preview.context["button"], RAJ)
    assert list(play.incidents) == [ID]
    assert len(play.incident.halts) == 1


def test_a_stranger_cannot_open_an_incident_by_confirming() -> None:
    play = Play()
    preview = play.type("/halt all bad prices", RAJ)
    assert text_of(play.click("halt.confirm", preview.context["button"], EVE)).startswith("denied")
    assert play.incidents == {}
    assert isinstance(play.stray[0].what, f.Denied)


def test_the_form_without_an_incident_opens_one_too() -> None:
    play = Play()
    form = play.type("/halt", RAJ)
    assert (form.name, form.about) == ("halt", "")
    play.send("halt", "", scope="all", reason="bad prices", actor=RAJ)
    assert [r.reason for r in play.incident.halts] == ["bad prices"]


def test_a_second_preview_shows_what_is_in_force_already() -> None:
    play = an_alert()
    halt(play)
    assert "Already in force: Trading halt (all): CONFIRMED" in text_of(play.type("/halt all again", RAJ)).replace(
        "**", ""
    )
    assert "CONFIRMED" in text_of(play.type("/halt status", RAJ))
    halt(play)
    assert len(acts(play)) == 2


def test_a_reason_that_does_not_fit_a_button_is_refused_before_anything_happens() -> None:
    play = an_alert()
    assert "too long" in text_of(play.type("/halt all " + "x" * 2000, RAJ))
    assert acts(play) == []


def test_a_button_pressed_again_finds_its_halt_whatever_opened_since() -> None:
    play = Play()
    preview = play.type("/halt all bad prices", RAJ)
    play.alert()
    play.click("halt.confirm", preview.context["button"], RAJ)
    play.at(1).type("/incident declare P0 Something newer", ANA, channel="CELSE")
    assert "ordered already" in text_of(play.click("halt.confirm", preview.context["button"], RAJ))
    assert len(acts(play)) == 1


@pytest.mark.parametrize(("mode", "outcome"), [("live", "confirmed"), ("live", "failed"), ("dry_run", "dry_run")])
def test_a_button_pressed_again_when_its_incident_is_over_finds_its_halt(mode: str, outcome: str) -> None:
    play = Play(actions=mode, world=ends(outcome))
    preview = play.type("/halt all bad prices", RAJ)
    play.click("halt.confirm", preview.context["button"], RAJ)
    play.at(1).hear("incident.resolved", key=ID)
    assert not play.incident.is_open
    assert "ordered already" in text_of(play.at(31).click("halt.confirm", preview.context["button"], RAJ))
    assert list(play.incidents) == [ID]
    assert len(acts(play)) == 1


def test_an_old_button_that_would_take_a_halt_back_asks_to_resume() -> None:
    play = an_alert()
    halt(play)
    form = play.click("action.undo", f"{ID}|{play.incident.halts[0].run}", RAJ)
    assert isinstance(form, Form)
    assert form.name == "halt_resume"


def test_a_preview_that_was_a_rehearsal_never_halts_for_real() -> None:
    play = an_alert("dry_run")
    button = play.type("/halt all bad prices", RAJ).context["button"]
    play.actions = "live"
    said = text_of(play.click("halt.confirm", button, RAJ))
    assert "This preview was a rehearsal" in said
    assert "/halt all bad prices shows what will be sent" in said
    assert acts(play) == []


@pytest.mark.parametrize("opened", [True, False])
def test_a_form_that_was_a_rehearsal_never_halts_for_real(opened: bool) -> None:
    play = an_alert("dry_run") if opened else Play(actions="dry_run")
    form = play.type("/halt", RAJ)
    play.actions = "live"
    refused = play.send("halt", form.about, RAJ, scope="all", reason="bad prices")
    assert "This form was a rehearsal" in refused.errors["reason"]
    assert acts(play) == []
    play.actions = "dry_run"
    assert "DRY RUN" in text_of(play.send("halt", form.about, RAJ, scope="all", reason="bad prices"))

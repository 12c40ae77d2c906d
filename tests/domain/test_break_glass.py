"""Breaking the glass: a halt by somebody without the right to it is done, told at once, and reviewed."""

from datetime import timedelta

import pytest
from tests.domain.orders import IVY, RITA, SAM, a_play, a_toy, acts
from tests.domain.play import ID, Play, text_of

from warroom.domain import facts as f

pytestmark = pytest.mark.row("S2")


def broken(play: Play, reason: str = "orders run wild") -> str:
    shown = play.type(f"/halt break-glass all {reason}", SAM)
    return text_of(play.click("halt.glass", shown.context["button"], SAM))


def test_a_stranger_reads_that_they_may_not_halt_and_how_it_goes_in_an_emergency() -> None:
    play = a_play()
    said = text_of(play.type("/halt all orders run wild", SAM))
    assert "Only the people who may halt trading may do it" in said
    assert "/halt break-glass all REASON" in said
    assert acts(play) == []


def test_without_a_way_in_the_pack_there_is_none() -> None:
    play = a_play(packs=a_toy(glass=False))
    assert "break-glass" not in text_of(play.type("/halt all x", SAM))
    assert text_of(play.type("/halt break-glass all x", SAM)).startswith("denied")
    assert text_of(play.click("halt.glass", f"{ID}|run|lav_adaf|all|x", SAM)).startswith("denied")
    assert acts(play) == []


def test_the_preview_says_plainly_what_it_means_and_does_nothing() -> None:
    play = a_play()
    said = text_of(play.type("/halt break-glass all orders run wild", SAM))
    for part in (
        "You are not among the people who may halt trading",
        "#risk-alerts and #executive-emergency",
        "the risk managers and the CTO are paged",
        "a review is owed within 1 d",
        "POST executioner/api/halt",
        "nobody was told",
    ):
        assert part in said.replace("**", "")
    assert acts(play) == []
    assert play.whats(f.GlassBroken) == []


def test_confirmed_it_halts_once_and_everybody_learns_of_it_at_once() -> None:
    play = a_play()
    assert "Halt ordered (all), not confirmed yet" in broken(play)
    (act,) = acts(play)
    assert (act.data["operator"], act.data["reason"]) == ("Sam", "orders run wild")
    told = play.seen("glass_broken")
    assert sorted(t.partition(":")[0] for t in told) == ["executive", "risk", "room", "war_room"]
    assert all("orders run wild" in t and "who may not halt trading" in t for t in told)
    run = play.incident.halts[0].run
    assert play.made[ID, f"glass:{run}:page"].data["groups"] == ["risk_managers", "cto"]
    assert any("broke the glass" in str(e.data["text"]) for e in play.sent if e.kind == "pagerduty.note")
    (owed,) = play.whats(f.FollowUpAdded)
    assert owed.due == play.now + timedelta(hours=24)
    assert "Owed until" in play.seen("follow_up_added")[0].replace("**", "")
    assert [(x.run, x.reason) for x in play.whats(f.GlassBroken)] == [(run, "orders run wild")]
    assert "CONFIRMED" in play.panel()


def test_pressed_twice_it_is_sent_once() -> None:
    play = a_play()
    shown = play.type("/halt break-glass all x", SAM)
    play.click("halt.glass", shown.context["button"], SAM)
    assert "ordered already" in text_of(play.click("halt.glass", shown.context["button"], SAM))
    assert len(acts(play)) == 1
    assert len(play.whats(f.GlassBroken)) == 1


def test_the_ordinary_confirm_button_does_not_break_the_glass() -> None:
    play = a_play()
    shown = play.type("/halt break-glass all x", SAM)
    assert text_of(play.click("halt.confirm", shown.context["button"], SAM)).startswith("denied")
    assert acts(play) == []


def test_whoever_may_halt_breaks_no_glass() -> None:
    play = a_play()
    assert text_of(play.type("/halt break-glass all x", RITA)).startswith("halt_preview")
    play.click("halt.glass", f"{ID}|run|lav_adaf|all|x", RITA)
    assert play.whats(f.GlassBroken) == []
    assert len(acts(play)) == 1


def test_mistakes_are_answered_with_what_to_type() -> None:
    play = a_play()
    assert "/halt break-glass all wild" in text_of(play.type("/halt break-glass al wild", SAM))
    assert "needs a reason" in text_of(play.type("/halt break-glass all", SAM))
    assert "There is no scope" in text_of(play.type("/halt break-glass", SAM))


def test_it_is_for_halts_only() -> None:
    play = a_play()
    assert text_of(play.type("/incident action close-all lost", SAM)).startswith("denied")
    play.click("halt.glass", f"{ID}|run|lav_adaf|close-all|x", SAM)
    assert acts(play) == []


def test_without_an_incident_it_opens_one_and_its_button_works_once() -> None:
    play = Play(packs=a_toy())
    shown = play.type("/halt break-glass all orders run wild", SAM)
    play.click("halt.glass", shown.context["button"], SAM)
    assert "ordered already" in text_of(play.click("halt.glass", shown.context["button"], SAM))
    assert list(play.incidents) == [ID]
    assert len(acts(play)) == 1
    assert len(play.posts("glass_broken")) == 4


def test_a_rehearsal_says_so_and_switched_off_it_says_where_to_halt() -> None:
    play = a_play("dry_run")
    assert "DRY RUN" in text_of(play.type("/halt break-glass all x", SAM))
    broken(play)
    assert all("DRY RUN" in t for t in (*play.seen("glass_broken"), *play.seen("follow_up_added")))
    told = [e.data for e in play.sent if e.key.startswith("glass:") and e.kind.startswith("pagerduty.")]
    assert len(told) == 2
    assert all("DRY RUN" in str(data) for data in told)
    play = a_play("off")
    assert "switched off" in text_of(play.type("/halt break-glass all x", SAM))
    assert acts(play) == []


def test_somebody_who_cannot_be_looked_up_can_break_it_too() -> None:
    play = a_play()
    nobody = IVY.__class__("U0NEW", "New", verified=False)
    shown = play.type("/halt break-glass all x", nobody)
    play.click("halt.glass", shown.context["button"], nobody)
    assert len(acts(play)) == 1

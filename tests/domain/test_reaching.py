"""Milestones reached by what people do: a step that is done, an action that is confirmed, a word typed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.domain.play import PACK, RAJ, Play, a_pack, a_pack_with, text_of

from warroom.domain import facts as f
from warroom.domain.people import Actor
from warroom.domain.policy import Step
from warroom.domain.terms import Milestone

PROVE = Step(id="prove", title="Prove the data", owner="commander", start=timedelta(), reaches="validated")


def a_play(mode: str = "live") -> Play:
    """A pack with one step that reaches `validated`, and a regime set by hand that starts the recovery."""
    actions = dict(PACK.pack.actions)
    actions["manual-regime"] = replace(actions["manual-regime"], reaches="recovery_started")
    severities = a_pack(steps=(PROVE,))["lav_adaf"].pack.severities
    play = Play(packs=a_pack_with(severities=severities, actions=actions), actions=mode)
    play.alert()
    return play


def sets_the_regime(play: Play) -> None:
    preview = play.type("/incident action manual-regime The feed is away", actor=RAJ)
    play.click("action.confirm", preview.context["button"], RAJ)


def times(play: Play, milestone: Milestone) -> int:
    return sum(w.milestone == milestone for w in play.whats(f.MilestoneReached))


def test_a_step_that_is_done_reaches_its_milestone_once() -> None:
    play = a_play()
    play.at(1).type("/incident step done prove")
    assert play.incident.reached("validated") == play.now
    play.at(5)
    assert times(play, "validated") == 1


def test_a_skipped_step_reaches_nothing() -> None:
    play = a_play()
    play.type("/incident step skip prove nobody is there")
    assert play.at(5).incident.reached("validated") is None


def test_a_confirmed_action_reaches_its_milestone_and_a_rehearsed_one_does_not() -> None:
    live, dry = a_play(), a_play("dry_run")
    for play in (live, dry):
        sets_the_regime(play)
        sets_the_regime(play)
    assert times(live, "recovery_started") == 1
    assert times(dry, "recovery_started") == 0


@pytest.mark.parametrize("said", ["recovery_started", "recovery started", "Recovery-Started"])
def test_a_person_says_a_milestone_in_any_spelling(said: str) -> None:
    play = a_play()
    play.type(f"/incident milestone {said}")
    assert play.incident.reached("recovery_started") == play.now
    again = text_of(play.at(1).type(f"/incident milestone {said}"))
    assert "INC-2026-0001: recovery has begun already (14:31 UTC). Nothing was changed." in again
    assert times(play, "recovery_started") == 1


def test_what_nobody_can_say_gets_the_nearest_words_and_changes_nothing() -> None:
    play = a_play()
    assert "/incident milestone validated" in text_of(play.type("/incident milestone valdated"))
    assert "/incident milestone contained" in text_of(play.type("/incident milestone"))
    assert "Nobody can say that it is “resolved”" in text_of(play.type("/incident milestone resolved"))
    assert "reviewed after it is resolved" in text_of(play.type("/incident milestone reviewed"))
    play.hear("incident.resolved")
    assert "is resolved already" in text_of(play.type("/incident milestone contained"))
    play.type("/incident milestone reviewed")
    assert play.incident.reached("reviewed") == play.now
    assert times(play, "contained") == 0


def test_only_those_who_lead_or_have_a_role_say_how_far_it_is() -> None:
    play = a_play()
    stranger = Actor(slack_id="U9", name="Sam")
    assert text_of(play.type("/incident milestone validated", actor=stranger)).startswith("denied:")
    assert play.incident.reached("validated") is None
    assert [w.what for w in play.whats(f.Denied)] == ["/incident milestone validated"]
    play.type("/incident assign scribe <@U9|sam>")
    play.type("/incident milestone validated", actor=stranger)
    assert play.incident.reached("validated") == play.now

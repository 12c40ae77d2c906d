"""Command, roles and a lower severity: easy for whoever follows the incident, not for anybody anywhere."""

from dataclasses import replace

import pytest
from tests.domain.play import ANA, EVE, MINUTE, RAJ, Play, text_of

from warroom.domain import facts as f
from warroom.domain import inputs
from warroom.domain.people import Actor

MEI = Actor("U0MEI", "Mei")


def an_alert() -> Play:
    play = Play()
    play.alert()
    return play


def test_whoever_was_in_command_is_named_when_another_takes_it() -> None:
    play = an_alert()
    play.type("/incident take", actor=RAJ)
    play.wait(MINUTE)
    play.type("/incident take", actor=MEI)
    assert "@U0MEI is Incident commander instead of @U0RAJ." in play.seen("role_assigned")[-1]
    assert "instead" not in play.seen("role_assigned")[0]


def test_a_role_is_given_to_nobody_that_the_directory_does_not_know() -> None:
    play = an_alert()
    said = inputs.Command(
        actor=ANA,
        channel="CROOM",
        name="/incident",
        text="assign commander <@U0NOBODY99|zed>",
        trigger="t",
        nobody=("U0NOBODY99",),
    )
    assert "zed is a bot, or nobody with an account here" in text_of(play.give(said))
    assert play.incident.commander is None
    play.give(replace(said, nobody=()))
    assert play.incident.commander is not None


@pytest.mark.parametrize("typed", ["/incident take 1", "/incident assign 1 commander <@U0EVE|Eve>"])
def test_elsewhere_somebody_of_no_group_is_sent_to_the_room(typed: str) -> None:
    play = an_alert()
    answer = text_of(play.type(typed, actor=EVE, channel="CRANDOM"))
    assert "Join #inc-2026-0001-market-sentinel-down and type it there" in answer
    assert play.incident.commander is None
    assert len(play.whats(f.Denied)) == 1
    play.type(typed, actor=EVE, channel="CROOM")
    assert play.incident.commander == EVE.by


@pytest.mark.parametrize("who", [RAJ, replace(EVE, pagerduty_id="PEVE"), replace(EVE, verified=False)])
def test_elsewhere_command_is_open_to_groups_to_pagerdutys_people_and_to_whom_slack_cannot_tell(who: Actor) -> None:
    play = an_alert()
    play.type("/incident take 1", actor=who, channel="CRANDOM")
    assert play.incident.commander == who.by


def test_the_announcement_is_a_place_to_take_command_from() -> None:
    play = an_alert()
    play.type("/incident take 1", actor=EVE, channel="C1")  # where `succeed` posts everything outside the room
    assert play.incident.commander == EVE.by


def test_a_grave_incident_is_lowered_by_those_it_calls_and_by_its_commander_and_raised_by_anybody() -> None:
    play = an_alert()
    answer = text_of(play.type("/incident severity P3 nothing", actor=EVE))
    assert "Lowering P0 to P3 was not done" in answer
    assert "Only the incident commander, the engineers on call" in answer
    assert "/incident take" in answer
    assert play.incident.severity == "P0"
    play.type("/incident severity P1 smaller", actor=RAJ)
    assert play.incident.severity == "P1"
    play.type("/incident take", actor=MEI)
    assert "Ask @U0MEI now" in text_of(play.type("/incident severity P3 nothing", actor=EVE))
    play.type("/incident severity P2 smaller", actor=MEI)
    play.type("/incident severity P3 smaller still", actor=EVE)
    assert play.incident.severity == "P3"
    play.type("/incident severity P0 it is back", actor=EVE)
    assert play.incident.severity == "P0"


def test_a_grave_incident_is_resolved_by_nobody_who_has_no_part_in_it() -> None:
    play = an_alert()
    for answer in (
        play.type("/incident resolve", actor=EVE),
        play.click("incident.resolve", actor=EVE),
        play.send("resolve", actor=EVE, summary="over"),
    ):
        assert "Resolving a P0 was not done" in text_of(answer)
    assert play.incident.is_open
    play.type("/incident take", actor=EVE)
    play.send("resolve", actor=EVE, summary="over")
    assert not play.incident.is_open


def test_whoever_was_called_to_it_may_lower_it_without_a_group() -> None:
    play = an_alert()
    play.type("/incident severity P2 smaller", actor=replace(ANA, groups=frozenset()))
    assert play.incident.severity == "P2"

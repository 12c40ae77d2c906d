"""WARROOM_ACTIONS=off: nothing offers a halt that would be refused, and people read how it is done by hand."""

import json

import pytest
from tests.domain.play import PACKS, RAJ, Play, text_of

from warroom.domain.sending import by_hand
from warroom.packs.bindings import Binding
from warroom.packs.loader import loaded_pack, shipped

URL = f"{PACKS['lav_adaf'].pack.urls['executioner']}/api/emergency/halt-all"


def shown(actions: str) -> Play:
    play = Play(actions=actions, shown=[])
    play.alert()
    play.at(6)
    return play


def buttons(play: Play) -> int:
    blocks = json.dumps([part.blocks for message in play.shown or [] for part in message.parts])
    return blocks.count("halt.open")


def test_where_actions_are_off_no_message_has_a_button_to_halt() -> None:
    assert buttons(shown("live")) > 3
    assert buttons(shown("off")) == 0


def test_the_decision_about_halting_says_how_it_is_done_on_the_platform() -> None:
    play = shown("off")
    (asked,) = [text for text in play.seen("step_request") if "Engage the circuit breakers" in text]
    assert "Halting from here is switched off. On the platform itself:" in asked
    assert f"- Halt all trading: POST {URL}" in asked
    assert URL in play.seen("risk_escalation")[0]
    assert "a halt will be said here first" not in play.seen("p0_initial_alert")[0]
    assert "/halt says how it is done on the platform itself" in play.panel()
    assert "switched off" not in shown("live").seen("step_request")[0]


@pytest.mark.parametrize("typed", ["/halt", "/halt all bad prices"])
def test_a_halt_is_answered_with_what_to_send_by_hand(typed: str) -> None:
    play = shown("off")
    answer = text_of(play.type(typed, RAJ))
    assert "Halting is switched off here (WARROOM_ACTIONS=off). Nothing was sent." in answer
    assert f"POST {URL}" in answer
    assert "with the bearer token EMERGENCY_TOKEN" in answer
    assert play.incident.runs == ()


@pytest.mark.parametrize("pack", ["eafix", "pit", "market_data"])
def test_every_pack_says_how_each_of_its_halts_is_done_by_hand(pack: str) -> None:
    known = loaded_pack(shipped(pack), Binding()).pack
    scopes = [action for action in known.actions.values() if action.scope]
    assert len(by_hand(known)) == len(scopes)
    for action, line in zip(scopes, by_hand(known), strict=True):
        assert line.startswith(f"{action.title}: ")
        assert "://" in line or "RUN " in line or "SQL " in line

"""The conference bridge: PagerDuty's own, else the deployment's; an address is a bookmark, a number only text."""

from dataclasses import replace

import pytest
from tests.domain.play import PACK, Play

from warroom.domain.effects import Effect

OURS = "https://bridge.example/ours"


def a_play(setting: str = "", **details: object) -> Play:
    pack = replace(PACK, pack=replace(PACK.pack, bridge="conference"), contacts={"conference": setting})
    play = Play(packs={"lav_adaf": pack})
    play.alert(details=details)
    return play


def marks(play: Play) -> list[Effect]:
    return [e for e in play.sent if e.kind == "slack.bookmark" and "bridge" in e.key]


@pytest.mark.row("T3")
def test_the_deployments_bridge_is_shown_where_pagerduty_has_none() -> None:
    play = a_play(OURS)
    assert f"Bridge: {OURS}" in play.panel()
    assert f"Bridge: {OURS}" in play.render(play.made["INC-2026-0001", "announce"]).plain
    assert [mark.data["url"] for mark in marks(play)] == [OURS]


@pytest.mark.row("T3")
def test_pagerdutys_own_bridge_comes_before_it() -> None:
    theirs = {"url": "https://bridge.example/theirs", "number": None}
    play = a_play(OURS, conference_bridge=theirs)
    assert "Bridge: https://bridge.example/theirs" in play.panel()
    assert "https://bridge.example/theirs" in [mark.data["url"] for mark in marks(play)]


def test_a_number_to_dial_is_text_and_no_bookmark() -> None:
    play = a_play("", conference_bridge={"url": None, "number": "+1 555 0100"})
    assert "Bridge: +1 555 0100" in play.panel()
    assert marks(play) == []


def test_without_a_bridge_nothing_is_said_of_one() -> None:
    assert "Bridge" not in a_play().panel()


def test_another_bridge_given_in_pagerduty_is_told_in_the_room_and_replaces_the_one_before() -> None:
    play = a_play(OURS, conference_bridge={"url": "https://bridge.example/theirs"})
    before = len(play.sent)
    play.at(3).hear("incident.conference_bridge.updated", details={"conference_bridge": {"url": "https://b.example/2"}})
    assert "Bridge: https://b.example/2" in play.panel()
    assert "Conference bridge in PagerDuty: https://b.example/2" in play.seen("note")[0]
    assert [e for e in play.sent[before:] if e.kind == "slack.edit" and e.data["of"] == "announce"]
    assert (marks(play)[-1].data["title"], marks(play)[-1].data["url"]) == (
        "Conference bridge since Tue 17 Nov 2026, 14:34 UTC",
        "https://b.example/2",
    )
    play.hear("incident.conference_bridge.updated", details={"conference_bridge": {"url": "https://b.example/2"}})
    assert len(play.seen("note")) == 1
    play.hear("incident.conference_bridge.updated", details={})
    assert "taken away in PagerDuty" in play.seen("note")[1]
    assert f"Bridge: {OURS}" in play.panel()

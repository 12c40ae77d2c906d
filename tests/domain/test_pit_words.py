"""What the point-in-time pack says stays true: where its people meet, and what its halt really stops."""

from datetime import timedelta
from typing import Any

import pytest
from tests.domain.play import ID, Play, Went, succeed

from warroom.domain.effects import Effect
from warroom.domain.incident import Incident
from warroom.domain.inputs import EffectResult, LiftedElsewhere
from warroom.domain.people import Actor
from warroom.packs.bindings import Binding
from warroom.packs.loader import loaded_pack, shipped

PACKS = {"pit": loaded_pack(shipped("pit"), Binding(services=("PSVC1",)))}
HAL = Actor("U0HAL", "Hal", groups=frozenset({"halt_operators"}))
RITA = Actor("U0RITA", "Rita", groups=frozenset({"risk_managers"}))
LEAK = "Future information leakage in momentum_20d"


def a_play(world: Any = succeed) -> Play:
    play = Play(packs=PACKS, world=world)
    play.alert(title=LEAK)
    assert play.incident.severity == "P0"
    return play


def the_room_opens(play: Play) -> None:
    play.world = succeed
    made = {"channel": "CROOM", "name": "inc-2026-0001-leak"}
    play.give(EffectResult(incident=ID, key="room", kind="slack.room", outcome="done", result=made))


def edits(play: Play) -> dict[str, str]:
    """What each edited post shows now, by the key of the post."""
    return {str(e.data["of"]): play.render(e).plain for e in play.sent if e.kind == "slack.edit"}


def test_what_was_told_before_the_room_existed_links_it_as_soon_as_it_does() -> None:
    play = a_play(lambda e, i: None if e.kind == "slack.room" else succeed(e, i))
    for message, says in (("to_engineering", "Work in"), ("to_risk", "Please join")):
        (told,) = play.seen(message)
        assert f"{says} the room that is opening: in Slack its name begins with #inc-2026-0001" in told
    before = len(play.sent)
    the_room_opens(play)
    play.sent = play.sent[before:]
    shown = edits(play)
    assert "Work in #inc-2026-0001-leak." in shown["comm:p0_internal_engineering:1:engineering"]
    assert "Please join #CROOM and set what you know" in shown["comm:p0_internal_risk:1:risk"]
    assert "Room: #CROOM" in shown["announce"]
    assert play.broken == []


def test_that_a_post_which_failed_cannot_link_the_room_is_not_said_besides() -> None:
    post = "comm:p0_internal_risk:1:risk"
    edit = f"room.edit:{post}"
    play = a_play(lambda e, i: Went("refused", "channel_not_found") if e.key == post else succeed(e, i))
    assert play.made[ID, edit].after == (post, "room")
    play.give(EffectResult(incident=ID, key=edit, kind="slack.edit", outcome="refused", error=f"not tried: {post}"))
    (said,) = play.seen("dead_letter")
    assert "posting a message" in said
    assert "Posting a message: channel_not_found" in play.panel()
    assert "not tried" not in play.panel()


def test_what_is_told_when_the_room_exists_already_is_not_edited() -> None:
    play = a_play()
    assert play.at(5).posts("executive_notice")
    assert not [key for key in play.keys("room.edit:") if "executive" in key]


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (
            "confirmed",
            "The flow of trading signals is halted (signals). Trading desk: take no new position on a signal",
        ),
        ("failed", "The flow of trading signals is NOT halted by this order. Halt on the platform by hand now."),
        ("unknown", "Treat the flow of trading signals as NOT halted and check on the platform by hand now."),
    ],
)
def test_stopping_signals_is_told_as_that_and_never_as_a_halt_of_trading(outcome: str, says: str) -> None:
    play = a_play(ends(outcome))
    stop(play)
    for told in play.seen("action_settled"):
        assert says in told
        assert "rading is halted" not in told.replace("trading signals is halted", "")
        assert "send no new orders" not in told


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (
            "confirmed",
            "The flow of trading signals resumes (signals). Trading desk: strategies trade on signals again.",
        ),
        (
            "failed",
            "The flow of trading signals has NOT resumed by this order: the halt stands. Trading desk: as before,",
        ),
        ("unknown", "Do NOT treat the flow of trading signals as resumed: it is halted until somebody has looked"),
    ],
)
def test_resuming_signals_is_told_as_that(outcome: str, says: str) -> None:
    play = a_play()
    stop(play)
    play.world = ends(outcome)
    play.type("/diagnostics restoration")
    shown = play.type("/halt resume the feature is clean", HAL)
    play.click("action.confirm", shown.context["button"], HAL)
    (asked,) = play.incident.approvals
    play.click("approval.approve", f"{ID}|{asked.request.run}", RITA)
    told = [text for text in play.seen("action_settled") if "Resume trading signals" in text]
    assert {text.partition(":")[0] for text in told} == {"room", "incidents"}
    for text in told:
        assert says in text
        assert ("take no new position on a signal" in text) == (outcome != "confirmed")
        assert "orders again" not in text
        assert "send no orders" not in text


def test_a_halt_lifted_from_another_incident_is_told_in_the_same_words() -> None:
    play = a_play()
    stop(play)
    lifted = LiftedElsewhere(
        incident=ID,
        by_incident="INC-2026-0002",
        run="r",
        scopes=("signals",),
        outcome="confirmed",
        reason="the feature is clean",
        at=play.now,
        by=HAL.by,
        approved_by=(RITA.by,),
    )
    play.give(lifted)
    for told in play.seen("halt_lifted"):
        assert "the flow of trading signals resumes on the whole platform" in told


def test_a_halt_that_outlasts_its_incident_asks_of_the_desk_what_it_asked_before() -> None:
    play = a_play()
    stop(play)
    play.hear("incident.resolved")
    play.wait(timedelta(hours=1))
    assert play.posts("halt_stands")
    for told in play.seen("halt_stands"):
        assert "Trading desk: take no new position on a signal until you read here that signals resume." in told
        assert "send no new orders" not in told


def stop(play: Play) -> None:
    shown = play.type("/halt signals a feature looks ahead", HAL)
    play.click("halt.confirm", shown.context["button"], HAL)


def ends(outcome: str) -> Any:
    """A world in which the platform's acts end so."""

    def world(effect: Effect, incident: Incident) -> Any:
        if effect.kind == "platform.act":
            return {"run": effect.data["run"], "outcome": outcome, "detail": "read back"}
        return succeed(effect, incident)

    return world

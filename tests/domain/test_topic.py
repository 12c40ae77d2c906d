"""The room's topic says what the panel says: severity, halt, status, commander."""

from tests.domain.orders import CLARA, RITA, a_play, ends, press
from tests.domain.play import Play

from warroom.domain import facts as f


def topic(play: Play) -> str:
    """The newest topic that was set."""
    return str([e for e in play.sent if e.kind == "slack.topic"][-1].data["topic"])


def test_a_status_that_an_update_names_is_the_topics() -> None:
    play = Play()
    play.alert()
    play.send("update", summary="disk full", status="identified")
    assert topic(play) == "P0 · identified · No commander yet · Market Sentinel down"
    play.type("/incident take")
    assert topic(play) == "P0 · identified · Commander: Ana · Market Sentinel down"
    play.hear("incident.resolved")
    assert topic(play).startswith("P0 · resolved · ")
    play.hear("incident.reopened")
    assert topic(play).startswith(f"P0 · {play.incident.status} · ")


def test_what_does_not_change_the_topic_does_not_set_it() -> None:
    play = Play()
    play.alert()
    before = len([e for e in play.sent if e.kind == "slack.topic"])
    play.type("/incident note nothing of it")
    play.type("/incident ack")
    assert len([e for e in play.sent if e.kind == "slack.topic"]) == before


def test_a_halt_in_force_is_in_the_topic_and_out_of_it_when_trading_resumes() -> None:
    play = a_play()
    shown = play.type("/halt all bad prices", RITA)
    play.click("halt.confirm", shown.context["button"], RITA)
    assert topic(play).startswith("P0 · HALTED (all) · ")
    play.type("/diagnostics health")
    shown = play.type("/halt resume prices are good again", RITA)
    play.click("action.confirm", shown.context["button"], RITA)
    assert topic(play).startswith("P0 · HALTED (all) · ")
    press(play, "approve", CLARA)
    assert [w.outcome for w in play.whats(f.ActionSettled)] == ["confirmed", "confirmed"]
    assert "HALTED" not in topic(play)


def test_a_halt_that_nobody_is_sure_of_is_unknown_in_the_topic() -> None:
    play = a_play()
    play.world = ends({"halt-all": "unknown"})
    shown = play.type("/halt all bad prices", RITA)
    play.click("halt.confirm", shown.context["button"], RITA)
    assert topic(play).startswith("P0 · HALT UNKNOWN (all) · ")


def test_a_rehearsed_halt_is_not_in_the_topic() -> None:
    play = a_play("dry_run")
    shown = play.type("/halt all bad prices", RITA)
    play.click("halt.confirm", shown.context["button"], RITA)
    assert "HALT" not in topic(play)

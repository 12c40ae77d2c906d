"""Resolving lifts no halt: people are told again, hour by hour while the market is open, until somebody resumes."""

from datetime import timedelta

from tests.domain.orders import CLARA, RITA, a_play, acts, ends, press
from tests.domain.play import Play

HOUR = timedelta(hours=1)


def outlasted() -> Play:
    """Halted and resolved at 14:31 UTC, in New York 9:31 on a Tuesday; the market closes at 21:00 UTC."""
    play = a_play()
    play.click("halt.confirm", play.type("/halt all bad prices", RITA).context["button"], RITA)
    play.hear("incident.resolved")
    return play


def times(play: Play) -> list[str]:
    """When the room was told that the halt stands."""
    keys = {e.key.removeprefix("halt_stands:").partition("+")[0] for e in play.posts("halt_stands")}
    return sorted(key[8:16] for key in keys)


def test_while_the_market_is_open_it_is_said_every_hour_and_at_the_next_opening_again() -> None:
    play = outlasted()
    play.wait(24 * HOUR)
    assert times(play) == ["17T15:31", "17T16:31", "17T17:31", "17T18:31", "17T19:31", "17T20:31", "18T14:30"]
    told = play.seen("halt_stands")[0]
    for part in (
        "INC-2026-0001 is resolved and its halt still stands",
        "Trading halt (all): CONFIRMED by reading back",
        "send no new orders",
        "/halt resume REASON",
        "16:31 UTC while it stands",
    ):
        assert part in told
    assert {str(e.data["to"]) for e in play.posts("halt_stands")} >= {"room", "war_room"}


def test_of_a_halt_that_nobody_is_sure_of_it_says_that_nobody_knows() -> None:
    play = a_play()
    play.world = ends({"halt-all": "unknown"})
    play.click("halt.confirm", play.type("/halt all bad prices", RITA).context["button"], RITA)
    announcement = play.render(play.made["INC-2026-0001", "announce"]).plain
    assert "nobody knows whether trading has stopped. Ask the risk manager" in announcement
    play.hear("incident.resolved")
    play.wait(HOUR)
    told = play.seen("halt_stands")[0]
    assert "nobody knows whether its halt is in force" in told
    assert "ask the risk manager before you send new orders" in told
    assert "still stands" not in told
    play.world = ends({"resume-all": "confirmed"})
    play.type("/diagnostics health")
    play.click("action.confirm", play.type("/halt resume looked at it, it runs", RITA).context["button"], RITA)
    press(play, "approve", CLARA)
    play.wait(5 * HOUR)
    assert len(times(play)) == 1


def test_after_a_night_without_us_it_is_said_once() -> None:
    play = outlasted()
    play.sleep(30 * HOUR)
    assert len(times(play)) == 1


def test_once_trading_resumes_nothing_more_is_said_of_it() -> None:
    play = outlasted()
    play.wait(HOUR)
    play.type("/diagnostics health")
    play.click("action.confirm", play.type("/halt resume prices are good", RITA).context["button"], RITA)
    press(play, "approve", CLARA)
    assert len(acts(play, "resume-all")) == 1
    play.wait(5 * HOUR)
    assert len(times(play)) == 1


def test_of_an_open_incident_and_of_one_without_a_halt_nothing_is_said() -> None:
    play = a_play()
    play.click("halt.confirm", play.type("/halt all bad prices", RITA).context["button"], RITA)
    play.wait(3 * HOUR)
    assert times(play) == []
    play = a_play()
    play.hear("incident.resolved")
    play.wait(3 * HOUR)
    assert times(play) == []

"""What the market data pack says stays true while the incident moves on, and after it."""

from tests.domain.play import ANA, ID, Play

from warroom.domain.people import Actor
from warroom.packs.bindings import Binding
from warroom.packs.loader import loaded_pack, shipped

PACKS = {"market_data": loaded_pack(shipped("market_data"), Binding(services=("PSVC1",)))}


def a_play() -> Play:
    play = Play(packs=PACKS)
    play.alert(title="Ingestion stalled for XNYS", details={"stream_lag_seconds": 90})
    return play


def test_the_announcement_names_the_button_that_takes_command_only_while_it_is_there() -> None:
    play = a_play()
    shown = play.render(play.made[ID, "announce"])
    assert "nobody yet, press Take command" in shown.plain
    assert "incident.take" in str(shown.parts)
    play.hear("incident.resolved")
    over = play.render(play.made[ID, "announce"])
    assert "Resolved: the notice is below." in over.plain
    assert "incident.take" not in str(over.parts)
    for gone in ("Take command", "nobody yet", "waiting for the first acknowledgement"):
        assert gone not in over.plain


def test_executives_read_what_was_done_and_are_asked_for_nothing_they_cannot_do() -> None:
    play = a_play()
    play.type("/incident take", ANA)
    play.type("/incident milestone contained", ANA)
    (told,) = play.seen("stage_containment")
    assert told.startswith("leadership: Ingestion paused")
    assert "Done so far: Acknowledged after" in told
    assert "What is asked of you: no decision now." in told
    assert "consumers downstream are paused" not in told  # nobody paused them here
    assert "do nothing" not in told
    assert "The updates come in #incidents until it is resolved" in told


def test_executives_read_that_the_consumers_are_paused_where_they_are() -> None:
    play = a_play()
    engineer = Actor("U0LENA", "Lena", groups=frozenset({"data_engineers"}))
    shown = play.type("/incident action pause-consumers bad prices", engineer)
    play.click("action.confirm", shown.context["button"], engineer)
    (told,) = play.seen("stage_containment")
    assert "Pause the downstream consumers: CONFIRMED by reading back" in told

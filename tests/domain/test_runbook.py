"""The runbook in the room: shown, changed, and the vendor's words in the timeline."""

import pytest
from tests.domain.play import ID, PACK, Play, a_pack, text_of

from warroom.domain import facts as f
from warroom.domain.fact_lines import tell
from warroom.domain.policy import Communication


def a_play() -> Play:
    play = Play()
    play.alert()
    return play


@pytest.mark.row("E16")
def test_without_a_word_the_playbook_of_the_incident_is_shown_with_the_names_of_the_others() -> None:
    said = text_of(a_play().type("/incident runbook"))
    assert "Playbook: Market Sentinel down" in said
    assert "Resolution, in this order" in said
    assert "/incident runbook NAME: " in said
    assert all(name in said for name in PACK.pack.playbooks if name != "market_sentinel_down")


def test_another_playbook_is_posted_in_the_room_and_changes_what_applies() -> None:
    play = a_play()
    other = next(name for name in PACK.pack.playbooks if name != play.incident.playbook)
    assert "The playbook is now" in text_of(play.type(f"/incident runbook {other}"))
    assert play.incident.playbook == other
    assert PACK.pack.playbooks[other].title in play.seen("playbook")[-1]
    assert "is the playbook already" in text_of(play.type(f"/incident runbook {other}"))


def test_whoever_was_told_what_is_affected_reads_that_it_has_changed() -> None:
    play = a_play()
    play.type("/incident runbook kafka_backlog")
    (said,) = play.seen("playbook_changed")
    for words in (
        "war_room: ",
        "What is affected has changed: Market data and messages arrive late",
        "Told before: Market regime feed down",
        "Treat prices and signals on the screen as delayed",
        "next update by 14:46 UTC",
    ):
        assert words in said
    assert "Market data and messages arrive late" in play.seen("p0_initial_alert")[0]


def test_every_channel_that_was_told_so_far_reads_of_the_change_once() -> None:
    told = Communication(id="c", at="declared", message="executive_brief", channels=("executive", "war_room", "room"))
    later = Communication(id="l", at="contained", message="executive_brief", channels=("risk",))
    play = Play(a_pack(communications=(told, later)))
    play.alert()
    play.type("/incident runbook kafka_backlog")
    assert [e.data["to"] for e in play.posts("playbook_changed")] == ["war_room", "executive"]


def test_the_playbook_of_a_resolved_incident_stays_what_it_was() -> None:
    play = a_play()
    play.hear("incident.resolved")
    assert "is resolved: its playbook stays what it was" in text_of(play.type("/incident runbook kafka_backlog"))
    assert play.incident.playbook == "market_sentinel_down"
    assert play.posts("playbook_changed") == []
    assert "Playbook: Market Sentinel down" in text_of(play.type("/incident runbook"))


def test_a_mistyped_or_missing_playbook_gets_the_real_names() -> None:
    play = a_play()
    near = next(iter(PACK.pack.playbooks))
    assert f"/incident runbook {near}" in text_of(play.type(f"/incident runbook {near}x"))
    none = Play()
    none.alert(title="Something else", service_name="other", service_id="PSVC1")
    assert "No playbook fits by itself: say which one to use." in text_of(none.type("/incident runbook"))


@pytest.mark.row("T4")
def test_a_vendors_reference_is_told_in_the_room_and_stands_in_the_timeline() -> None:
    play = a_play()
    assert "Noted in the timeline" in text_of(play.type("/incident vendor TKT-77 their feed handler crashed"))
    assert "Vendor TKT-77: their feed handler crashed" in play.seen("note")[0]
    fact = next(x for x in play.facts[ID] if isinstance(x.what, f.NoteAdded))
    assert tell(fact, PACK) == "Vendor TKT-77: their feed handler crashed"
    assert "/incident vendor REFERENCE TEXT" in text_of(play.type("/incident vendor TKT-77"))

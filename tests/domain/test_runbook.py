"""The runbook in the room: shown, changed, and the vendor's words in the timeline."""

import pytest
from tests.domain.play import ID, PACK, Play, text_of

from warroom.domain import facts as f
from warroom.domain.fact_lines import tell


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

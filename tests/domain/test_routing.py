"""Where an input belongs: implied by the channel, named, or found; never guessed silently."""

from dataclasses import replace

import pytest
from tests.domain.play import ANA, EVE, PACK, RAJ, Play, text_of

from warroom.domain import facts as f
from warroom.domain.effects import Effect, Form, Reply
from warroom.domain.incident import Incident

OTHER = replace(PACK, pack=replace(PACK.pack, id="other", title="Other"), services=("PSVC2",))
TWO = {"lav_adaf": PACK, "other": OTHER}


def rooms(effect: Effect, incident: Incident) -> dict[str, object] | None:
    """Every incident has a room of its own: CROOM1, CROOM2, …"""
    return {"channel": f"CROOM{int(incident.id[-4:])}", "name": "r"} if effect.kind == "slack.room" else {}


def several(*severities: str) -> Play:
    """One open incident per severity, in that order."""
    play = Play(world=rooms)
    for number, severity in enumerate(severities):
        play.type(f"/incident declare {severity} trouble {number + 1}", channel="CELSE")
    return play


def target(answer: object) -> object:
    assert isinstance(answer, Reply), answer
    return answer.context["id"]


def test_a_channel_implies_its_incident() -> None:
    play = several("P1", "P2")
    assert target(play.type("/incident ack", channel="CROOM2")) == "INC-2026-0002"
    assert target(play.type("/incident-status", channel="CROOM1")) == "INC-2026-0001"
    assert target(play.type("/diagnostics", channel="CROOM2")) == "INC-2026-0002"


@pytest.mark.parametrize("name", ["2", "0002", "INC-2026-0002", "inc-2026-0002"])
def test_an_incident_is_named_by_number_or_id_from_anywhere(name: str) -> None:
    play = several("P1", "P2")
    assert target(play.type(f"/incident ack {name}", channel="CROOM1")) == "INC-2026-0002"


def test_an_unknown_name_is_said_to_be_unknown() -> None:
    play = several("P1")
    answer = text_of(play.type("/incident ack 42", channel="CROOM1"))
    assert "There is no incident “42”" in answer
    assert play.incident.reached("acknowledged") is None
    assert "There is no incident" in text_of(play.type("/incident ack INC-2025-0001", channel="CROOM1"))


@pytest.mark.parametrize("word", ["note", "update"])
def test_a_text_that_begins_with_a_number_is_a_text(word: str) -> None:
    play = several("P1", "P2")
    play.type(f"/incident {word} 2 venues are back", channel="CROOM1")
    assert "2 venues are back" in str(play.facts["INC-2026-0001"][-12:])
    assert "2 venues are back" not in str(play.facts["INC-2026-0002"])
    play.type(f"/incident {word} INC-2026-0002 500 errors", channel="CROOM1")
    said = [x.what for x in play.facts["INC-2026-0002"] if isinstance(x.what, f.NoteAdded | f.UpdateGiven)]
    assert "500 errors" in {getattr(s, "text", getattr(s, "summary", "")) for s in said}


def test_outside_a_room_a_number_before_a_text_names_the_open_incident_of_that_number() -> None:
    play = several("P1", "P2")
    assert isinstance(form := play.type("/incident update 1", channel="CELSE"), Form)
    assert form.about == "INC-2026-0001"
    play.type("/incident note 2 hello", channel="CELSE")
    assert [x.what.text for x in play.facts["INC-2026-0002"] if isinstance(x.what, f.NoteAdded)] == ["hello"]
    answer = text_of(play.type("/incident note 3 venues", channel="CELSE"))
    assert "/incident note INC-2026-0001 3 venues" in answer


def test_readings_asked_for_outside_a_room_are_repeated_with_the_incident_to_name() -> None:
    play = several("P1", "P2")
    answer = text_of(play.type("/diagnostics evidence", channel="CELSE"))
    assert "/diagnostics INC-2026-0002 evidence" in answer


def test_outside_a_room_with_several_open_the_person_is_asked_which() -> None:
    play = several("P2", "P1")
    answer = text_of(play.type("/incident ack", channel="CELSE"))
    assert answer.startswith("which_incident")
    assert "/incident ack INC-2026-0001" in answer
    assert "/incident ack INC-2026-0002" in answer
    assert all(i.reached("acknowledged") is None for i in play.incidents.values())


def test_outside_a_room_reading_the_only_incident_needs_no_name_and_changing_it_does() -> None:
    play = several("P1")
    assert target(play.type("/incident-status", channel="CELSE")) == "INC-2026-0001"
    assert target(play.type("/incident contacts", channel="CELSE")) == "INC-2026-0001"
    assert text_of(play.type("/incident ack", channel="CELSE")).startswith("which_incident")


def test_with_nothing_open_status_is_all_clear_and_the_rest_says_how_to_declare() -> None:
    play = Play()
    assert text_of(play.type("/incident-status")).startswith("all_clear")
    assert "/incident declare" in text_of(play.type("/incident ack"))
    assert "/incident declare" in text_of(play.type("/diagnostics"))


def test_a_halt_outside_a_room_belongs_to_the_most_severe_open_incident() -> None:
    play = several("P2", "P0", "P1")
    answer = play.type("/halt all bad prices", RAJ, channel="CELSE")
    assert answer.context["incident"] == "INC-2026-0002"
    play.send("resolve", "INC-2026-0002", summary="over")
    assert play.type("/halt all bad prices", RAJ, channel="CELSE").context["incident"] == "INC-2026-0003"


def test_of_equally_severe_incidents_the_newest_comes_first() -> None:
    play = several("P1")
    play.at(5).type("/incident declare P1 newer", channel="CELSE")
    assert play.type("/halt all bad prices", RAJ, channel="CELSE").context["incident"] == "INC-2026-0002"


def test_a_service_decides_the_pack_by_id_or_name() -> None:
    play = Play(TWO)
    play.alert(id="PA", service_id="PSVC2")
    play.alert(id="PB", service_id="PSVC1")
    play.alert(id="PC", service_id=None, service_name="PSVC2")
    assert [i.pack for i in play.incidents.values()] == ["other", "lav_adaf", "other"]


def test_an_alert_of_a_service_without_a_pack_is_written_down_and_opens_nothing() -> None:
    play = Play()
    play.alert(service_id="PNEW", service_name="Payroll")
    assert play.incidents == {}
    assert [s.what.kind for s in play.stray if isinstance(s.what, f.NoteAdded)] == ["unrouted"]
    assert "Payroll (PNEW)" in str(play.stray[0].what)
    assert "warroom.yaml" in str(play.stray[0].what)


def test_with_two_packs_declaring_opens_the_form_and_its_choice_decides() -> None:
    play = Play(TWO)
    form = play.type("/incident declare P1 trouble")
    assert isinstance(form, Form)
    assert form.context["packs"] == [
        {"value": "lav_adaf", "label": "LAV/ADAF"},
        {"value": "other", "label": "Other"},
    ]
    assert form.context["values"] == {"title": "trouble", "severity": "P1"}
    play.send("declare", "", title="trouble", severity="P1", pack="other")
    assert play.incident.pack == "other"


def test_an_incident_keeps_its_pack_however_it_is_addressed() -> None:
    play = Play(TWO)
    play.alert(id="PA", service_id="PSVC2")
    play.click("incident.ack")
    play.type("/incident take")
    play.hear("incident.annotated", id="PA", service_id="PSVC1", text="hm")
    assert len(play.incidents) == 1
    assert play.incident.commander == ANA.by


def test_a_slack_incident_is_recognised_when_pagerduty_answers_with_our_key() -> None:
    play = Play()
    play.type("/incident declare P1 trouble")
    trigger = next(e for e in play.sent if e.kind == "pagerduty.trigger")
    play.hear("incident.triggered", id="PNEW", key=str(trigger.data["dedup_key"]), title="[P1] trouble")
    assert list(play.incidents) == ["INC-2026-0001"]
    assert play.incident.pagerduty_id == "PNEW"
    assert play.incident.severity == "P1"


def test_buttons_and_forms_of_an_unknown_incident_say_so() -> None:
    play = Play()
    assert "not known here any more" in text_of(play.click("incident.ack", "INC-2025-0009"))
    assert "not known here any more" in text_of(play.send("update", "INC-2025-0009", summary="x"))
    assert play.facts == {}


def test_a_strangers_refused_halt_without_an_incident_is_recorded_all_the_same() -> None:
    play = Play()
    play.type("/halt all bad prices", EVE)
    assert [s.what.what for s in play.stray if isinstance(s.what, f.Denied)] == ["/halt"]
    assert play.incidents == {}

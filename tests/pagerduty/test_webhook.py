"""Webhooks: who sent them, and what they say."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warroom.domain.inputs import PagerDutyEvent, PagerDutyIncident
from warroom.domain.people import PAGERDUTY, By
from warroom.errors import BadRequest
from warroom.pagerduty.payload import readable_moment
from warroom.pagerduty.webhook import LARGEST, parse, verify

RECEIVED = datetime(2026, 11, 20, 14, 31, tzinfo=UTC)
INCIDENT: dict[str, Any] = {
    "id": "PGR0VU2",
    "type": "incident",
    "html_url": "https://firm.pagerduty.example/incidents/PGR0VU2",
    "number": 2,
    "status": "triggered",
    "incident_key": "d3640fbd",
    "created_at": "2026-11-20T14:30:00Z",
    "title": "Market Sentinel down",
    "service": {"id": "PF9KMXH", "summary": "market-sentinel", "type": "service_reference"},
    "assignees": [{"id": "PANA", "summary": "Ana"}, {"id": "PRAJ", "summary": "Raj"}],
    "priority": {"id": "PSO75BM", "summary": "P1"},
    "urgency": "high",
    "conference_bridge": {"conference_number": "+1 555 0100", "conference_url": "https://bridge.example/1"},
}
REFERENCE = {"id": "PGR0VU2", "type": "incident_reference", "summary": "Market Sentinel down"}
AGENT = {"id": "PANA", "type": "user_reference", "summary": "Ana"}


def body(kind: str, data: Any, **more: Any) -> bytes:
    event = {"id": "01EVENT", "event_type": kind, "occurred_at": "2026-11-20T14:30:05.169Z", "agent": AGENT}
    return json.dumps({"event": {**event, "data": data, **more}}).encode()


def heard(kind: str, data: Any, **more: Any) -> PagerDutyEvent:
    event = parse(body(kind, data, **more), RECEIVED).body
    assert isinstance(event, PagerDutyEvent)
    return event


def about(event: PagerDutyEvent) -> PagerDutyIncident:
    assert event.incident is not None
    return event.incident


def sign(content: bytes, *secrets: str) -> str:
    return ",".join("v1=" + hmac.new(s.encode(), content, hashlib.sha256).hexdigest() for s in secrets)


# -- signatures


def test_a_body_signed_with_our_secret_is_accepted() -> None:
    verify(b"{}", sign(b"{}", "s1"), ["s1"])


def test_while_a_secret_is_rotated_one_match_among_several_is_enough() -> None:
    verify(b"{}", sign(b"{}", "old", "new"), ["new"])
    verify(b"{}", sign(b"{}", "old"), ["new", "old"])
    verify(b"{}", "v2=abc, " + sign(b"{}", "new"), ["old", "new"])


@pytest.mark.parametrize(
    ("header", "content"),
    [
        ("", b"{}"),
        ("v1=", b"{}"),
        ("v1=0123", b"{}"),
        ("v1=\u00fc\u2603", b"{}"),
        (sign(b"{}", "s1").removeprefix("v1="), b"{}"),
        (sign(b"{}", "s1").replace("v1=", "v2="), b"{}"),
        (sign(b"{}", "retired"), b"{}"),
        (sign(b"{}", "s1"), b"{ }"),
    ],
    ids=["none", "empty", "short", "not ascii", "no version", "version 2", "retired secret", "changed body"],
)
def test_a_forged_body_is_answered_401(header: str, content: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        verify(content, header, ["s1", "s2"])
    assert refused.value.status == 401
    assert "s1" not in str(refused.value)


@pytest.mark.parametrize("secrets", [[], [""], ["  "]])
def test_without_a_secret_nothing_is_accepted_not_even_a_signature_with_an_empty_key(secrets: list[str]) -> None:
    with pytest.raises(BadRequest, match="PAGERDUTY_WEBHOOK_SECRET") as refused:
        verify(b"{}", sign(b"{}", "", "  "), secrets)
    assert refused.value.status == 403


def test_an_oversized_body_is_answered_413_however_well_it_is_signed() -> None:
    large = b" " * (LARGEST + 1)
    with pytest.raises(BadRequest) as refused:
        verify(large, sign(large, "s1"), ["s1"])
    assert refused.value.status == 413
    with pytest.raises(BadRequest) as refused:
        parse(large, RECEIVED)
    assert refused.value.status == 413


# -- what they say


def test_a_triggered_incident_is_read_in_full() -> None:
    given = parse(body("incident.triggered", INCIDENT), RECEIVED)
    assert (given.source, given.source_id, given.received) == ("pagerduty", "01EVENT", RECEIVED)
    assert given.body == PagerDutyEvent(
        type="incident.triggered",
        at=datetime(2026, 11, 20, 14, 30, 5, 169000, tzinfo=UTC),
        agent=By("pagerduty:PANA", "Ana"),
        people=("Ana", "Raj"),
        incident=PagerDutyIncident(
            id="PGR0VU2",
            title="Market Sentinel down",
            number=2,
            url="https://firm.pagerduty.example/incidents/PGR0VU2",
            status="triggered",
            urgency="high",
            priority="P1",
            service_id="PF9KMXH",
            service_name="market-sentinel",
            key="d3640fbd",
            created_at=datetime(2026, 11, 20, 14, 30, tzinfo=UTC),
            assignees=("Ana", "Raj"),
            details={"conference_bridge": {"url": "https://bridge.example/1", "number": "+1 555 0100"}},
        ),
    )


@pytest.mark.parametrize(
    "kind",
    [
        "incident.triggered",
        "incident.acknowledged",
        "incident.unacknowledged",
        "incident.resolved",
        "incident.reopened",
        "incident.escalated",
        "incident.reassigned",
        "incident.delegated",
        "incident.priority_updated",
        "incident.service_updated",
    ],
)
def test_events_with_the_incident_as_their_data_are_read(kind: str) -> None:
    event = heard(kind, INCIDENT)
    assert (event.type, about(event).id, about(event).priority) == (kind, "PGR0VU2", "P1")
    assert (event.people, event.text) == (("Ana", "Raj"), "")


@pytest.mark.parametrize(
    ("kind", "data", "text", "people"),
    [
        ("incident.annotated", {"type": "incident_note", "content": "restarting"}, "restarting", ()),
        (
            "incident.status_update_published",
            {"type": "incident_status_update", "message": "fix under way"},
            "fix under way",
            (),
        ),
        (
            "incident.responder.added",
            {
                "type": "incident_responder",
                "user": {"id": "PMEI", "summary": "Mei"},
                "message": "help",
                "state": "pending",
            },
            "help",
            ("Mei",),
        ),
        (
            "incident.responder.replied",
            {
                "type": "incident_responder",
                "user": {"id": "PMEI", "summary": "Mei"},
                "message": "help",
                "state": "accepted",
            },
            "accepted",
            ("Mei",),
        ),
        (
            "incident.conference_bridge.updated",
            {"type": "incident_conference_bridge", "conference_url": "https://b.example"},
            "",
            (),
        ),
    ],
)
def test_notes_updates_and_responders_carry_the_incident_inside(
    kind: str, data: dict[str, Any], text: str, people: tuple[str, ...]
) -> None:
    event = heard(kind, {**data, "id": "PNOTE", "incident": REFERENCE})
    assert (about(event).id, about(event).title) == ("PGR0VU2", "Market Sentinel down")
    assert (event.text, event.people) == (text, people)


def test_a_bridge_stands_where_the_incident_itself_carries_one() -> None:
    numbers = [{"label": "Dial in", "number": "+1 555 0100"}, {"label": "else", "number": "+1 555 0101"}]
    data = {"type": "incident_conference_bridge", "incident": REFERENCE, "conference_numbers": numbers}
    changed = heard("incident.conference_bridge.updated", {**data, "conference_url": "https://b.example"})
    assert about(changed).details == {"conference_bridge": {"url": "https://b.example", "number": "+1 555 0100"}}
    odd = {**data, "conference_numbers": [None, {"number": 7}], "conference_url": ["x"]}
    assert about(heard("incident.conference_bridge.updated", odd)).details == {}


def test_the_test_event_and_news_of_a_service_concern_no_incident() -> None:
    ping = heard("pagey.ping", {"message": "Hello from your friend Pagey!", "type": "ping"}, agent=None)
    assert (ping.incident, ping.text, ping.agent) == (None, "Hello from your friend Pagey!", PAGERDUTY)
    assert heard("service.updated", {"id": "PF9KMXH", "type": "service", "summary": "x"}).incident is None


def test_a_type_nobody_knows_is_an_event_all_the_same() -> None:
    assert heard("incident.sang_a_song", {"id": "PSONG", "type": "incident_song"}).incident is None
    assert about(heard("incident.sang_a_song", {"incident": REFERENCE, "type": "incident_song"})).id == "PGR0VU2"
    assert heard("planet.exploded", None).incident is None
    assert about(heard("incident.triggered", {"id": "P1", "type": ["odd"]})).id == "P1"


def test_older_payloads_and_absent_or_null_fields_are_read() -> None:
    old = {k: v for k, v in INCIDENT.items() if k not in ("incident_key", "created_at")}
    assert (about(heard("incident.triggered", old)).key, about(heard("incident.triggered", old)).created_at) == (
        None,
        None,
    )
    bare = about(heard("incident.triggered", {"id": "PGR0VU2"}, agent=None))
    assert bare == PagerDutyIncident(id="PGR0VU2")
    nulls = about(heard("incident.triggered", dict.fromkeys(INCIDENT) | {"id": "PGR0VU2", "type": "incident"}))
    assert nulls == PagerDutyIncident(id="PGR0VU2")


@pytest.mark.parametrize("wrong", [7.5, True, "text", ["list"], {"o": 1}])
def test_fields_of_a_wrong_shape_are_read_as_absent(wrong: object) -> None:
    references = ("service", "assignees", "assignments", "priority", "conference_bridge", "body", "alerts", "number")
    assert about(heard("incident.triggered", dict.fromkeys(references, wrong) | {"id": "P1"}, agent=wrong)) == (
        PagerDutyIncident(id="P1")
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("2026-11-20T14:30:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*INCIDENT, "incident"]), inner),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    event=st.fixed_dictionaries(
        {"id": st.just("1"), "event_type": st.sampled_from(["incident.triggered", "incident.responder.added"])},
        optional={"occurred_at": JSON, "agent": JSON, "data": JSON},
    )
)
def test_whatever_an_event_holds_it_becomes_an_input_or_a_bad_request(event: dict[str, Any]) -> None:
    try:
        parsed = parse(json.dumps({"event": event}).encode(), RECEIVED).body
    except BadRequest:
        return
    assert isinstance(parsed, PagerDutyEvent)
    assert parsed.incident is None or json.dumps(dict(parsed.incident.details), allow_nan=False)


def test_late_and_disordered_times_are_taken_as_they_are_in_utc() -> None:
    late = heard("incident.acknowledged", INCIDENT, occurred_at="2026-11-18T09:30:00-05:00")
    assert late.at == datetime(2026, 11, 18, 14, 30, tzinfo=UTC)
    assert late.at.tzinfo is UTC
    before_it_began = heard("incident.resolved", INCIDENT, occurred_at="2026-11-20T14:29:00Z")
    assert before_it_began.at < (about(before_it_began).created_at or RECEIVED)
    assert heard("incident.acknowledged", INCIDENT, occurred_at="2026-11-20T14:30:00").at.tzinfo is UTC
    assert heard("incident.acknowledged", INCIDENT, occurred_at=None).at == RECEIVED


def test_a_repeat_two_days_later_is_the_same_input() -> None:
    again = datetime(2026, 11, 22, 14, 31, tzinfo=UTC)
    first, second = (parse(body("incident.triggered", INCIDENT), at) for at in (RECEIVED, again))
    assert (first.source, first.source_id, first.body) == (second.source, second.source_id, second.body)


@pytest.mark.parametrize(
    "time", ["yesterday", "2026-13-01T00:00:00Z", 1700000000, {"utc": "x"}, "0001-01-01T00:00:00+14:00"]
)
def test_a_garbage_time_is_answered_400_in_a_sentence(time: object) -> None:
    for content in (
        body("incident.triggered", INCIDENT, occurred_at=time),
        body("incident.triggered", INCIDENT | {"created_at": time}),
    ):
        with pytest.raises(BadRequest, match=r"01EVENT.*ISO 8601") as refused:
            parse(content, RECEIVED)
        assert refused.value.status == 400


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "9999-12-31"])
def test_a_time_of_another_age_is_answered_400_in_a_sentence_and_read_as_none_elsewhere(time: str) -> None:
    for content in (
        body("incident.triggered", INCIDENT, occurred_at=time),
        body("incident.triggered", INCIDENT | {"created_at": time}),
    ):
        with pytest.raises(BadRequest, match=r"01EVENT.*not in the years 2000 to 2100") as refused:
            parse(content, RECEIVED)
        assert refused.value.status == 400
    assert readable_moment(time) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe{}",
        '{"event": {"id": "é"}}'.encode("latin-1"),
        b"[]",
        b"null",
        b"{}",
        b'{"event": []}',
        b'{"messages": []}',
        b'{"event": {"id": "1"}}',
        b'{"event": {"event_type": "incident.triggered"}}',
        b'{"event": {"id": 1, "event_type": "incident.triggered"}}',
        b'{"event": {"id": "1", "event_type": "incident.triggered", "data": []}}',
        b'{"event": {"id": "1", "event_type": "x", "data": {"n": NaN}}}',
        b'{"event": ' + b"[" * 200_000,
        b'{"event": {"id": "' + b"x" * 201 + b'", "event_type": "x"}}',
        b'{"event": {"id": "1", "event_type": "x", "data": {"n": ' + b"9" * 5000 + b"}}}",
    ],
)
def test_what_is_no_event_is_answered_400_in_a_sentence(content: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(content, RECEIVED)
    assert refused.value.status == 400
    assert str(refused.value).endswith(".")


# -- details


def test_details_are_taken_from_wherever_the_payload_carries_them_the_first_word_counting() -> None:
    data = INCIDENT | {
        "conference_bridge": None,
        "body": {"details": {"lag": 1200}},
        "alerts": [
            {
                "severity": "critical",
                "body": {
                    "details": {"venue": "XNYS", "lag": 5},
                    "cef_details": {"source_component": "feed", "details": {"rate": 0.5}},
                },
            },
            {"body": {"custom_details": {"venue": "XNAS", "book": "eq"}}},
            "no alert",
        ],
    }
    assert about(heard("incident.triggered", data)).details == {
        "lag": 1200,
        "venue": "XNYS",
        "rate": 0.5,
        "component": "feed",
        "severity": "critical",
        "book": "eq",
    }


def test_text_from_outside_stays_what_it_is() -> None:
    nasty = "<!channel> *bold* <https://x.example|click> & {{ 7 * 7 }}"
    event = heard("incident.triggered", INCIDENT | {"title": nasty, "body": {"details": {nasty: nasty}}})
    assert about(event).title == nasty
    assert about(event).details[nasty] == nasty


def test_what_no_database_can_hold_is_replaced() -> None:
    data = INCIDENT | {"title": "a\x00b\ud800c", "body": {"details": {"deep": json.loads("[" * 60 + "]" * 60)}}}
    content = body("incident.triggered", data).replace(b'"high"', b'"high", "custom_details": {"n": 1e999}')
    event = parse(content, RECEIVED).body
    assert isinstance(event, PagerDutyEvent)
    assert about(event).title == "a\ufffdb?c"
    assert about(event).details["n"] == "inf"
    stored = json.dumps(about(event).details, allow_nan=False)
    assert stored.count("[") < 25
    stored.encode()

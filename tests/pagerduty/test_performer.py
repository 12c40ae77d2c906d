"""The effects on PagerDuty: done once, told with PagerDuty's times, and found again when their answer was lost."""

import logging
from datetime import timedelta

import aiohttp
import pytest
from tests.pagerduty.conftest import People, a_job
from tests.pagerduty.loopback import ROUTING_KEY, START, PagerDuty, ref

from warroom.errors import Refused, TryAgain, Uncertain
from warroom.pagerduty.client import Client
from warroom.pagerduty.events import Events
from warroom.pagerduty.performer import PagerDutyPerformer

ACK = {"status": "acknowledged", "by": "slack:U1"}
RESOLVE = {"status": "resolved", "by": "slack:U1"}
PAGE = {"groups": ["risk"], "message": "INC-2026-0042 P0: please join."}
TRIGGER = {"summary": "[P0] down", "severity": "critical", "details": {"incident": "INC-2026-0042"}, "dedup_key": "k1"}


def iso(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


# -- status


async def test_acknowledging_tells_pagerdutys_own_time_in_the_name_of_the_person(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    pagerduty.tick(95)
    assert await performer.perform(a_job("change", ACK)) == {"at": iso(95), "status": "acknowledged"}
    assert pagerduty.incidents["PINC1"]["last_status_change_by"]["summary"] == "Ana"


async def test_resolving_tells_pagerdutys_own_time(pagerduty: PagerDuty, performer: PagerDutyPerformer) -> None:
    pagerduty.open()
    pagerduty.tick(600)
    assert await performer.perform(a_job("change", RESOLVE)) == {"at": iso(600), "status": "resolved"}


async def test_an_incident_acknowledged_already_is_a_success_with_the_earlier_time(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    pagerduty.tick(30)
    pagerduty.acknowledge(who="PRAJ")
    pagerduty.tick(60)
    assert await performer.perform(a_job("change", ACK)) == {"at": iso(30), "status": "acknowledged"}
    assert pagerduty.calls("PUT") == []


async def test_acknowledging_never_reopens_a_resolved_incident(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    pagerduty.tick(30)
    pagerduty.acknowledge()
    pagerduty.tick(30)
    pagerduty.unacknowledge()
    pagerduty.tick(30)
    pagerduty.acknowledge()
    pagerduty.tick(30)
    pagerduty.resolve()
    assert await performer.perform(a_job("change", ACK)) == {"at": iso(90), "status": "resolved"}
    assert pagerduty.incidents["PINC1"]["status"] == "resolved"


async def test_resolved_without_ever_being_acknowledged_counts_from_the_resolution(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    pagerduty.tick(45)
    pagerduty.resolve()
    assert await performer.perform(a_job("change", ACK)) == {"at": iso(45), "status": "resolved"}
    assert await performer.perform(a_job("change", RESOLVE)) == {"at": iso(45), "status": "resolved"}


async def test_losing_a_race_to_resolve_is_a_success(pagerduty: PagerDuty, performer: PagerDutyPerformer) -> None:
    pagerduty.open()
    answer = pagerduty.put_incident

    def quicker(*given: object) -> object:
        pagerduty.tick(5)
        pagerduty.resolve(who="PRAJ")
        return answer(*given)  # type: ignore[arg-type]

    pagerduty.put_incident = quicker  # type: ignore[assignment,method-assign]
    assert await performer.perform(a_job("change", RESOLVE)) == {"at": iso(5), "status": "resolved"}


@pytest.mark.parametrize("data", [ACK, RESOLVE])
async def test_a_change_whose_answer_was_lost_is_found(
    pagerduty: PagerDuty, performer: PagerDutyPerformer, data: dict[str, str]
) -> None:
    pagerduty.open()
    assert await performer.find(a_job("change", data)) is None
    pagerduty.tick(20)
    pagerduty.fail("PUT", "drop_after")
    with pytest.raises(Uncertain):
        await performer.perform(a_job("change", data))
    assert await performer.find(a_job("change", data)) == {"at": iso(20), "status": data["status"]}


async def test_a_change_that_was_lost_on_its_way_is_not_found(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    pagerduty.fail("PUT", "drop_before")
    with pytest.raises(Uncertain):
        await performer.perform(a_job("change", ACK))
    assert await performer.find(a_job("change", ACK)) is None


async def test_what_cannot_be_read_back_now_is_asked_again(pagerduty: PagerDuty, performer: PagerDutyPerformer) -> None:
    pagerduty.open()
    for kind, data in (("change", ACK), ("note", {"text": "x"}), ("page", PAGE), ("escalate", {})):
        pagerduty.fail("GET /incidents", "500")
        with pytest.raises(TryAgain):
            await performer.find(a_job(kind, data))


async def test_an_incident_is_set_to_nothing_else(pagerduty: PagerDuty, performer: PagerDutyPerformer) -> None:
    with pytest.raises(Refused, match="triggered"):
        await performer.perform(a_job("change", {"status": "triggered"}))
    with pytest.raises(Refused, match="status"):
        await performer.perform(a_job("change", {}))
    assert pagerduty.requests == []


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("change", ACK),
        ("priority", {"priority": "P0"}),
        ("note", {"text": "x"}),
        ("page", PAGE),
        ("escalate", {"message": "x"}),
    ],
)
async def test_what_has_no_incident_in_pagerduty_yet_waits_for_it(
    pagerduty: PagerDuty, performer: PagerDutyPerformer, kind: str, data: dict[str, object]
) -> None:
    with pytest.raises(TryAgain, match="INC-2026-0042 has no incident in PagerDuty yet"):
        await performer.perform(a_job(kind, data, linked=False))
    assert pagerduty.calls("PUT|POST") == []


async def test_all_kinds_draw_on_the_accounts_limit(performer: PagerDutyPerformer) -> None:
    assert {performer.buckets(a_job(k.removeprefix("pagerduty."), {})) for k in performer.kinds} == {("pagerduty",)}
    with pytest.raises(Refused, match=r"pagerduty\.sing"):
        await performer.perform(a_job("sing", {}))


# -- priority and notes


async def test_a_severity_is_set_by_the_packs_name_for_it(pagerduty: PagerDuty, performer: PagerDutyPerformer) -> None:
    pagerduty.open()
    job = a_job("priority", {"priority": "P0"})
    assert await performer.find(job) is None
    assert await performer.perform(job) == {}
    assert pagerduty.incidents["PINC1"]["priority"]["summary"] == "P1"
    assert await performer.find(job) == {}


async def test_a_priority_the_account_lacks_is_refused_with_those_it_has(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    with pytest.raises(Refused, match="no priority 'P3'; there are P1, P2"):
        await performer.perform(a_job("priority", {"priority": "P3"}))


async def test_a_note_is_written_as_the_person_and_found_by_its_words(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    job = a_job("note", {"text": "[warroom] contained:\r\n halted", "by": {"id": "slack:U1", "name": "Ana"}})
    pagerduty.fail("POST", "drop_after")
    with pytest.raises(Uncertain):
        await performer.perform(job)
    pagerduty.notes["PINC1"][0]["content"] = "[warroom] contained:\n halted "
    assert await performer.find(job) == {}
    assert pagerduty.notes["PINC1"][0]["user"]["summary"] == "Ana"


async def test_the_same_words_of_an_hour_ago_are_another_note(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    await performer.perform(a_job("note", {"text": "again"}))
    assert await performer.find(a_job("note", {"text": "again"}, at=START + timedelta(hours=1))) is None
    assert await performer.find(a_job("note", {"text": "other"})) is None


# -- paging


async def test_paging_asks_everybody_with_an_account_at_once_and_names_the_others(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    assert await performer.perform(a_job("page", PAGE)) == {"paged": ["Ana", "Raj"], "missing": ["Nobody", "Tom"]}
    (made,) = pagerduty.incidents["PINC1"]["responder_requests"]
    targets = [t["responder_request_target"]["id"] for t in made["responder_request_targets"]]
    assert (targets, made["message"], made["requester"]["id"]) == (["PANA", "PRAJ"], PAGE["message"], "PBOT")


async def test_the_group_on_call_is_whoever_is_on_call_for_the_service(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    result = await performer.perform(a_job("page", {"groups": ["on_call", "desk"], "message": "help"}))
    assert result == {"paged": ["Ana", "Mei", "Raj"], "missing": ["Tom"]}


async def test_the_first_on_call_are_those_of_the_first_level(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    result = await performer.perform(a_job("page", {"groups": ["first_on_call"], "message": "help"}))
    assert result["paged"] == [pagerduty.users[u][0] for u in pagerduty.levels[0]]


async def test_pages_of_one_moment_ring_each_phone_once(pagerduty: PagerDuty, performer: PagerDutyPerformer) -> None:
    pagerduty.open()
    once = {"groups": ["risk"], "message": "the clock ran out", "once_in": 60}
    assert (await performer.perform(a_job("page", once)))["paged"] == ["Ana", "Raj"]
    late = a_job("page", {**once, "groups": ["on_call", "risk"], "message": "the step is late"})
    result = {"paged": ["Mei"], "missing": ["Nobody", "Tom"], "rung": ["Ana", "Raj"]}
    assert await performer.perform(late) == result
    again = a_job("page", {**once, "groups": ["on_call"], "message": "another"})
    assert (await performer.perform(again))["paged"] == []
    assert len(pagerduty.incidents["PINC1"]["responder_requests"]) == 2
    pagerduty.tick(61)
    later = a_job("page", once, at=START + timedelta(seconds=61))
    assert (await performer.perform(later))["paged"] == ["Ana", "Raj"]


@pytest.mark.parametrize(("urgency", "paged"), [("high", ["Raj"]), ("low", ["Ana", "Raj"])])
async def test_whom_the_alert_itself_calls_is_not_called_again_with_it(
    pagerduty: PagerDuty, performer: PagerDutyPerformer, urgency: str, paged: list[str]
) -> None:
    incident = pagerduty.open()
    incident["urgency"] = urgency
    incident["assignments"] = [{"at": incident["created_at"], "assignee": ref("user", "PANA", "Ana")}]
    assert (await performer.perform(a_job("page", {**PAGE, "once_in": 60})))["paged"] == paged


async def test_nobody_on_call_does_not_keep_us_from_paging_the_others(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    pagerduty.fail("GET /services", "404")
    result = await performer.perform(a_job("page", {"groups": ["on_call", "risk"], "message": "help"}))
    assert result["paged"] == ["Ana", "Raj"]
    assert any("on-call" in m for m in result["missing"])  # type: ignore[attr-defined]


async def test_paging_nobody_is_never_a_success(pagerduty: PagerDuty, performer: PagerDutyPerformer) -> None:
    pagerduty.open()
    with pytest.raises(Refused, match="Nobody was paged: none of Tom has a PagerDuty account"):
        await performer.perform(a_job("page", {"groups": ["desk"], "message": "help"}))


async def test_whoever_asks_is_not_paged_for_it_nor_when_on_call(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    page = {"groups": ["on_call", "risk"], "message": "help", "but": {"id": "slack:U1", "name": "Ana"}}
    job = a_job("page", page)
    result = {"paged": ["Mei", "Raj"], "missing": ["Nobody", "Tom"], "spared": ["Ana"]}
    assert await performer.perform(job) == result
    assert await performer.find(job) == result
    (made,) = pagerduty.incidents["PINC1"]["responder_requests"]
    targets = [t["responder_request_target"]["id"] for t in made["responder_request_targets"]]
    assert sorted(targets) == ["PMEI", "PRAJ"]


async def test_whoever_asks_is_known_by_their_mail_where_slack_tells_no_pagerduty_id(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    page = {"groups": ["risk"], "message": "help", "but": {"id": "slack:U2", "name": "Raj"}}
    result = {"paged": ["Ana"], "missing": ["Nobody", "Tom"], "spared": ["Raj"]}
    assert await performer.perform(a_job("page", page)) == result


async def test_where_only_whoever_asks_could_be_paged_it_says_whom_to_call(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    page = {"groups": ["risk_alone", "desk"], "message": "help", "but": {"id": "slack:U1", "name": "Ana"}}
    with pytest.raises(Refused, match=r"Nobody else was paged: .* can only reach Ana, who asks. Call Tom yourselves"):
        await performer.perform(a_job("page", page))
    assert pagerduty.incidents["PINC1"]["responder_requests"] == []


async def test_paging_needs_a_user_to_ask_in_the_name_of(pagerduty: PagerDuty, performer: PagerDutyPerformer) -> None:
    pagerduty.open()
    del pagerduty.users["PBOT"]
    with pytest.raises(Refused, match="PAGERDUTY_FROM_EMAIL"):
        await performer.perform(a_job("page", PAGE))


@pytest.mark.parametrize("shape", ["responder_requests", "incidents_responders"])
async def test_a_page_whose_answer_was_lost_is_found(
    pagerduty: PagerDuty, performer: PagerDutyPerformer, shape: str
) -> None:
    incident = pagerduty.open()
    job = a_job("page", PAGE)
    assert await performer.find(job) is None
    pagerduty.fail("POST .*responder", "drop_after")
    with pytest.raises(Uncertain):
        await performer.perform(job)
    if shape == "incidents_responders":
        (made,) = incident.pop("responder_requests")
        incident[shape] = [
            {"user": ref("user", t["responder_request_target"]["id"], ""), **made}
            for t in made["responder_request_targets"]
        ]
    assert await performer.find(job) == {"paged": ["Ana", "Raj"], "missing": ["Nobody", "Tom"]}
    assert await performer.find(a_job("page", {**PAGE, "message": "another"})) is None
    assert await performer.find(a_job("page", {**PAGE, "groups": ["risk", "on_call"]})) is None
    assert await performer.find(a_job("page", PAGE, at=START + timedelta(hours=1))) is None


# -- escalation


async def test_escalating_wakes_the_next_level_with_the_message_as_a_note(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    incident = pagerduty.open()
    job = a_job("escalate", {"message": "commander is late"})
    assert await performer.find(job) is None
    assert await performer.perform(job) == {"level": 2}
    assert [a["assignee"]["id"] for a in incident["assignments"]] == ["PRAJ", "PMEI"]
    assert [n["content"] for n in pagerduty.notes["PINC1"]] == ["[warroom] commander is late"]
    assert await performer.find(job) == {"level": 2}


async def test_an_escalation_stands_although_its_note_failed(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    pagerduty.fail("POST", "500")
    assert await performer.perform(a_job("escalate", {"message": "x"})) == {"level": 2}


async def test_somebody_on_two_levels_does_not_stop_the_escalation(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.levels = [["PANA"], ["PANA", "PRAJ"], ["PMEI"]]
    pagerduty.open()
    for level in (2, 3):
        assert await performer.perform(a_job("escalate", {})) == {"level": level}


async def test_at_the_last_level_and_when_resolved_nobody_is_woken_and_that_is_said(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    pagerduty.escalated("PINC1", 2, None)
    with pytest.raises(Refused, match="level 2, the last one"):
        await performer.perform(a_job("escalate", {}))
    pagerduty.resolve()
    with pytest.raises(Refused, match="resolved"):
        await performer.perform(a_job("escalate", {}))
    assert pagerduty.calls("PUT") == []


async def test_an_escalation_whose_answer_was_lost_is_found_but_no_older_one_and_no_time_out(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    pagerduty.open()
    pagerduty.escalated("PINC1", 1, ref("user", "PANA", "Ana"))
    later = pagerduty.tick(600)
    pagerduty.escalated("PINC1", 1, ref("service", "PSVC", ""), channel="timeout")
    job = a_job("escalate", {}, at=later)
    assert await performer.find(job) is None
    pagerduty.fail("PUT", "drop_after")
    with pytest.raises(Uncertain):
        await performer.perform(job)
    assert await performer.find(job) == {"level": 2}


# -- raising an alert


async def test_an_alert_is_raised_through_the_events_api(pagerduty: PagerDuty, performer: PagerDutyPerformer) -> None:
    assert await performer.perform(a_job("trigger", TRIGGER, linked=False)) == {}
    (event,) = pagerduty.events
    assert (event["event_action"], event["dedup_key"], event["payload"]["severity"]) == ("trigger", "k1", "critical")
    assert event["payload"]["custom_details"] == {"incident": "INC-2026-0042"}
    assert event["payload"]["source"]


async def test_our_own_severities_and_long_summaries_fit_the_events_api(
    pagerduty: PagerDuty, performer: PagerDutyPerformer
) -> None:
    for severity, theirs in (("P0", "critical"), ("P1", "error"), ("P2", "warning"), ("P3", "info")):
        await performer.perform(a_job("trigger", TRIGGER | {"severity": severity, "summary": "x" * 3000}))
        assert pagerduty.events[-1]["payload"]["severity"] == theirs
        assert len(pagerduty.events[-1]["payload"]["summary"]) == 1024


@pytest.mark.parametrize("kind", ["429", "500", "502", "503", "drop_before", "drop_after", "hang"])
async def test_an_alert_is_simply_sent_again_as_its_key_makes_it_one(
    pagerduty: PagerDuty, performer: PagerDutyPerformer, kind: str
) -> None:
    pagerduty.fail("POST /events", kind)
    with pytest.raises(TryAgain) as again:
        await performer.perform(a_job("trigger", TRIGGER))
    assert again.value.after == (7 if kind in ("429", "503") else None)
    assert await performer.find(a_job("trigger", TRIGGER)) is None
    await performer.perform(a_job("trigger", TRIGGER))
    assert {e["dedup_key"] for e in pagerduty.events} == {"k1"}


async def test_a_refused_alert_says_what_to_check_without_the_key(
    pagerduty: PagerDuty,
    client: Client,
    performer: PagerDutyPerformer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("tests.pagerduty.loopback.ROUTING_KEY", "another")
    with pytest.raises(Refused, match="Check PAGERDUTY_ROUTING_KEY") as refused:
        await performer.perform(a_job("trigger", TRIGGER))
    assert "***" in str(refused.value)
    assert ROUTING_KEY not in str(refused.value) + caplog.text
    with pytest.raises(Refused, match="set PAGERDUTY_ROUTING_KEY"):
        await PagerDutyPerformer(client, People()).perform(a_job("trigger", TRIGGER))
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Refused, match="set PAGERDUTY_ROUTING_KEY"):
            await Events(session, "", f"{pagerduty.url}/events").trigger("down", "P0", {}, "k1")


async def test_a_status_update_needs_somebody_who_writes_its_text(client: Client) -> None:
    with pytest.raises(Refused, match="nothing here writes its text"):
        await PagerDutyPerformer(client, People()).perform(a_job("update", {"message": "status_update"}))

"""{name}s of probes and actions: filled from what is known, never more than a value."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.platform.support import Says, Service, StoryClock, surroundings

from warroom.domain.policy import Action, Expect, Parameter, Probe, ReadBack
from warroom.domain.slots import binds
from warroom.platform.actions import Order, act, look_again
from warroom.platform.probes import run_probe


async def test_a_value_in_a_path_is_quoted(service: Service, http: httpx.AsyncClient) -> None:
    service.answers["/lag/a%2Fb%3Fx%3D1"] = Says({"lag": 12})
    probe = Probe(title="Lag", http="data/lag/{market}", expect=(Expect(value="lag", under=60),))
    here = surroundings(http, urls={"data": service.url}).knowing({"market": "a/b?x=1"})
    assert (await run_probe("lag", probe, here)).state == "ok"


async def test_a_value_that_is_not_known_is_asked_for(http: httpx.AsyncClient) -> None:
    here = surroundings(http, urls={"data": "http://127.0.0.1:1"})
    result = await run_probe("lag", Probe(title="Lag", http="data/lag/{market}"), here)
    assert (result.state, result.summary) == (
        "error",
        "market is not known yet: /incident set market VALUE, then run it again",
    )


async def test_a_test_of_the_platform_is_posted_with_its_body(service: Service, http: httpx.AsyncClient) -> None:
    service.answers["/test/validate"] = Says({"valid": True})
    probe = Probe(
        title="Validate",
        http="risk/test/validate",
        method="POST",
        body={"symbol": "{symbol}", "confidence": 0.8},
        changes_nothing="a test signal that is not traded",
        expect=(Expect(value="valid", equals=True),),
    )
    here = surroundings(http, urls={"risk": service.url}).knowing({"symbol": "EURUSD"})
    assert (await run_probe("v", probe, here)).state == "ok"
    (asked,) = service.sent("/test/validate")
    assert (asked.method, asked.body) == ("POST", b'{"symbol":"EURUSD","confidence":0.8}')


async def test_a_value_in_a_command_is_never_more_than_a_part_of_one_argument(http: httpx.AsyncClient) -> None:
    probe = Probe(title="Echo", command=("echo", "market={market}"))
    here = surroundings(http, tools={"echo": ("/usr/bin/printf", "[%s]")}).knowing({"market": "a b; rm -rf / $(x)"})
    assert (await run_probe("e", probe, here)).raw == "[market=a b; rm -rf / $(x)]"


def test_quoted_colons_and_casts_are_no_bound_parameters() -> None:
    sql = """SELECT ':a', "x:b", '12:30'::time, c::int FROM t WHERE d = :d AND e = 'it''s :f'"""
    assert binds(sql) == {"d"}


def an_order(action: Action, **given: Any) -> Order:
    defaults: dict[str, Any] = {
        "read_back": None,
        "parameters": {},
        "reason": "leak",
        "operator": "Ana",
        "incident": "INC-2026-0042",
        "run": "r1",
        "fields": {"market": "NYSE"},
    }
    return Order(action=action, **(defaults | given))


RESEED = Action(
    title="Re-seed the connectors",
    command=("ingest", "--reseed", "--market", "{market}"),
    danger="change",
    who=("data",),
    read_back=ReadBack(probe="seeded"),
    parameters={"market": Parameter(title="Market", default="{market}", pattern="[A-Z]{2,8}")},
)
SEEDED = Probe(title="Seeded", http="data/seeded/{market}", expect=(Expect(value="market", equals="{market}"),))


@pytest.mark.parametrize(
    ("tool", "shows", "outcome"),
    [
        (("/bin/true",), True, "confirmed"),
        (("/bin/true",), False, "failed"),
        (("/bin/false",), True, "confirmed"),  # it said no, but the platform shows it
        (("/bin/false",), False, "failed"),
        (("/no/such/program",), False, "failed"),
    ],
)
async def test_a_command_is_believed_only_when_it_is_read_back(
    tool: tuple[str, ...], shows: bool, outcome: str, service: Service, http: httpx.AsyncClient
) -> None:
    service.answers["/seeded/NYSE"] = Says({"market": "NYSE" if shows else ""})
    clock = StoryClock()
    here = surroundings(http, clock, urls={"data": service.url}, tools={"ingest": tool})
    settled = await act(an_order(RESEED, read_back=SEEDED), "live", here, clock.sleep)
    assert settled["outcome"] == outcome, settled["detail"]
    assert settled["request"]["method"] == "RUN"
    assert settled["request"]["url"] == f"{tool[0]} --reseed --market NYSE"


async def test_a_command_whose_value_does_not_fit_is_not_run(http: httpx.AsyncClient, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    here = surroundings(http, tools={"ingest": ("/usr/bin/touch", str(mark))})
    order = an_order(RESEED, read_back=SEEDED, parameters={"market": "nyse; true"})
    settled = await act(order, "live", here)
    assert (settled["outcome"], mark.exists()) == ("failed", False)
    assert settled["detail"].startswith("Nothing was sent. Market cannot be 'nyse; true': give a text that matches")


async def test_a_dry_run_of_a_command_starts_nothing(http: httpx.AsyncClient, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    here = surroundings(http, urls={"data": "http://127.0.0.1:1"}, tools={"ingest": ("/usr/bin/touch", str(mark))})
    settled = await act(an_order(RESEED, read_back=SEEDED), "dry_run", here)
    assert (settled["outcome"], mark.exists()) == ("dry_run", False)


RECORD = Action(
    title="Record the restart",
    record="observability/audit/ingestion_events.jsonl",
    danger="contain",
    who=("data",),
    body={"event": "restart_confirmed", "market": "{market}", "by": "{operator}"},
)


async def test_a_record_is_a_line_in_its_file_and_is_found_there(http: httpx.AsyncClient, tmp_path: Path) -> None:
    here = surroundings(http, data=tmp_path)
    assert (await look_again(an_order(RECORD), here))["outcome"] == "unknown"
    settled = await act(an_order(RECORD), "live", here)
    assert (settled["outcome"], settled["request"]["method"]) == ("confirmed", "APPEND")
    text = (tmp_path / "observability/audit/ingestion_events.jsonl").read_text()
    assert (
        '"incident": "INC-2026-0042", "run": "r1", "event": "restart_confirmed", "market": "NYSE", "by": "Ana"' in text
    )
    assert (await look_again(an_order(RECORD), here))["outcome"] == "confirmed"
    assert len(text.splitlines()) == 1


async def test_a_record_never_leaves_the_data_folder(http: httpx.AsyncClient, tmp_path: Path) -> None:
    outside = Action(title="X", record="../x.jsonl", danger="contain", who=("data",), body={"a": "b"})
    settled = await act(an_order(outside), "live", surroundings(http, data=tmp_path / "data"))
    assert settled["outcome"] == "failed"
    assert not (tmp_path / "x.jsonl").exists()

"""Probes over HTTP, and what is expected of an answer."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.platform.support import TOKEN, Says, Service, surroundings

from warroom.domain.policy import Expect, Probe
from warroom.platform.probes import ProbeResult, run_probe


async def ask(service: Service, http: httpx.AsyncClient, body: object = "", **given: Any) -> ProbeResult:
    """Ask a service that answers with `body` at /api (unless the test set an answer)."""
    service.answers.setdefault("/api", Says(body))
    environ = given.pop("environ", {})
    query = given.pop("query", "")
    probe = Probe(title="A reading", http=f"svc/api{query}", **given)
    return await run_probe("reading", probe, surroundings(http, urls={"svc": service.url}, environ=environ))


async def test_a_good_status_without_expectations_is_healthy(service: Service, http: httpx.AsyncClient) -> None:
    result = await ask(service, http, "fine")
    assert (result.state, result.status, result.raw, result.judged) == ("ok", 200, "fine", False)
    assert result.summary.startswith("HTTP 200 in ")
    assert result.started == "2026-03-02T12:00:00+00:00"


async def test_a_bad_status_is_an_answer_that_was_not_expected(service: Service, http: httpx.AsyncClient) -> None:
    service.answers["/api"] = Says({"status": "unhealthy"}, 503)
    result = await ask(service, http, expect=(Expect(value="status", equals="unhealthy"),))
    assert (result.state, result.status, result.value, result.judged) == ("failed", 503, "unhealthy", False)
    assert result.summary.startswith("HTTP 503 in ")


async def test_a_redirect_is_not_followed_and_the_token_not_carried_elsewhere(
    service: Service, http: httpx.AsyncClient
) -> None:
    service.answers |= {"/api": Says("", 302, headers={"location": "/other"}), "/other": Says("gotcha")}
    result = await ask(service, http, auth="SVC_TOKEN", environ={"SVC_TOKEN": TOKEN})
    assert (result.state, result.status) == ("failed", 302)
    assert service.sent("/other") == []


async def test_the_token_is_sent_as_a_bearer(service: Service, http: httpx.AsyncClient) -> None:
    await ask(service, http, auth="SVC_TOKEN", environ={"SVC_TOKEN": f"{TOKEN}\n"})
    assert service.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


async def test_a_missing_token_is_named_and_nothing_is_asked(service: Service, http: httpx.AsyncClient) -> None:
    result = await ask(service, http, auth="SVC_TOKEN")
    assert (result.state, service.asked) == ("error", [])
    assert result.summary == "SVC_TOKEN is not set: put the bearer token into this environment variable"


async def test_the_query_reaches_the_service(service: Service, http: httpx.AsyncClient) -> None:
    await ask(service, http, "[]", query="?status=failed&limit=20")
    assert service.asked[0].path == "/api?status=failed&limit=20"


async def test_head_asks_for_no_body(service: Service, http: httpx.AsyncClient) -> None:
    result = await ask(service, http, "long", method="HEAD")
    assert (result.state, result.raw, service.asked[0].method) == ("ok", "", "HEAD")


NUMBERS = [
    (1240, Expect(value="lag", under=1000), "failed", "lag 1,240 is over 1,000"),
    (1000, Expect(value="lag", under=1000), "failed", "lag 1,000 is exactly at the limit of 1,000"),
    (999, Expect(value="lag", under=1000), "ok", "lag 999, HTTP 200 in"),
    (0.9, Expect(value="lag", over=0.9), "failed", "lag 0.9 is exactly at the limit of 0.9"),
    (0.82, Expect(value="lag", over=0.9), "failed", "lag 0.82 is under 0.9"),
    (0.91, Expect(value="lag", over=0.9), "ok", "lag 0.91, HTTP 200 in"),
    ("1240", Expect(value="lag", under=1000), "failed", "lag 1,240 is over 1,000"),
    (True, Expect(value="lag", under=1000), "failed", "lag is true, which is no number"),
    ("soon", Expect(value="lag", under=1000), "failed", "lag is soon, which is no number"),
    (None, Expect(value="lag", under=1000), "failed", "lag is missing from the answer"),
    (False, Expect(value="lag", equals=True), "failed", "lag is false, expected true"),
    (1, Expect(value="lag", equals=True), "failed", "lag is 1, expected true"),
    (True, Expect(value="lag", equals=1), "failed", "lag is true, expected 1"),
    (0.5, Expect(value="lag", equals=0.5), "ok", "lag 0.5, HTTP 200 in"),
    (["IEX", "ARCA"], Expect(value="lag", contains="ARCA"), "ok", "HTTP 200 in"),
    (["IEX"], Expect(value="lag", contains="ARCA"), "failed", "lag does not contain 'ARCA'"),
    ({"a": 1}, Expect(contains='"lag"'), "ok", "HTTP 200 in"),
    ({"a": 1}, Expect(contains="healthy"), "failed", "the answer does not contain 'healthy'"),
]


@pytest.mark.parametrize(("lag", "expect", "state", "summary"), NUMBERS)
async def test_expectations(
    lag: object, expect: Expect, state: str, summary: str, service: Service, http: httpx.AsyncClient
) -> None:
    result = await ask(service, http, {"lag": lag}, expect=(expect,))
    assert (result.state, result.summary[: len(summary)]) == (state, summary)


@pytest.mark.parametrize(
    ("lag", "judged"), [(0.82, True), (0.95, True), (None, False), ("soon", False)], ids=["bad", "good", "gone", "text"]
)
async def test_a_reading_is_judged_only_when_there_was_a_value_to_compare(
    lag: object, judged: bool, service: Service, http: httpx.AsyncClient
) -> None:
    result = await ask(service, http, {"lag": lag}, expect=(Expect(value="lag", over=0.9),))
    assert result.judged is judged


async def test_all_expectations_must_hold(service: Service, http: httpx.AsyncClient) -> None:
    both = (Expect(value="a", equals=1), Expect(value="b", equals=2))
    assert (await ask(service, http, {"a": 1, "b": 2}, expect=both)).state == "ok"
    service.answers["/api"] = Says({"a": 1, "b": 3})
    assert (await ask(service, http, expect=both)).summary == "b is 3, expected 2"


async def test_what_is_shown_can_be_computed(service: Service, http: httpx.AsyncClient) -> None:
    result = await ask(service, http, {"venues": [{"up": True}, {"up": False}]}, shows="length(venues[?up])")
    assert result.value == 1
    assert result.summary.startswith("up 1, HTTP 200 in")


@pytest.mark.parametrize("body", ["<html>", '{"lag": NaN}', "[" * 100_000, ""], ids=["html", "nan", "deep", "empty"])
async def test_an_answer_that_should_be_json_and_is_not_is_an_error(
    body: str, service: Service, http: httpx.AsyncClient
) -> None:
    result = await ask(service, http, body, expect=(Expect(value="lag", under=1),))
    assert (result.state, result.summary) == ("error", "HTTP 200, but the answer is not JSON")


async def test_a_path_that_does_not_fit_the_answer_is_an_error(service: Service, http: httpx.AsyncClient) -> None:
    result = await ask(service, http, {"lag": 3}, expect=(Expect(value="length(lag)", under=1),))
    assert result.state == "error"
    assert result.summary.startswith("length(lag) cannot be looked up in this answer")


async def test_a_dropped_connection_is_an_error(service: Service, http: httpx.AsyncClient) -> None:
    service.answers["/api"] = Says(how="drop")
    result = await ask(service, http)
    assert (result.state, result.summary, result.status) == ("error", "the connection was dropped", None)


async def test_a_refused_connection_is_an_error(http: httpx.AsyncClient, service: Service) -> None:
    gone = surroundings(http, urls={"svc": "127.0.0.1:1"})
    result = await run_probe("reading", Probe(title="T", http="svc/api"), gone)
    assert (result.state, result.summary) == ("error", "cannot connect: refused, or no such host")


async def test_an_unknown_address_is_an_error_that_names_the_nearest(http: httpx.AsyncClient) -> None:
    here = surroundings(http, urls={"executioner": "x:1"})
    result = await run_probe("reading", Probe(title="T", http="executionr/api"), here)
    assert result.summary == (
        "executionr has no address: set it under urls: in warroom.yaml. Did you mean executioner?"
    )


async def test_a_hanging_service_is_given_up_at_the_time_limit(service: Service, http: httpx.AsyncClient) -> None:
    service.answers["/api"] = Says(how="hang")
    result = await ask(service, http, timeout=timedelta(seconds=0.1))
    assert (result.state, result.summary) == ("error", "no answer within 100 ms")
    assert 0.09 < result.elapsed_s < 2


async def test_a_trickle_is_given_up_at_the_time_limit_too(service: Service, http: httpx.AsyncClient) -> None:
    service.answers["/api"] = Says("x", headers={"content-length": "10"})
    result = await ask(service, http, timeout=timedelta(seconds=0.1))
    assert (result.state, result.summary, result.status) == ("error", "no answer within 100 ms", 200)


async def test_an_answer_over_64_kib_is_cut_with_a_mark(service: Service, http: httpx.AsyncClient) -> None:
    result = await ask(service, http, "ä" * 50_000)
    assert len(result.raw.encode()) <= 64 * 1024
    assert result.raw.endswith("[cut: the beginning of 100,000 bytes]")


async def test_an_endless_answer_is_read_up_to_the_limit(service: Service, http: httpx.AsyncClient) -> None:
    result = await ask(service, http, "x" * 2_000_000, expect=(Expect(value="lag", under=1),))
    assert result.summary == "the answer is too long to be read as JSON (over 1 MiB)"
    assert result.raw.endswith("[cut: the beginning of more than 1,048,576 bytes]")


async def test_a_result_is_plain_json_and_comes_back_the_same(service: Service, http: httpx.AsyncClient) -> None:
    result = await ask(service, http, '{"lag": "a\\u0000b \\ud800"}', shows="lag")
    stored = json.dumps(result.to_dict(), allow_nan=False, ensure_ascii=False).encode()
    assert result.value == "a\N{REPLACEMENT CHARACTER}b ?"
    assert ProbeResult.from_dict(json.loads(stored)) == result


async def test_a_value_too_big_to_show_is_cut(service: Service, http: httpx.AsyncClient) -> None:
    result = await ask(service, http, {"rows": list(range(5000))}, shows="rows")
    assert isinstance(result.value, str)
    assert result.value.endswith("… (cut)")

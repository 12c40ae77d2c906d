"""Secrets in what the platform says."""

import base64
import time
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.platform.support import TOKEN, Says, Service, surroundings

from warroom.domain.policy import Expect, Probe
from warroom.platform.probes import run_probe
from warroom.platform.redaction import Redactor
from warroom.platform.results import RAW_LIMIT, TAIL

SHAPES = [
    "Authorization: Bearer hunter22hunter",
    "authorization: Basic aHVudGVyMjI6aHVudGVyMjI=",
    '{"Authorization": "Bearer hunter22", "n": 1}',
    'curl -H "Authorization: token hunter22" http://x/',
    'Authorization: Digest username="hunter22", response="hunter22"',
    "sent Bearer hunter22.hunter22 upstream",
    "password=hunter22 host=db",
    '{"password": "hunter22 with \\" a quote hunter22"}',
    "{'api_key': 'hunter22'}",
    '"{\\"token\\": \\"hunter22\\"}"',
    "DB_PASSWORD=hunter22",
    "client-secret: hunter22",
    "?token=hunter22&limit=3",
    "redis-server --requirepass hunter22 --port 6379",
    "tool --auth-token hunter22 run",
    "postgresql://warroom:hunter22@db:5432/x",
    "redis://:hunter22@cache",
    "xoxb-1234567890-hunter22",
    "ghp_hunter22hunter22hunter22",
    "sk-hunter22hunter22hunter22",
    "AKIAHUNTER22HUNTER22",
    "eyJhbGciOiJI.hunter22hunter22.hunter22",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter22\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nhunter22 and it is cut",
]


@pytest.mark.parametrize("text", SHAPES)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    shown = Redactor([]).text(text)
    assert "hunter22" not in shown.lower()
    assert "***" in shown


@pytest.mark.parametrize(
    "text",
    [
        "market-sentinel-1  Up 3 days  0.0.0.0:3001->3001/tcp",
        '{"status": "healthy", "service": "executioner", "lag": 12}',
        "2026-03-02T12:00:00Z INFO market-sentinel regime NORMAL_EXPANSION confirmed, confidence 0.94",
        "http://localhost:3003/api/emergency/status",
        "mail ops@example.com about it",
        "6f1ed002ab5595859014ebf0951522d9d6f1ed002ab55958590",
    ],
)
def test_ordinary_output_is_left_as_it_is(text: str) -> None:
    assert Redactor([]).text(text) == text


def test_a_field_with_a_secret_name_is_hidden_and_its_neighbours_stay() -> None:
    shown = Redactor([]).value({"db": {"password": "hunter22", "host": "db", "pool": [1, True, None]}})
    assert shown == {"db": {"password": "***", "host": "db", "pool": [1, True, None]}}


@given(st.text(min_size=6, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_a_known_secret_never_gets_through(secret: str, before: str, after: str) -> None:
    shown = Redactor([secret]).text(f"{before}\n{secret}\n{after}")
    assert secret not in shown or secret in f"{before}\n***\n{after}"


def test_a_known_secret_is_found_in_other_spellings() -> None:
    secret = 'p&ss "w/rd'
    for spelling in (quote(secret, safe=""), base64.b64encode(secret.encode()).decode(), secret.replace('"', '\\"')):
        assert spelling not in Redactor([secret]).text(f"got <{spelling}>")


@pytest.mark.parametrize("text", ["a" * 70_000, "token" * 14_000, "a://" * 17_000, '"' * 70_000, "bearer " * 10_000])
def test_hostile_text_does_not_take_long(text: str) -> None:
    begin = time.monotonic()
    Redactor(["secret-value"]).text(text)
    assert time.monotonic() - begin < 1


async def test_the_secrets_of_the_surroundings_show_nowhere_in_a_result(
    service: Service, http: httpx.AsyncClient
) -> None:
    secrets = [TOKEN, "slack-hunter22", "database-hunter22", "url-hunter22"]
    service.answers["/api"] = Says({"echo": " ".join(secrets)})
    here = surroundings(
        http,
        urls={"svc": service.url, "other": "https://me:url-hunter22@x.example"},
        databases={"main": "postgresql://me:database-hunter22@x/db"},
        environ={"WHATEVER": TOKEN, "SLACK_BOT_TOKEN": "slack-hunter22", "HOME": "healthy"},
    )
    expect = (Expect(value="echo", equals="healthy"),)
    result = await run_probe("r", Probe(title="R", http="svc/api", auth="WHATEVER", expect=expect), here)
    assert result.state == "failed"
    assert all(secret not in str(result.to_dict()) for secret in secrets)
    assert result.value == "*** *** *** ***"
    assert "expected healthy" in result.summary
    assert all(secret not in repr(here) for secret in secrets[:3])


async def test_a_secret_at_the_cut_is_not_left_in_half(service: Service, http: httpx.AsyncClient) -> None:
    for before in range(64 * 1024 - 120, 64 * 1024 + 10, 13):
        service.answers["/api"] = Says("x" * before + f" password={TOKEN}{'y' * 20_000}")
        here = surroundings(http, urls={"svc": service.url})
        result = await run_probe("r", Probe(title="R", http="svc/api"), here)
        assert TOKEN[:6] not in result.raw


async def test_a_known_secret_where_reading_ends_is_not_left_in_half(service: Service, http: httpx.AsyncClient) -> None:
    hidden = f"password={'s' * 190} {'x' * 300} "
    before = (hidden * 200)[: RAW_LIMIT + TAIL - 10]
    before = before[:-20] + " " * 20
    service.answers["/api"] = Says(before + TOKEN + "y" * 20_000)
    here = surroundings(http, urls={"svc": service.url}, environ={"SVC_TOKEN": TOKEN})
    result = await run_probe("r", Probe(title="R", http="svc/api"), here)
    assert "password=***" in result.raw
    assert TOKEN[:6] not in result.raw

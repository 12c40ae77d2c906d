"""What we read from PagerDuty, in whose name we write, and what its failures mean."""

import asyncio
import logging
import subprocess
import sys
import traceback
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from tests.pagerduty.conftest import TIMEOUT
from tests.pagerduty.loopback import START, TOKEN, PagerDuty, stamp

from warroom.engine.ports import OnCallPerson
from warroom.errors import ConfigError, DeliveryError, Refused, TryAgain, Uncertain
from warroom.pagerduty.client import KEEP, KEEP_ABSENT, KEEP_ON_CALL, Client
from warroom.pagerduty.rest import Rest

Call = Callable[[Client], Awaitable[object]]
WRITES: dict[str, Call] = {
    "PUT /incidents/PINC1$": lambda c: c.acknowledge("PINC1"),
    "POST .*/notes": lambda c: c.note("PINC1", "text"),
    "POST .*/responder_requests": lambda c: c.request_responders("PINC1", ["PANA"], "help"),
}
READ = "GET /incidents/PINC1$"


def senders(pagerduty: PagerDuty) -> list[str | None]:
    return [r.headers.get("from") for r in pagerduty.requests if r.method != "GET"]


# -- in whose name


async def test_a_change_is_made_in_the_name_of_the_person_who_asked(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    changed = await client.acknowledge("PINC1", "Ana@Firm.example")
    assert changed["last_status_change_by"]["summary"] == "Ana"
    assert senders(pagerduty) == ["ana@firm.example"]


async def test_somebody_without_an_account_acts_in_the_name_of_the_deployment(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open()
    await client.resolve("PINC1", "tom@firm.example")
    await client.note("PINC1", "text", None)
    assert senders(pagerduty) == ["bot@firm.example", "bot@firm.example"]


async def test_a_key_that_may_not_read_users_does_not_keep_us_from_acting(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    pagerduty.fail("GET /users", "403")
    await client.acknowledge("PINC1", "ana@firm.example")
    assert senders(pagerduty) == ["bot@firm.example"]


async def test_a_name_that_merely_contains_the_address_is_another_person(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.users["POTHER"] = ("Other", "susana@firm.example")
    assert await client.user_by_email("sana@firm.example") is None


async def test_users_are_remembered_and_forgotten(pagerduty: PagerDuty, client: Client, seconds: list[float]) -> None:
    for _ in range(2):
        assert await client.user_by_email("ana@firm.example") is not None
        assert await client.user_by_email("tom@firm.example") is None
    assert len(pagerduty.calls("/users")) == 2
    pagerduty.users["PTOM"] = ("Tom", "tom@firm.example")
    seconds[0] += KEEP_ABSENT
    assert await client.user_by_email("ana@firm.example") is not None
    assert await client.user_by_email("tom@firm.example") is not None
    assert len(pagerduty.calls("/users")) == 3
    seconds[0] += KEEP
    await client.user_by_email("ana@firm.example")
    assert len(pagerduty.calls("/users")) == 4


# -- reading


async def test_on_call_is_everybody_of_the_services_policy_once_the_first_level_first(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.levels = [["PRAJ"], ["PRAJ", "PMEI"]]
    assert await client.on_call("PSVC") == (
        OnCallPerson(pagerduty_id="PRAJ", name="Raj", email="raj@firm.example", level=1),
        OnCallPerson(pagerduty_id="PMEI", name="Mei", email="mei@firm.example", level=2),
    )
    await client.on_call("PSVC")
    assert len(pagerduty.calls("/services/PSVC")) == 1


async def test_who_is_on_call_is_asked_once_for_all_who_ask_at_once_and_again_half_a_minute_later(
    pagerduty: PagerDuty, client: Client, seconds: list[float]
) -> None:
    first, second = await asyncio.gather(client.on_call("PSVC"), client.on_call("PSVC"))
    assert first == second == await client.on_call("PSVC")
    assert len(pagerduty.calls("/oncalls")) == 1
    seconds[0] += KEEP_ON_CALL
    await client.on_call("PSVC")
    assert len(pagerduty.calls("/oncalls")) == 2


async def test_on_call_of_a_service_without_a_policy_or_without_existence_is_refused(client: Client) -> None:
    with pytest.raises(Refused, match="PBARE has no escalation policy"):
        await client.on_call("PBARE")
    with pytest.raises(Refused, match="Not Found"):
        await client.on_call("../users")


async def test_lists_are_read_to_their_end(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.page_size = 2
    for number in range(5):
        pagerduty.open(f"P{number}")
    pagerduty.open("POTHER", service="PELSE")
    pagerduty.resolve("P4")
    assert {i["id"] for i in await client.open_incidents(["PSVC"])} == {"P0", "P1", "P2", "P3"}


async def test_an_open_incident_is_found_however_old_it_is(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.now = START - timedelta(days=90)
    pagerduty.open()
    assert len(await client.open_incidents(["PSVC"])) == 1


async def test_no_services_means_no_incidents_rather_than_the_whole_accounts(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open()
    assert await client.open_incidents([]) == ()
    assert pagerduty.requests == []


async def test_the_log_is_read_oldest_first_and_in_order_within_a_second(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    pagerduty.acknowledge()
    pagerduty.unacknowledge()
    pagerduty.tick()
    pagerduty.resolve()
    kinds = [e["type"].removesuffix("_log_entry") for e in await client.log_entries("PINC1")]
    assert kinds == ["trigger", "acknowledge", "unacknowledge", "resolve"]
    assert len(await client.log_entries("PINC1", START + timedelta(seconds=30))) == 1


async def test_alert_details_are_those_of_all_alerts_the_first_alerts_word_counting(
    pagerduty: PagerDuty, client: Client
) -> None:
    pagerduty.open()
    pagerduty.alerts["PINC1"] = [
        {"created_at": stamp(START + timedelta(seconds=9)), "body": {"details": {"lag": 2, "venue": "XNYS"}}},
        {"created_at": stamp(START), "severity": "error", "body": {"cef_details": {"details": {"lag": 1}}}},
    ]
    assert await client.alert_details("PINC1") == {"lag": 1, "venue": "XNYS", "severity": "error"}


async def test_a_live_check_can_ask_for_abilities_and_webhooks(client: Client) -> None:
    assert "coordinated_responding" in await client.abilities()
    assert (await client.webhook_subscriptions())[0]["delivery_method"]["url"] == "https://bot.example"


# -- failures


@pytest.mark.parametrize("write", WRITES)
async def test_a_dropped_connection_or_a_timeout_of_a_write_is_uncertain(
    pagerduty: PagerDuty, client: Client, write: str
) -> None:
    for kind in ("drop_after", "hang", "html", "garbage", "500", "502", "504", "unavailable"):
        pagerduty.open()
        pagerduty.fail(write, kind)
        with pytest.raises(Uncertain):
            await WRITES[write](client)


@pytest.mark.parametrize("write", WRITES)
async def test_a_rate_limit_and_a_moment_at_which_to_ask_again_are_tried_again(
    pagerduty: PagerDuty, client: Client, write: str
) -> None:
    pagerduty.open()
    for kind in ("429", "503"):
        pagerduty.fail(write, kind, times=2 if kind == "429" else 1)
        with pytest.raises(TryAgain) as again:
            await WRITES[write](client)
        assert again.value.after == 7
    assert pagerduty.incidents["PINC1"]["status"] == "triggered"
    assert pagerduty.notes["PINC1"] == []


async def test_whatever_keeps_us_from_reading_is_tried_again(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    for kind in ("drop_before", "drop_after", "hang", "html", "garbage", "500", "502", "504"):
        pagerduty.fail(READ, kind)
        with pytest.raises(TryAgain):
            await client.incident("PINC1")
    assert (await client.incident("PINC1"))["status"] == "triggered"


async def test_a_write_that_never_left_is_tried_again() -> None:
    closed = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    await closed.wait_closed()
    client = Client(Rest(TOKEN, f"http://127.0.0.1:{port}", timeout=TIMEOUT), "bot@firm.example")
    for write in ("PUT /incidents/PINC1$", "POST .*/notes"):
        with pytest.raises(TryAgain, match="could not be reached"):
            await WRITES[write](client)
    await client.close()


async def test_what_they_refuse_is_refused_in_their_words(pagerduty: PagerDuty, client: Client) -> None:
    with pytest.raises(Refused, match=r"GET /incidents/PNONE \(HTTP 404\): Not Found"):
        await client.incident("PNONE")
    pagerduty.open()
    pagerduty.resolve()
    with pytest.raises(Refused, match="Invalid Input Provided; Incident Already Resolved"):
        await client.resolve("PINC1")
    for kind in ("400", "402", "403", "302"):
        pagerduty.fail(READ, kind)
        with pytest.raises(Refused, match=kind):
            await client.incident("PINC1")


async def test_nothing_is_sent_twice_behind_our_back(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    for kind in ("drop_after", "500"):
        pagerduty.requests.clear()
        pagerduty.fail("POST .*/notes", kind)
        with pytest.raises(DeliveryError):
            await client.note("PINC1", "text")
        assert len(pagerduty.calls("POST")) == 1


async def test_a_slow_pagerduty_does_not_hold_up_the_loop(pagerduty: PagerDuty, client: Client) -> None:
    pagerduty.open()
    pagerduty.fail(READ, "hang")
    loop = asyncio.get_running_loop()
    waiting = asyncio.ensure_future(client.incident("PINC1"))
    begin = loop.time()
    assert (await client.user_by_email("ana@firm.example")) is not None
    assert loop.time() - begin < TIMEOUT
    with pytest.raises(TryAgain):
        await waiting


@pytest.mark.parametrize("token", ["", "two words", "new\nline", "sch\u00f6n"])
def test_a_token_that_cannot_be_sent_is_refused_at_start_without_quoting_it(token: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Rest(token)
    assert not token or token not in str(refused.value)


async def test_no_error_and_no_log_line_holds_the_token_or_its_end(
    pagerduty: PagerDuty, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pagerduty.open()
    told: list[str] = []
    for kind in ("400", "401", "403", "429", "500", "502", "drop_before", "drop_after", "hang", "html"):
        for call in ("PUT /incidents/PINC1$", READ):
            pagerduty.fail(call, kind, times=2)
            with pytest.raises(DeliveryError) as failed:
                await (WRITES[call](client) if call != READ else client.incident("PINC1"))
            told += traceback.format_exception(failed.value)
            seen: BaseException | None = failed.value
            while seen is not None:
                told.append(repr(seen))
                seen = seen.__cause__ or seen.__context__
            pagerduty.faults.clear()
    another = "y+WrongTokenOfTheTests9942"
    wrong = Client(Rest(another, pagerduty.url))
    with pytest.raises(Refused, match="PAGERDUTY_API_TOKEN") as refused:
        await wrong.abilities()
    await wrong.close()
    told += [*traceback.format_exception(refused.value), caplog.text, repr(client), repr(vars(client))]
    assert "***" in "".join(told)
    assert not [t for t in told for part in (TOKEN[:7], TOKEN[-4:], another[-4:]) if part in t]


def test_importing_the_client_warns_of_nothing_and_leaves_no_filter_behind() -> None:
    code = (
        "import warnings; import warroom.pagerduty.client; "
        "assert not [f for f in warnings.filters if f[1] and 'pdpyras' in f[1].pattern]"
    )
    done = subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")

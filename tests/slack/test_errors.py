"""Whatever Slack or the network does becomes the right kind of error, with what to do and without secrets."""

import socket
from collections.abc import Callable

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from tests.slack.support import TOKEN, a_job

from warroom.engine.ports import Job
from warroom.errors import DeliveryError, Refused, TryAgain, Uncertain
from warroom.sandbox import Sandbox
from warroom.sandbox.server import embedded
from warroom.slack.api import Api
from warroom.slack.gateway import Gateway


def job() -> Job:
    return a_job("slack.post", to="war_room", message="hello", context={"name": "x"})


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "429", "retry_after": 13}, TryAgain),
        ({"kind": "500"}, TryAgain),
        ({"kind": "refuse", "error": "internal_error"}, TryAgain),
        ({"kind": "refuse", "error": "fatal_error"}, TryAgain),
        ({"kind": "refuse", "error": "service_unavailable"}, TryAgain),
        ({"kind": "refuse", "error": "ratelimited"}, TryAgain),
        ({"kind": "drop_before"}, Uncertain),
        ({"kind": "drop_after"}, Uncertain),
        ({"kind": "refuse", "error": "channel_not_found"}, Refused),
        ({"kind": "refuse", "error": "missing_scope"}, Refused),
        ({"kind": "refuse", "error": "some_new_word"}, Refused),
    ],
)
async def test_each_failure_of_a_post_has_its_meaning(
    url: str, sandbox: Sandbox, gateway: Gateway, fault: dict[str, object], error: type[DeliveryError]
) -> None:
    await gateway.warm()
    sandbox.faults.add("slack", "chat.postMessage", **fault)  # type: ignore[arg-type]
    with pytest.raises(error) as caught:
        await gateway.perform(job())
    assert type(caught.value).__mro__.index(error) <= 1
    assert "chat.postMessage" in str(caught.value)
    assert TOKEN not in str(caught.value)
    if fault["kind"] == "429":
        assert isinstance(caught.value, TryAgain)
        assert caught.value.after == 13


async def test_a_post_that_is_not_answered_in_time_may_have_been_made(url: str, sandbox: Sandbox) -> None:
    sandbox.faults.add("slack", "chat.postMessage", "latency", delay_s=1.2)
    async with Api(TOKEN, f"{url}/slack/api/", timeout=1.0) as api:
        with pytest.raises(Uncertain, match=r"chat\.postMessage"):
            await api.call("chat.postMessage", channel=sandbox.slack.find("war-room").id, text="x")


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "500", "429"])
async def test_a_reading_that_fails_is_always_tried_again(sandbox: Sandbox, api: Api, kind: str) -> None:
    sandbox.faults.add("slack", "auth.test", kind, times=5)  # type: ignore[arg-type]
    with pytest.raises(TryAgain):
        await api.me()


async def test_slack_out_of_reach_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with Api(TOKEN, f"http://127.0.0.1:{port}/api/") as api:
        with pytest.raises(TryAgain, match="cannot be reached"):
            await api.call("chat.postMessage", channel="C1", text="x")


async def test_a_closed_connection_pool_is_tried_again() -> None:
    with pytest.raises(TryAgain, match="closed"):
        await Api(TOKEN).call("chat.postMessage", channel="C1", text="x")


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda s: s.slack_api.__dict__.update(scopes=frozenset()), r"add the scope chat:write .*manifest\.yml"),
        (lambda s: s.slack_api.__dict__.update(token="xoxb-another"), "SLACK_BOT_TOKEN"),
        (lambda s: s.slack.find("war-room").__dict__.update(archived=True), "unarchive"),
    ],
)
async def test_a_refusal_says_what_to_do(
    sandbox: Sandbox, gateway: Gateway, break_it: Callable[[Sandbox], None], said: str
) -> None:
    await gateway.warm()
    break_it(sandbox)
    with pytest.raises(Refused, match=said):
        await gateway.perform(job())


async def test_a_method_whose_scopes_are_not_listed_cannot_be_called(api: Api) -> None:
    with pytest.raises(KeyError):
        await api.call("admin.users.remove")


async def test_the_proxy_of_the_environment_is_not_used_for_exempt_hosts(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with Api(TOKEN, f"{url}/slack/api/") as api:
        assert (await api.me())["user_id"] == "U0WARROOM1"
    monkeypatch.delenv("no_proxy")
    async with Api(TOKEN, f"{url}/slack/api/") as api:
        with pytest.raises(TryAgain):
            await api.me()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>log in</html>", "text/html"),
        (b"log in", "text/plain"),
        (b"[1]", "application/json"),
        (b"{", "application/json"),
        (b"\xff", "text/plain; charset=utf-8"),
        (b"", "application/json"),
    ],
)
async def test_a_proxy_s_page_in_place_of_an_answer_is_no_answer(body: bytes, kind: str) -> None:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(body, 200, {"Content-Type": kind})(scope, receive, send)

    async with embedded(page) as (url, _), Api(TOKEN, f"{url}/api/") as api:
        with pytest.raises(Uncertain):
            await api.call("chat.postMessage", channel="C1", text="x")
        with pytest.raises(TryAgain):
            await api.call("users.info", user="U1")

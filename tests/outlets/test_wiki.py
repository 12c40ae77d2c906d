"""The wiki over Confluence's API: one page for an incident, the newest message on top, none of them twice."""

import httpx
import pytest
from tests.outlets.conftest import a_job, an_incident, compose

from warroom.errors import Refused, TryAgain, Uncertain
from warroom.outlets.confluence import Confluence
from warroom.outlets.wiki import WikiPerformer
from warroom.sandbox import Sandbox

FIRST, SECOND = "comm:a:1:@wiki", "comm:b:1:@wiki"


@pytest.fixture
def wiki(sandbox: Sandbox, http: httpx.AsyncClient) -> Confluence:
    w = sandbox.wiki
    return Confluence(http, f"{sandbox.url}/wiki", w.space, w.user, w.token, parent="42")


@pytest.fixture
def performer(wiki: Confluence) -> WikiPerformer:
    return WikiPerformer(compose, wiki)


def body(sandbox: Sandbox) -> str:
    (page,) = sandbox.wiki.pages.values()
    return str(page["body"]["storage"]["value"])


async def test_the_first_message_makes_the_page_and_the_next_ones_go_on_top(
    sandbox: Sandbox, performer: WikiPerformer
) -> None:
    first = await performer.perform(a_job("wiki.page", FIRST, text="It began."))
    second = await performer.perform(a_job("wiki.page", SECOND, text="It is over."))
    assert first["page"] == second["page"]
    assert (first["version"], second["version"]) == (1, 2)
    assert body(sandbox).index("It is over.") < body(sandbox).index("It began.")
    (page,) = sandbox.wiki.pages.values()
    assert page["title"] == "INC-2026-0042 Market Sentinel down"
    assert page["ancestors"] == [{"id": "42"}]
    assert str(first["url"]).startswith(sandbox.url)


@pytest.mark.row("S4")
async def test_what_an_alert_says_is_text_on_the_page(sandbox: Sandbox, performer: WikiPerformer) -> None:
    text = 'down <ac:link/> & "x" <br> \x07'
    await performer.perform(a_job("wiki.page", FIRST, an_incident(text), text=text))
    assert "<ac:link" not in body(sandbox)
    assert "&lt;ac:link/&gt; &amp;" in body(sandbox)


async def test_a_message_whose_answer_was_lost_is_found_and_not_written_again(
    sandbox: Sandbox, performer: WikiPerformer
) -> None:
    sandbox.faults.add("wiki", "POST*", "drop_after")
    job = a_job("wiki.page", FIRST)
    assert await performer.find(job) is None
    with pytest.raises(Uncertain):
        await performer.perform(job)
    assert await performer.find(job) is not None
    assert (await performer.perform(job))["version"] == 1
    assert await performer.find(a_job("wiki.page", SECOND)) is None


async def test_somebody_who_was_quicker_is_not_overwritten(wiki: Confluence, sandbox: Sandbox) -> None:
    page = await wiki.create("A title", "<p>one</p>")
    await wiki.update(page, "A title", "<p>two</p>")
    with pytest.raises(TryAgain, match="409"):
        await wiki.update(page, "A title", "<p>three</p>")
    with pytest.raises(TryAgain, match="somebody else"):
        await wiki.create("A title", "<p>four</p>")
    assert body(sandbox) == "<p>two</p>"


async def test_a_wrong_token_is_refused_and_not_quoted(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    wiki = Confluence(http, f"{sandbox.url}/wiki", "OPS", "a@firm.example", "secret-token")
    with pytest.raises(Refused, match="WARROOM_CONFLUENCE_URL") as error:
        await WikiPerformer(compose, wiki).perform(a_job("wiki.page"))
    assert "secret-token" not in str(error.value)


async def test_without_a_wiki_the_settings_are_named() -> None:
    with pytest.raises(Refused, match="set WARROOM_CONFLUENCE_URL"):
        await WikiPerformer(compose, None).perform(a_job("wiki.page"))

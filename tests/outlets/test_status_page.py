"""The public status page over Statuspage's API: one incident there for ours, updated as it goes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.outlets.conftest import START, a_job, an_incident, compose

from warroom.domain.incident import Incident
from warroom.domain.milestones import Moment
from warroom.errors import Refused, TryAgain, Uncertain
from warroom.outlets.status_page import StatusPagePerformer
from warroom.outlets.statuspage import Statuspage
from warroom.sandbox import Sandbox

FIRST, SECOND = "comm:a:1:@status_page", "update:1:@status_page"


@pytest.fixture
def performer(sandbox: Sandbox, http: httpx.AsyncClient) -> StatusPagePerformer:
    page = sandbox.status_page
    url = f"{sandbox.url}/status-page"
    return StatusPagePerformer(compose, Statuspage(http, page.page, page.key, url=url, components=["signals"]))


def after(incident: Incident, key: str, result: Mapping[str, Any]) -> Incident:
    return replace(incident, done={**incident.done, key: result})


def resolved(incident: Incident) -> Incident:
    return replace(incident, history=(Moment(START, True, "resolved", "slack"),), status="resolved")


async def test_the_first_post_opens_an_incident_there_and_the_next_ones_update_it(
    sandbox: Sandbox, performer: StatusPagePerformer
) -> None:
    incident = an_incident()
    first = await performer.perform(a_job("status_page.post", FIRST, incident))
    incident = after(incident, FIRST, first)
    second = await performer.perform(a_job("status_page.post", SECOND, replace(incident, status="monitoring")))
    end = await performer.perform(a_job("status_page.post", "comm:end:1:@status_page", resolved(incident)))
    (shown,) = sandbox.status_page.incidents
    assert first == second == end == {"page_incident": shown["id"], "url": shown["shortlink"]}
    assert [u["status"] for u in shown["incident_updates"]] == ["investigating", "monitoring", "resolved"]
    assert "It is being mended." in shown["incident_updates"][0]["body"]
    assert sandbox.status_page.components == {"signals": "operational", "orders": "operational"}


async def test_the_components_show_how_grave_it_is(sandbox: Sandbox, performer: StatusPagePerformer) -> None:
    await performer.perform(a_job("status_page.post", FIRST))
    assert sandbox.status_page.components["signals"] == "major_outage"


async def test_a_post_whose_answer_was_lost_is_found_and_not_made_again(
    sandbox: Sandbox, performer: StatusPagePerformer
) -> None:
    sandbox.faults.add("status_page", "POST*", "drop_after")
    job = a_job("status_page.post", FIRST)
    with pytest.raises(Uncertain, match="may have done it"):
        await performer.perform(job)
    found = await performer.find(job)
    assert found is not None
    assert found["page_incident"] == sandbox.status_page.incidents[0]["id"]
    assert await performer.find(a_job("status_page.post", SECOND)) is None


async def test_a_second_post_without_the_answer_of_the_first_updates_what_is_there(
    sandbox: Sandbox, performer: StatusPagePerformer
) -> None:
    for key in (FIRST, SECOND):
        await performer.perform(a_job("status_page.post", key))
    assert [len(i["incident_updates"]) for i in sandbox.status_page.incidents] == [2]


@pytest.mark.parametrize("kind", ["429", "500"])
async def test_a_page_that_is_busy_is_tried_again(sandbox: Sandbox, performer: StatusPagePerformer, kind: Any) -> None:
    sandbox.faults.add("status_page", "POST*", kind, retry_after=7)
    with pytest.raises(TryAgain) as error:
        await performer.perform(a_job("status_page.post", FIRST))
    assert error.value.after == (7 if kind == "429" else None)


async def test_a_wrong_key_is_refused_and_not_quoted(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    page = Statuspage(http, "sandboxpage", "secret-key", url=f"{sandbox.url}/status-page")
    with pytest.raises(Refused, match="WARROOM_STATUSPAGE_KEY") as error:
        await StatusPagePerformer(compose, page).perform(a_job("status_page.post"))
    assert "secret-key" not in str(error.value)


async def test_without_a_page_the_settings_are_named() -> None:
    with pytest.raises(Refused, match="set WARROOM_STATUSPAGE_PAGE"):
        await StatusPagePerformer(compose, None).perform(a_job("status_page.post"))

"""People are told by every means the pack names: Slack, e-mail, PagerDuty, the status page, the wiki, the phone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.acceptance.world import SENTINEL, World, a_world
from tests.packs.toys import MINIMAL

TELLS = {
    "audiences": {
        "desk": {"title": "Trading desk", "channels": ["main"], "mail": ["desk"], "pagerduty": True, "wiki": True},
        "customers": {
            "title": "Customers",
            "mail": ["customers"],
            "status_page": True,
            "external": True,
            "approvers": ["compliance"],
        },
    },
    "contacts": [
        {"title": "Trading desk", "phone": "desk_phone"},
        {"title": "Head of desk", "phone": "head_phone"},
    ],
}
P0: dict[str, Any] = {
    "communications": [
        {"id": "begun", "at": "declared", "message": "incident_announcement", "audiences": ["desk", "customers"]},
        {"id": "over", "at": "resolved", "after": "1h", "message": "incident_announcement", "audiences": ["desk"]},
    ],
    "cadences": [
        {"id": "updates", "title": "Update", "every": "15m", "message": "status_update", "audiences": ["desk"]},
    ],
    "steps": [
        {
            "id": "call",
            "title": "Phone the trading desk",
            "owner": "commander",
            "start": "0m",
            "end": "5m",
            "ask": "Read the script.",
            "call": {"whom": "Trading desk"},
        }
    ],
}


def a_firm(folder: Path, environ: dict[str, str]) -> None:
    """A deployment with a pack of its own that tells people by every means."""
    given = yaml.safe_load((folder / "warroom.yaml").read_text())["packs"]["lav_adaf"]
    platform = given["urls"]["executioner"].removesuffix("/executioner")
    pack = yaml.safe_load(MINIMAL.replace("message: alert", "message: incident_announcement"))
    pack |= TELLS
    pack["groups"] |= {"desk": "the desk", "customers": "the customers", "compliance": "compliance"}
    pack["severities"]["P0"] |= P0 | {"invite": ["on_call"]}
    (folder / "toy.yaml").write_text(yaml.safe_dump(pack, sort_keys=False))
    bound = {
        "file": "toy.yaml",
        "services": given["services"],
        "channels": {"main": "#war-room"},
        "urls": {"platform": platform, "cache": "127.0.0.1:1"},
        "contacts": {"desk_phone": "+1 202 555 0101", "head_phone": "+1 202 555 0109"},
    }
    groups = {
        "operators": ["rita@sandbox.example"],
        "desk": ["dana@sandbox.example", "U0SANDBX09"],
        "customers": ["news@customer.example"],
        "compliance": ["omar@sandbox.example"],
    }
    (folder / "warroom.yaml").write_text(yaml.safe_dump({"packs": {"toy": bound}, "groups": groups}))


@pytest.fixture
async def told(folder: Path) -> AsyncIterator[World]:
    """A P0 on that deployment."""
    async with a_world(folder, change=lambda environ: a_firm(folder, environ)) as world:
        await world.alert("Gateway down", service=SENTINEL)
        yield world


def subjects(world: World, to: str) -> list[str]:
    return [str(m.message["Subject"]) for m in world.sandbox.mail.mails if to in m.recipients]


@pytest.mark.row("T8")
async def test_an_audience_is_told_by_every_means_it_has(told: World) -> None:
    assert told.count("war-room", "P0", "Gateway down") == 2  # the announcement, and the desk's
    assert len(subjects(told, "dana@sandbox.example")) == 1
    (mail,) = told.sandbox.mail.mails
    assert mail.recipients == ["dana@sandbox.example", "tom@sandbox.example"]
    assert "Gateway down" in mail.text
    (page,) = told.sandbox.wiki.pages.values()
    assert page["title"] == "INC-2026-0001 Gateway down"
    (incident,) = told.sandbox.pagerduty.incidents.values()
    assert "Gateway down" in incident.updates[0]["message"]
    assert told.count(told.room, "Status update published in PagerDuty") == 0  # our own word is no news
    assert told.count(told.room, "This was not done") == 0


@pytest.mark.row("E9")
async def test_the_audience_gets_every_update_and_an_hour_after_the_end_the_summary(told: World) -> None:
    await told.at("10:00")
    await told.types("ana", told.room, "/incident update The gateway restarts")
    mails = told.sandbox.mail.mails
    assert "The gateway restarts" in mails[-1].text
    (page,) = told.sandbox.wiki.pages.values()
    assert page["version"]["number"] == 2
    await told.at("20:00")
    await told.types("ana", told.room, "/incident resolve")
    await told.fills("ana", summary="The gateway runs again.")
    before = len(mails)
    await told.at("79:59")
    assert len(mails) == before
    await told.at("80:00")
    assert len(mails) == before + 1
    assert await told.audited()


@pytest.mark.row("P13")
async def test_customers_read_nothing_before_compliance_has_approved_the_text(told: World) -> None:
    asked = told.saw(told.room, "Message to Customers", "waits for the approval of")
    assert "Exactly this goes out" in asked
    assert "Gateway down" in asked
    told.saw(told.room, "@Omar Haddad", "Message to Customers", "until")
    assert told.sandbox.status_page.incidents == []
    assert subjects(told, "news@customer.example") == []

    await told.types("ana", told.room, "/incident note the approval button is for others")
    answer = await told.clicks("ana", "Approve", told.room)
    assert "compliance" in answer.text.lower()
    assert told.sandbox.status_page.incidents == []

    await told.clicks("omar", "Approve", told.room)
    (notice,) = told.sandbox.status_page.incidents
    assert notice["status"] == "investigating"
    assert "Gateway down" in notice["incident_updates"][0]["body"]
    assert len(subjects(told, "news@customer.example")) == 1
    told.saw(told.room, "Message to Customers", "was approved by @Omar Haddad")
    assert told.count(told.room, "waits for the approval of") == 0


@pytest.mark.row("P13")
async def test_a_text_that_is_rejected_stays_inside(told: World) -> None:
    await told.clicks("omar", "Reject", told.room)
    await told.fills("omar", reason="It names a system.")
    told.saw(told.room, "Message to Customers", "was not sent: @Omar Haddad rejected it. It names a system.")
    assert told.sandbox.status_page.incidents == []
    assert subjects(told, "news@customer.example") == []


@pytest.mark.row("X10")
@pytest.mark.row("E11")
async def test_the_call_is_made_by_the_second_number(told: World) -> None:
    told.saw(told.room, "Call: Trading desk, +1 202 555 0101", "This is [your name] from Platform Engineering")
    await told.clicks("ana", "Could not reach them", told.room)
    await told.fills("ana", note="no answer")
    told.saw(told.room, "Call the next one: Head of desk, +1 202 555 0109")
    await told.at("5:00")
    told.saw(told.room, "LATE: Phone the trading desk", "Call: Head of desk, +1 202 555 0109")
    await told.clicks("ana", "Called, spoke to …", told.room)
    await told.fills("ana", person="Dana Brooks", note="no new orders")
    answer = await told.types("ana", told.room, "/incident timeline")
    assert "called, spoke to Dana Brooks: no new orders" in answer.text
    assert "Could not reach Trading desk by phone: no answer" in answer.text


@pytest.mark.row("S1")
async def test_a_mail_server_that_is_down_holds_up_nobody_and_gets_its_mail_later(folder: Path) -> None:
    async with a_world(folder, change=lambda environ: a_firm(folder, environ)) as world:
        world.sandbox.faults.add("mail", "*", "outage")
        await world.alert("Gateway down", service=SENTINEL)
        assert world.sandbox.mail.mails == []
        assert world.count("war-room", "Gateway down") == 2
        assert len(world.sandbox.wiki.pages) == 1
        world.sandbox.faults.clear("mail")
        await world.passes(minutes=2)
        assert len(world.sandbox.mail.mails) >= 1


@pytest.mark.row("S1")
async def test_a_mail_whose_answer_was_lost_comes_again_with_the_same_id_and_the_page_only_once(folder: Path) -> None:
    async with a_world(folder, change=lambda environ: a_firm(folder, environ)) as world:
        world.sandbox.faults.add("mail", "DATA", "drop_after")
        world.sandbox.faults.add("wiki", "POST*", "drop_after")
        await world.alert("Gateway down", service=SENTINEL)
        await world.passes(minutes=1)
        assert len(world.sandbox.mail.mails) == 2
        assert len({str(mail.message["Message-ID"]) for mail in world.sandbox.mail.mails}) == 1
        (page,) = world.sandbox.wiki.pages.values()
        assert page["version"]["number"] == 1
        assert world.count(world.room, "Nobody knows whether this happened") == 0


async def test_a_deployment_without_mail_says_so_once(folder: Path) -> None:
    def change(environ: dict[str, str]) -> None:
        a_firm(folder, environ)
        del environ["WARROOM_SMTP_URL"]

    async with a_world(folder, change=change) as world:
        await world.alert("Gateway down", service=SENTINEL)
        await world.at("31:00")
        said = world.saw(world.room, "This was not done: sending an e-mail")
        assert "set WARROOM_SMTP_URL" in said

"""people.find: on-call and groups as one list."""

from typing import Any

import pytest
from tests.slack.support import ANA, MEI, RAJ, RITA, a_job

from warroom.engine.ports import OnCallPerson
from warroom.errors import DeliveryError, Refused, TryAgain
from warroom.sandbox import Sandbox
from warroom.slack.directory import Directory
from warroom.slack.people import PeopleFinder


class Pager:
    """PagerDuty, as far as it is asked here."""

    def __init__(self, *on_call: OnCallPerson, error: DeliveryError | None = None) -> None:
        self.people, self.error = on_call, error

    async def on_call(self, service: str) -> tuple[OnCallPerson, ...]:
        if self.error:
            raise self.error
        return self.people


def a_person(key: str, level: int = 1) -> OnCallPerson:
    return OnCallPerson(pagerduty_id=f"P{key}", name=key, email=f"{key}@sandbox.example", level=level)


async def find(directory: Directory, pager: Pager, **data: Any) -> tuple[dict[str, Any], list[str]]:
    result: Any = await PeopleFinder(directory, pager).perform(a_job("people.find", **data))
    return {p["slack_id"]: p for p in result["people"]}, result["missing"]


async def test_on_call_and_group_members_come_once_with_all_reasons(directory: Directory) -> None:
    pager = Pager(a_person("raj", 2), a_person("ana"))
    people, missing = await find(directory, pager, service="PSVC1", groups=["on_call", "halt_operators"])
    assert list(people)[:2] == [ANA, RAJ]
    assert people[ANA]["why"] == "on call (level 1), halt_operators"
    assert people[RAJ] == {
        "slack_id": RAJ,
        "name": "raj",
        "email": "raj@sandbox.example",
        "pagerduty_id": "Praj",
        "why": "on call (level 2)",
    }
    assert people[RITA]["pagerduty_id"] == "PUSRRIT"
    assert missing == []


async def test_pagerduty_down_still_finds_the_groups(directory: Directory) -> None:
    people, missing = await find(
        directory, Pager(error=TryAgain("PagerDuty is down")), service="PSVC1", groups=["commanders"]
    )
    assert set(people) == {RAJ, MEI}
    assert "PagerDuty is down" in missing[0]


async def test_slack_down_still_finds_the_on_call(sandbox: Sandbox, directory: Directory) -> None:
    sandbox.faults.add("slack", "*", "500", times=50)
    people, missing = await find(directory, Pager(a_person("ana")), service="PSVC1", groups=["halt_operators"])
    assert people[""]["pagerduty_id"] == "Pana"
    assert any("ana is on call, but could not be looked up" in line for line in missing)


async def test_both_down_is_tried_again(sandbox: Sandbox, directory: Directory) -> None:
    sandbox.faults.add("slack", "*", "500", times=50)
    with pytest.raises(TryAgain):
        await find(directory, Pager(error=TryAgain("down")), service="PSVC1", groups=["halt_operators"])


async def test_what_will_never_be_found_is_said_not_retried(directory: Directory) -> None:
    people, missing = await find(directory, Pager(error=Refused("no such service")), service="P0", groups=["typo"])
    assert people == {}
    assert len(missing) == 2
    people, missing = await find(directory, Pager(), groups=["on_call"])
    assert "no PagerDuty service" in missing[0]
    people, missing = await find(directory, Pager(a_person("ghost")), service="PSVC1")
    assert "nobody in Slack" in missing[0]

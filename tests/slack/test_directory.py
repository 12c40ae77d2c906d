"""Who is who: quickly, from memory, and never by failing."""

import time

import pytest
from tests.slack.conftest import GROUPS, pager_of
from tests.slack.support import ANA, MEI, RAJ, RITA, SAM

from warroom.errors import TryAgain
from warroom.sandbox import Sandbox
from warroom.slack.api import Api
from warroom.slack.directory import Directory


class Ticks:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def calls(sandbox: Sandbox) -> list[str]:
    return [c.method for c in sandbox.journal.of("slack")]


async def test_a_person_is_known_by_mail_pager_and_groups(directory: Directory) -> None:
    ana = await directory.actor(ANA, "ana")
    assert (ana.name, ana.email, ana.pagerduty_id) == ("Ana Souza", "ana@sandbox.example", "PUSRANA")
    assert (ana.groups, ana.verified) == ({"halt_operators"}, True)
    assert (await directory.actor(RITA, "rita")).groups == {"halt_operators"}
    assert (await directory.actor(RAJ, "raj")).groups == {"commanders"}


async def test_a_stranger_is_in_no_group(directory: Directory) -> None:
    sam = await directory.actor(SAM, "sam")
    assert (sam.groups, sam.verified) == (frozenset(), True)
    nobody = await directory.actor("U0NOBODY99", "ghost")
    assert (nobody.name, nobody.groups, nobody.verified) == ("ghost", frozenset(), True)


async def test_a_deactivated_account_is_in_no_group(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, api: Api
) -> None:
    async def deactivated(method: str, /, **arguments: object) -> dict[str, object]:
        return {"user": {"id": RAJ, "name": "raj", "deleted": True, "profile": {}}, "users": []}

    monkeypatch.setattr(api, "call", deactivated)
    assert (await Directory(api, GROUPS).actor(RAJ, "raj")).groups == frozenset()


async def test_a_known_person_costs_no_call(sandbox: Sandbox, directory: Directory) -> None:
    await directory.warm()
    sandbox.journal.clear()
    for person in (ANA, RAJ, MEI, RITA):
        assert (await directory.actor(person, "x")).groups
    assert calls(sandbox) == []


async def test_two_who_ask_at_once_cause_one_call(sandbox: Sandbox, api: Api) -> None:
    directory = Directory(api, {})
    await directory.by_email("ana@sandbox.example")
    sandbox.journal.clear()
    await directory.actor(SAM, "sam")
    await directory.actor(SAM, "sam")
    assert calls(sandbox) == ["users.info"]


async def test_when_slack_is_down_only_listed_ids_count_and_it_says_so(sandbox: Sandbox, directory: Directory) -> None:
    sandbox.faults.add("slack", "users*", "500", times=50)
    sandbox.faults.add("slack", "usergroups*", "500", times=50)
    raj = await directory.actor(RAJ, "raj")
    assert (raj.name, raj.groups, raj.verified) == ("raj", {"commanders"}, False)
    assert (await directory.actor(ANA, "ana")).groups == frozenset()


async def test_a_slow_slack_holds_nobody_up_and_is_remembered_when_it_comes(sandbox: Sandbox, api: Api) -> None:
    directory = Directory(api, {"commanders": (RAJ,)}, budget=0.05)
    sandbox.faults.add("slack", "users.info", "latency", delay_s=0.3)
    started = time.monotonic()
    assert (await directory.actor(RAJ, "raj")).verified is False
    assert time.monotonic() - started < 0.25
    await directory.by_email("raj@sandbox.example")  # waits for the same reading
    assert (await directory.actor(RAJ, "raj")).verified is True
    assert calls(sandbox).count("users.info") == 1


async def test_what_was_known_is_believed_for_an_hour_when_slack_is_down(sandbox: Sandbox, api: Api) -> None:
    now = Ticks()
    directory = Directory(api, GROUPS, pager_of, now=now)
    await directory.warm()
    sandbox.faults.add("slack", "*", "outage")
    now.at = 3500
    assert (await directory.actor(RITA, "rita")).groups == {"halt_operators"}
    assert {a.slack_id for a in await directory.members(("halt_operators",))} == {ANA, RITA, "U0SANDBX10"}
    now.at = 3700
    assert (await directory.actor(RITA, "rita")).verified is False


async def test_refreshing_reads_changes_and_names_what_failed(sandbox: Sandbox, api: Api) -> None:
    directory = Directory(api, GROUPS, pager_of)
    nobodies = await directory.refresh()
    assert [n.split()[0] for n in nobodies] == ["S0NOBODY99", "nobody@sandbox.example"]
    sandbox.journal.clear()
    assert await directory.refresh() == nobodies
    assert "usergroups.users.list" in calls(sandbox)
    sandbox.faults.add("slack", "usergroups.users.list", "500", times=9)
    problems = await directory.refresh()
    assert sum("usergroups.users.list" in problem for problem in problems) == 2
    assert (await directory.actor(RITA, "rita")).groups == {"halt_operators"}


async def test_members_of_groups_come_once_each(directory: Directory) -> None:
    members = await directory.members(("halt_operators", "commanders", "halt_operators"))
    assert sorted(m.slack_id for m in members) == [ANA, RAJ, MEI, RITA, "U0SANDBX10"]


async def test_members_that_cannot_be_asked_for_are_tried_again(sandbox: Sandbox, directory: Directory) -> None:
    sandbox.faults.add("slack", "usergroups.users.list", "500", times=9)
    with pytest.raises(TryAgain, match="halt_operators"):
        await directory.members(("halt_operators",))


async def test_people_that_are_not_there_are_named_not_fatal(directory: Directory) -> None:
    found = await directory.people(("ghosts", "typo", "commanders"))
    assert {actor.slack_id for actor, _ in found.people} == {RAJ, MEI}
    text = " ".join(found.missing)
    assert "nobody@sandbox.example of group ghosts" in text
    assert "S0NOBODY99 of group ghosts" in text
    assert "no group typo" in text
    assert found.unasked is False


async def test_a_pagerduty_id_leads_back_to_slack(directory: Directory) -> None:
    await directory.warm()
    assert (await directory.slack_ids(("pagerduty:PUSRANA", "MEI@sandbox.example"), ())).ids == (ANA, MEI)


async def test_members_get_their_mail_where_they_are_written_down_or_where_slack_knows_it(api: Api) -> None:
    directory = Directory(api, {"desk": ("News@Customer.example", RAJ), "empty": ()})
    found = await directory.addresses(("desk", "empty"))
    assert found.emails == ("news@customer.example", "raj@sandbox.example")
    assert found.missing == ("Nobody is in group empty: list its people under groups in warroom.yaml.",)


async def test_people_outside_need_no_account_in_slack(api: Api) -> None:
    directory = Directory(api, {"customers": ("news@customer.example",)}, outside=frozenset({"customers"}))
    assert await directory.warm() == ()

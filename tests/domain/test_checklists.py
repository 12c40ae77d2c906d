"""Checklists: begun by themselves, ticked by people and by the record, late items named."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.domain.play import ANA, EVE, ID, MINUTE, PACK, RAJ, START, Play, a_pack, a_pack_with, succeed, text_of

from warroom.domain import facts as f
from warroom.domain.done import complete
from warroom.domain.effects import Effect
from warroom.domain.incident import Incident
from warroom.domain.people import WARROOM, Actor
from warroom.domain.policy import Checklist, Step
from warroom.domain.procedures import Item

NEWCOMER = Actor("U0NEW", "Nora", verified=False)


def a_checklist(**changes: Any) -> Checklist:
    """Three items that people tick, in every incident."""
    usual: dict[str, Any] = {
        "title": "During market hours",
        "at": "declared",
        "items": (
            Item(id="desk", title="Notify the desk", how="Phone `#1`", owner="commander", within=5 * MINUTE),
            Item(id="positions", title="Protect open positions"),
            Item(id="cause", title="Identify the cause"),
        ),
    }
    return Checklist(**(usual | changes))


def items(**kinds: Any) -> tuple[Item, ...]:
    """One item with the id `it`."""
    return (Item(id="it", title="The item", **kinds),)


def a_play(*, alert: bool = True, **checklists: Checklist) -> Play:
    play = Play(packs=a_pack_with(checklists=checklists or {"during": a_checklist()}))
    if alert:
        play.alert()
    return play


def shown(play: Play, name: str = "during") -> str:
    """The checklist's message in the room as it reads now."""
    (post,) = [e for e in play.sent if e.key == f"checklist:{name}"]
    return play.render(post).plain


def ticks(play: Play) -> list[str]:
    return [what.item for what in play.whats(f.ItemDone)]


def test_a_checklist_begins_at_its_milestone_once_and_is_posted_once() -> None:
    play = a_play()
    play.hear("incident.acknowledged")
    play.type("/incident severity P1 calmer")
    play.at(30)
    assert play.whats(f.ChecklistBegun) == [f.ChecklistBegun(checklist="during")]
    assert [e.data["to"] for e in play.posts("checklist")] == ["room"]
    assert "0 of 3" in shown(play)
    assert "Checklist During market hours: 0 of 3" in play.panel()


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"severities": ("P0",)}, True),
        ({"severities": ("P1", "P2")}, False),
        ({"playbooks": ("market_sentinel_down",)}, True),
        ({"playbooks": ("kafka_backlog",)}, False),
        ({"market": "open"}, True),
        ({"market": "closed"}, False),
        ({"at": "contained"}, False),
        ({"at": None}, False),
    ],
)
def test_it_begins_only_in_the_incidents_it_is_for(changes: dict[str, Any], begins: bool) -> None:
    assert "market_sentinel_down" in PACK.pack.playbooks
    play = a_play(during=a_checklist(**changes))
    assert ("during" in play.incident.checklists) == begins


def test_a_raised_severity_begins_the_checklist_that_is_for_it() -> None:
    play = a_play(during=a_checklist(severities=("P0",)), alert=False)
    play.alert(title="Slow orders", details={"degradation_pct": 60})
    assert not play.incident.checklists
    play.type("/incident severity P0 it is worse")
    assert list(play.incident.checklists) == ["during"]


def test_anybody_in_the_room_ticks_by_button_and_the_message_shows_who_and_when() -> None:
    play = a_play()
    play.at(2)
    assert "“Notify the desk” is ticked, 1 of 3" in text_of(play.click("checklist.tick:desk", f"{ID}|during|desk", EVE))
    assert "Notify the desk · @U0EVE, 14:33 UTC" in shown(play)
    assert "1 of 3" in play.panel()
    (edit,) = [e for e in play.sent if e.key.startswith("checklist-during.edit:")]
    assert edit.data["of"] == "checklist:during"
    assert play.incident.reached("responding") is not None


def test_ticking_twice_says_who_did_it_and_when_and_changes_nothing() -> None:
    play = a_play()
    play.at(2).click("checklist.tick:desk", f"{ID}|during|desk", EVE)
    again = text_of(play.at(3).click("checklist.tick:desk", f"{ID}|during|desk", ANA))
    assert "“Notify the desk” was ticked by Eve already (14:33 UTC). Nothing was changed." in again
    assert ticks(play) == ["desk"]


def test_an_item_is_ticked_and_taken_back_by_typing_its_id_or_number() -> None:
    play = a_play()
    assert "is ticked, 1 of 3" in text_of(play.type("/incident checklist during 2"))
    assert "is open again" in text_of(play.type("/incident checklist during positions undo", RAJ))
    assert not play.incident.checklists["during"].items["positions"].done
    assert "is not ticked" in text_of(play.type("/incident checklist during positions undo"))
    assert "0 of 3" in shown(play)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("durng", "There is no checklist “durng”.\n\n- /incident checklist during"),
        ("during desc", "has no item “desc”.\n\n- /incident checklist during desk"),
        ("during 9", "has no item “9”."),
        ("during desk now please", "is more than an item"),
        ("after it", "was not begun yet.\n\n- /incident checklist after puts it up"),
    ],
)
def test_mistyped_words_get_the_nearest_real_ones(typed: str, said: str) -> None:
    play = a_play(during=a_checklist(), after=a_checklist(title="After", at=None))
    assert said in text_of(play.type(f"/incident checklist {typed}"))
    assert ticks(play) == []


def test_the_list_shows_progress_and_a_checklist_can_be_asked_for() -> None:
    play = a_play(during=a_checklist(), after=a_checklist(title="After hours", at=None))
    play.type("/incident checklist during desk")
    listed = text_of(play.type("/incident checklist"))
    assert "During market hours: 1 of 3 done. /incident checklist during shows it" in listed
    assert "After hours: not begun, 3 items. /incident checklist after puts it up in the room" in listed
    assert "“After hours” is up in the room" in text_of(play.type("/incident checklist after"))
    assert "0 of 3" in shown(play, "after")
    assert "Protect open positions" in text_of(play.type("/incident checklist after"))
    assert len(play.posts("checklist")) == 2


def test_somebody_slack_cannot_vouch_for_ticks_nothing() -> None:
    play = a_play()
    answer = text_of(play.click("checklist.tick:desk", f"{ID}|during|desk", NEWCOMER))
    assert "Slack could not be asked who you are just now, so nothing was changed." in answer
    assert ticks(play) == []


def test_a_late_item_is_named_once_with_its_owner_and_on_the_panel() -> None:
    play = a_play()
    play.click("incident.take")
    play.at(4.9)
    assert play.posts("item_late") == []
    play.at(5)
    assert [w.due for w in play.whats(f.ItemLate)] == [START + 5 * MINUTE]
    (late,) = play.seen("item_late")
    assert "LATE: Notify the desk (During market hours). Incident commander" in late
    assert "had until 14:36 UTC" in late
    assert "0 of 3, 1 late" in play.panel()
    play.at(30).type("/incident checklist during desk")
    assert len(play.posts("item_late")) == 1
    assert "1 of 3" in play.panel()
    assert "late" not in play.panel().split("Checklist")[1].splitlines()[0]
    assert "14:61" not in shown(play)
    assert ", late" in shown(play)


def test_what_is_done_in_time_is_never_late() -> None:
    play = a_play()
    play.at(4).type("/incident checklist during desk")
    play.at(60)
    assert play.posts("item_late") == []


def test_a_resolved_incident_lets_people_tick_and_is_late_only_with_what_comes_after() -> None:
    after = a_checklist(title="After", at="resolved", items=(Item(id="it", title="Runbook", within=10 * MINUTE),))
    play = a_play(during=a_checklist(), after=after)
    play.at(2).send("resolve", summary="It is back")
    play.at(20)
    assert [w.item for w in play.whats(f.ItemLate)] == ["it"]
    assert "is ticked" in text_of(play.click("checklist.tick:desk", f"{ID}|during|desk", EVE))


def test_an_item_is_ticked_by_the_milestone_action_or_checklist_that_proves_it() -> None:
    play = a_play(
        taken=a_checklist(items=items(done_on=("commander_assigned",))),
        halted=a_checklist(items=items(done_on=("action:halt-all",))),
        read=a_checklist(items=items(done_on=("probes:evidence",))),
        all=a_checklist(items=items(done_on=("checklist:taken",))),
    )
    assert ticks(play) == []
    play.at(1).click("incident.take")
    assert [(w.checklist, w.how) for w in play.whats(f.ItemDone)] == [
        ("taken", "commander assigned"),
        ("all", "checklist “During market hours” complete"),
    ]
    play.at(2).send("halt", scope="all", reason="bad prices", actor=RAJ)
    play.at(3).type("/diagnostics evidence")
    assert {w.checklist for w in play.whats(f.ItemDone)} == {"taken", "all", "halted", "read"}
    assert all(fact.by == WARROOM for fact in play.facts[ID] if isinstance(fact.what, f.ItemDone))
    assert "The item · warroom, 14:33 UTC (halt-all confirmed)" in shown(play, "halted")


def test_a_protocol_step_is_done_by_a_complete_checklist() -> None:
    step = Step(id="s", title="Walk through", owner="commander", start=timedelta(), done_on=("checklist:during",))
    severity = a_pack(steps=(step,))["lav_adaf"].pack.severities
    play = Play(packs=a_pack_with(severities=severity, checklists={"during": a_checklist()}))
    play.alert()
    for number in (1, 2):
        play.type(f"/incident checklist during {number}")
    assert play.state("s") == "started"
    assert not complete(play.incident, play.packs["lav_adaf"], "during")
    play.type("/incident checklist during 3")
    assert complete(play.incident, play.packs["lav_adaf"], "during")
    assert play.incident.steps["s"].note == "checklist “During market hours” complete"


def sick(*probes: str) -> Any:
    """A world in which these probes are not healthy."""

    def world(effect: Effect, incident: Incident) -> Mapping[str, Any]:
        made = succeed(effect, incident)
        rows = made.get("results", [])
        return made | {"results": [r | {"state": "failed"} if r["probe"] in probes else r for r in rows]}

    return world


def test_healthy_readings_of_its_group_tick_an_item_and_others_do_not() -> None:
    first = PACK.pack.probe_groups["evidence"][0]
    play = a_play(during=a_checklist(items=items(probes="evidence")))
    play.world = sick(first)
    play.type("/diagnostics evidence")
    play.type(f"/diagnostics {first}")
    assert ticks(play) == []
    play.world = succeed
    play.at(1).type("/diagnostics evidence")
    (done,) = play.whats(f.ItemDone)
    assert done.how == f"{len(PACK.pack.probe_groups['evidence'])} readings healthy"


def test_readings_from_before_the_checklist_began_prove_nothing() -> None:
    play = a_play(during=a_checklist(at="contained", items=items(probes="evidence")))
    play.at(1).type("/diagnostics evidence")
    play.at(2).send("halt", scope="all", reason="bad prices", actor=RAJ)
    assert "during" in play.incident.checklists
    assert ticks(play) == []
    play.at(3).type("/diagnostics evidence")
    assert ticks(play) == ["it"]


def test_a_tick_taken_back_returns_only_with_new_evidence() -> None:
    play = a_play(during=a_checklist(items=items(probes="evidence", done_on=("commander_assigned",))))
    play.at(1).click("incident.take")
    assert ticks(play) == ["it"]
    play.at(2).type("/incident checklist during it undo")
    play.at(3)
    assert ticks(play) == ["it"]
    play.at(4).type("/diagnostics evidence")
    assert ticks(play) == ["it", "it"]


def test_a_long_checklist_keeps_to_the_limits_of_slack() -> None:
    many = tuple(Item(id=f"item{n}", title=f"Item {n} " + "x" * 80, how="y" * 200) for n in range(60))
    play = a_play(during=a_checklist(items=many))
    (post,) = play.posts("checklist")
    parts = play.render(post).parts
    buttons = []
    for part in parts:
        assert len(part.blocks) <= 50
        for block in part.blocks:
            if block["type"] == "actions":
                assert len(block["elements"]) <= 25
                assert len({e["action_id"] for e in block["elements"]}) == len(block["elements"])
                buttons += [e["value"] for e in block["elements"]]
    assert sorted(buttons) == sorted(f"{ID}|during|item{n}" for n in range(60))
    play.type("/incident checklist during item7")
    assert len(play.render(post).parts) <= len(parts)


def test_the_timeline_tells_of_checklists() -> None:
    play = a_play()
    play.type("/incident checklist during desk")
    play.type("/incident checklist during desk undo")
    play.at(6)
    told = text_of(play.type("/incident timeline"))
    for line in ("Checklist begun: During market hours", "Ticked: Notify the desk", "Tick taken back", "Item LATE"):
        assert line in told

"""Roles filled from the groups of the deployment: by team and severity, never over somebody's head."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.domain.play import ANA, ID, MINUTE, PACK, Play, a_pack_with, succeed

from warroom.domain import facts as f
from warroom.domain.effects import Effect
from warroom.domain.incident import Incident
from warroom.domain.inputs import EffectResult
from warroom.domain.people import WARROOM
from warroom.domain.policy import Role, Team

ROLES = {
    "commander": PACK.pack.roles["commander"],
    "scribe": Role(title="Scribe"),
    "risk_manager": Role(title="Risk manager", group="risk_managers"),
    "architect": Role(title="Architect", group="architects"),
    "on_call": Role(title="Engineer on call", group="on_call"),
}
TEAMS = {
    "emergency": Team(
        title="Emergency", severities=("P0",), roles=("commander", "risk_manager", "architect", "scribe")
    ),
    "standard": Team(title="Standard", severities=("P1", "P2"), roles=("commander", "on_call")),
}
DEPLOYED = {
    "risk_managers": [("U0RITA", "Rita"), ("U0RAJ", "Raj")],
    "architects": [("U0AXEL", "Axel")],
    "commanders": [("U0ANA", "Ana")],
}


def found(deployed: Mapping[str, list[tuple[str, str]]], on_call: str = "U0OLGA") -> Callable[..., Mapping[str, Any]]:
    """A world whose directory knows these groups."""

    def world(effect: Effect, incident: Incident) -> Mapping[str, Any]:
        if effect.kind != "people.find":
            return succeed(effect, incident)
        groups: Any = effect.data["groups"]
        people: dict[str, dict[str, str]] = {}
        if effect.data["service"] and on_call:
            people[on_call] = {"slack_id": on_call, "name": "Olga", "why": "on call (level 1)"}
        for group in groups:
            for slack_id, name in deployed.get(group, ()):
                known = people.setdefault(slack_id, {"slack_id": slack_id, "name": name, "why": ""})
                known["why"] = ", ".join(filter(None, [known["why"], group]))
        return {"people": list(people.values()), "missing": []}

    return world


def a_play(severity: str = "P0", **more: Any) -> Play:
    world = more.pop("world", found(DEPLOYED))
    play = Play(packs=a_pack_with(**({"roles": ROLES, "teams": TEAMS} | more)), world=world)
    if severity == "P0":
        play.alert()
    else:
        play.alert(title="Slow orders", details={"degradation_pct": 60})
    assert play.incident.severity == severity
    return play


def held(play: Play) -> dict[str, str]:
    return {role: person.name for role, person in play.incident.roles.items()}


def test_the_roles_of_the_severitys_team_go_to_the_first_member_of_their_group() -> None:
    play = a_play()
    assert held(play) == {"risk_manager": "Rita", "architect": "Axel"}
    assigned = [fact for fact in play.facts[ID] if isinstance(fact.what, f.RoleAssigned)]
    assert {fact.by for fact in assigned} == {WARROOM}
    wanted: Any = play.made[ID, "people"].data["groups"]
    assert set(wanted) >= {"risk_managers", "architects", *PACK.pack.severities["P0"].invite}


def test_it_is_told_once_and_how_to_change_it_and_stands_on_the_panel() -> None:
    play = a_play()
    play.at(30)
    told = [text for text in play.seen("roles_filled") if "Risk manager" in text]
    assert len(told) == 1
    assert "@U0RITA is Risk manager (from the risk managers)." in told[0]
    assert "Another: /incident assign risk_manager @person" in told[0]
    panel = play.panel()
    assert "Risk manager: @U0RITA" in panel
    assert "Scribe: nobody yet" in panel
    assert "Incident commander: nobody yet" in panel
    assert "Engineer on call" not in panel


def test_roles_filled_at_one_moment_are_told_in_one_message() -> None:
    (told,) = a_play().seen("roles_filled")
    assert "2 roles have somebody now" in told
    assert "@U0RITA is Risk manager" in told
    assert "@U0AXEL is Architect" in told


def test_the_commander_stays_to_be_named_by_hand() -> None:
    play = a_play()
    assert play.incident.commander is None
    assert play.incident.reached("commander_assigned") is None
    assert play.incident.reached("responding") is None


def test_a_commander_with_a_group_is_named_by_the_pack_and_reaches_the_milestone() -> None:
    commander = Role(title="Incident commander", milestone="commander_assigned", group="commanders")
    play = a_play(roles=ROLES | {"commander": commander})
    assert held(play)["commander"] == "Ana"
    assert play.incident.reached("commander_assigned") is not None
    assert play.incident.reached("acknowledged") is None


def test_whom_a_person_named_is_left_alone() -> None:
    play = a_play(world=lambda e, i: None if e.kind == "people.find" else succeed(e, i))
    play.type("/incident assign risk_manager <@U0ANA|Ana>")
    play.world = found(DEPLOYED)
    play.type("/incident severity P1 calmer")
    play.type("/incident severity P0 worse")
    assert held(play)["risk_manager"] == "Ana"
    play.type("/incident assign architect <@U0ANA|Ana>")
    play.at(10)
    assert held(play)["architect"] == "Ana"


def test_raising_the_severity_fills_the_roles_of_the_other_team() -> None:
    play = a_play("P1")
    assert held(play) == {"on_call": "Olga"}
    play.at(1).type("/incident severity P0 worse")
    assert held(play) == {"on_call": "Olga", "risk_manager": "Rita", "architect": "Axel"}
    assert "Engineer on call: @U0OLGA" in play.panel()


def test_without_a_team_every_role_with_a_group_is_filled() -> None:
    play = a_play(teams={})
    assert held(play) == {"risk_manager": "Rita", "architect": "Axel", "on_call": "Olga"}


def test_a_role_whose_group_is_empty_or_unknown_to_slack_stays_open() -> None:
    play = a_play(world=found({"risk_managers": [("", "Pat of PagerDuty"), ("U0RAJ", "Raj")]}))
    assert held(play) == {"risk_manager": "Raj"}


def test_on_call_of_a_declared_incident_is_found_when_pagerduty_knows_it() -> None:
    team = {"all": Team(title="All", severities=("P0", "P1", "P2", "P3"), roles=("on_call",))}
    severities = {name: replace(severity, invite=()) for name, severity in PACK.pack.severities.items()}
    play = Play(packs=a_pack_with(roles=ROLES, teams=team, severities=severities), world=found(DEPLOYED))
    play.type("/incident declare P2 Something odd", channel="CELSE")
    assert held(play) == {}
    play.wait(MINUTE)
    play.hear("incident.triggered", key=ID, id="PNEW", title="[P2] Something odd")
    assert held(play) == {"on_call": "Olga"}


@pytest.mark.parametrize("resolved_first", [True, False])
def test_nobody_is_named_after_the_end(resolved_first: bool) -> None:
    play = a_play(world=lambda e, i: None if e.kind == "people.find" else succeed(e, i))
    if resolved_first:
        play.send("resolve", actor=ANA, summary="It is back")
    answer = found(DEPLOYED)(play.made[ID, "people"], play.incident)
    play.give(EffectResult(incident=ID, key="people", kind="people.find", outcome="done", result=answer))
    assert bool(held(play)) != resolved_first

"""Gates: each criterion and its state, signatures, overrides, and resolving only through an open gate."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.play import ANA, CATALOG, EVE, ID, MINUTE, PACK, RAJ, START, Play, a_pack_with, succeed, text_of

from warroom.domain import facts as f
from warroom.domain import gates
from warroom.domain.effects import Effect, FieldErrors, Form, Reply
from warroom.domain.incident import Incident, WatchMark
from warroom.domain.people import By
from warroom.domain.policy import Checklist, Field, Gate, Watch
from warroom.domain.procedures import Criterion, Item
from warroom.domain.views import VIEWS
from warroom.slack.values import revive

GROUP = "evidence"
PROBES = len(PACK.pack.probe_groups[GROUP])
READ = Criterion(title="Positions reconciled", probes=GROUP, fresh=10 * MINUTE)
TICKED = Criterion(title="Recovery checklist", checklist="recovery")
SIGNED = Criterion(title="Desk approval", sign_off=("risk_managers",))
CONTAINED = Criterion(title="Contained", milestone="contained")
STEADY = Criterion(title="Lag steady", watch="lag")
KNOWN = Criterion(title="Scope known", fields=("market", "symbol"))
HALTED = Criterion(title="Halted", action="halt-all")
ALL = (READ, TICKED, SIGNED, CONTAINED, STEADY, KNOWN, HALTED)
RECOVERY = Checklist(title="Recovery", items=(Item(id="smoke", title="Smoke test"), Item(id="flow", title="Flow")))
LAG = Watch(title="Lag", probe="sentinel-health", every=MINUTE, steady_for=2 * MINUTE)
FIELDS = {"market": Field(title="Market"), "symbol": Field(title="Symbol")}


def a_play(*criteria: Criterion, **more: Any) -> Play:
    """A P0 whose way to resolving is closed by a gate of these criteria."""
    gate = Gate(**({"title": "Fit to trade", "criteria": criteria or (SIGNED,)} | more))
    parts: dict[str, Any] = {"gates": {"resume": gate}, "checklists": {"recovery": RECOVERY}, "fields": FIELDS}
    play = Play(packs=a_pack_with(**parts, watches={"lag": LAG}))
    play.alert()
    return play


def state(play: Play, number: int = 0, **since: Any) -> gates.State:
    return gates.states(play.incident, play.packs["lav_adaf"], "resume", play.now, **since)[number]


def closed(play: Play) -> list[str]:
    """The titles of what stands before resolving."""
    found = gates.closed_to_resolving(play.incident, play.packs["lav_adaf"], play.now)
    return [s.title for states in found.values() for s in states]


def resolve(play: Play, actor: Any = ANA, **values: str) -> Any:
    """The resolve form sent in, as it was shown: with the field for the reason."""
    return play.send("resolve", actor=actor, **({"summary": "It is back", "override": ""} | values))


def sick(effect: Effect, incident: Incident) -> Mapping[str, Any]:
    """A world in which the first probe of every run is not healthy."""
    made = succeed(effect, incident)
    rows = list(made.get("results", []))
    return made | ({"results": [rows[0] | {"state": "failed"}, *rows[1:]]} if rows else {})


def silent(effect: Effect, incident: Incident) -> Mapping[str, Any]:
    """A world in which the last probe of every run gives no reading."""
    made = succeed(effect, incident)
    return made | ({"results": made["results"][:-1]} if "results" in made else {})


# one criterion at a time


def test_probes_hold_while_the_newest_run_is_healthy_and_fresh() -> None:
    play = a_play(READ)
    assert (state(play).met, state(play).why) == (False, "Not read yet: /diagnostics evidence")
    play.at(1).type("/diagnostics evidence")
    assert (state(play).met, state(play).why) == (True, f"All {PROBES} healthy at 14:32 UTC")
    play.at(11)
    assert state(play).met
    play.at(11.1)
    assert state(play).why == "All healthy at 14:32 UTC, but that is more than 10 m ago: /diagnostics evidence"
    play.world = sick
    play.at(12).type("/diagnostics evidence")
    assert not state(play).met
    assert state(play).why.startswith(f"1 of {PROBES} not healthy at 14:43 UTC: ")


def test_a_reading_that_did_not_come_back_is_not_healthy() -> None:
    play = a_play(READ)
    play.world = silent
    play.type("/diagnostics evidence")
    assert state(play).why.startswith(f"1 of {PROBES} not healthy")


def test_a_run_of_something_else_proves_nothing() -> None:
    play = a_play(READ)
    play.type(f"/diagnostics {PACK.pack.probe_groups[GROUP][0]}")
    assert not state(play).met


def test_a_checklist_holds_when_it_was_begun_and_all_of_it_is_done() -> None:
    play = a_play(TICKED)
    assert state(play).why == "Not begun yet: /incident checklist recovery"
    play.type("/incident checklist recovery")
    play.type("/incident checklist recovery smoke")
    assert state(play).why == "1 of 2 done; open: Flow. /incident checklist recovery"
    play.type("/incident checklist recovery flow")
    assert (state(play).met, state(play).why) == (True, "All 2 done")


def test_only_members_of_the_named_groups_sign_off() -> None:
    play = a_play(SIGNED)
    assert state(play).why == "Needs the signature of the risk managers: /incident gate resume"
    answer = text_of(play.click("gate.sign:0", f"{ID}|resume|0", ANA))
    assert "Signing off “Desk approval” was not done. Only the risk managers may do it." in answer
    assert [w.what for w in play.whats(f.Denied)] == ["Signing off “Desk approval”"]
    unproven = replace(RAJ, groups=frozenset(), verified=False)
    assert "Slack could not be asked who you are" in text_of(play.click("gate.sign:0", f"{ID}|resume|0", unproven))
    assert not state(play).met
    assert "You signed off “Desk approval”" in text_of(play.at(3).click("gate.sign:0", f"{ID}|resume|0", RAJ))
    assert (state(play).met, state(play).why) == (True, "Signed off by Raj at 14:34 UTC")
    (said,) = play.seen("gate_signed")
    assert "Signed off by @U0RAJ: Desk approval. Fit to trade: 1 of 1 met. The gate is open." in said
    again = text_of(play.at(4).click("gate.sign:0", f"{ID}|resume|0", RAJ))
    assert "was signed off by Raj already (14:34 UTC). Nothing was changed." in again


def test_a_signature_from_before_a_reopening_or_another_severity_stays_and_says_so() -> None:
    play = a_play(SIGNED)
    play.at(1).click("gate.sign:0", f"{ID}|resume|0", RAJ)
    resolve(play.at(2))
    play.at(3).hear("incident.reopened")
    play.at(4).type("/incident severity P1 calmer")
    told = "Signed off by Raj at 14:32 UTC, before it was reopened and the severity became P1"
    assert (state(play).met, state(play).why) == (True, told)
    assert "You signed off" in text_of(play.at(5).click("gate.sign:0", f"{ID}|resume|0", RAJ))
    assert state(play).why == "Signed off by Raj at 14:36 UTC"


def test_milestones_fields_and_actions_hold_when_they_are_there() -> None:
    play = a_play(CONTAINED, KNOWN, HALTED)
    assert state(play, 0).why == "Contained: not reached yet"
    assert state(play, 1).why == "Not known yet: Market and Symbol. /incident set market VALUE"
    assert state(play, 2).why == "“Halt all trading” is not confirmed: /incident action halt-all REASON"
    play.at(1).send("halt", scope="all", reason="bad prices", actor=RAJ)
    play.incidents[ID] = replace(play.incident, fields={"market": "FX", "symbol": "EURUSD"})
    assert [state(play, n).met for n in range(3)] == [True] * 3
    assert state(play, 1).why == "Market: FX; Symbol: EURUSD"


def test_a_rehearsed_action_is_not_a_confirmed_one() -> None:
    play = a_play(HALTED)
    play.actions = "dry_run"
    play.send("halt", scope="all", reason="bad prices", actor=RAJ)
    assert not state(play).met


@pytest.mark.parametrize(
    ("mark", "met", "why"),
    [
        (None, False, "“Lag” has not said anything yet; it is read every 1 m"),
        (("failed", None), False, "Not healthy since 14:31 UTC: lag 90 s"),
        (("ok", None), False, "Healthy since 14:31 UTC, steady after 2 m without a break"),
        (("ok", START + 2 * MINUTE), True, "Steady since 14:31 UTC"),
    ],
)
def test_a_watch_holds_when_it_is_healthy_and_steady(mark: Any, met: bool, why: str) -> None:
    play = a_play(STEADY)
    if mark:
        said = WatchMark(state=mark[0], value=90, summary="lag 90 s", at=START, since=START, steady=mark[1])
        play.incidents[ID] = replace(play.incident, watches={"lag": said})
    assert (state(play).met, state(play).why) == (met, why)


def test_what_a_watch_said_before_a_reopening_no_longer_holds() -> None:
    play = a_play(STEADY)
    said = WatchMark(state="ok", value=9, summary="lag 9 s", at=START, since=START, steady=START + 2 * MINUTE)
    play.incidents[ID] = replace(play.incident, watches={"lag": said})
    play.world = lambda e, i: None if e.kind == "platform.watch" else succeed(e, i)
    resolve(play.at(5))
    play.at(6).hear("incident.reopened")
    assert not state(play).met


def test_what_lifts_a_halt_must_be_newer_than_the_halt() -> None:
    play = a_play(READ, SIGNED, before="action")
    play.at(1).type("/diagnostics evidence")
    play.click("gate.sign:1", f"{ID}|resume|1", RAJ)
    assert [state(play, n).met for n in (0, 1)] == [True, True]
    play.at(2).send("halt", scope="all", reason="bad prices", actor=RAJ)
    assert state(play, 0).why == "Read at 14:32 UTC, before the halt: /diagnostics evidence"
    assert "before the halt; sign off again" in state(play, 1).why
    play.at(3).type("/diagnostics evidence")
    assert "You signed off" in text_of(play.click("gate.sign:1", f"{ID}|resume|1", RAJ))
    assert [state(play, n).met for n in (0, 1)] == [True, True]
    assert not state(play, 1, since=play.now + MINUTE).met
    assert closed(play) == []


# in the room


def test_the_gate_is_shown_with_every_criterion_and_its_buttons() -> None:
    play = a_play(READ, SIGNED)
    answer = play.type("/incident gate", EVE)
    shown = text_of(answer)
    assert "Closed: 0 of 2 met." in shown
    assert "Positions reconciled: Not read yet: /diagnostics evidence" in shown
    blocks = str(Play().show(answer).parts[0].blocks)
    for value in (f"{ID}|evidence", f"{ID}|resume|1", f"{ID}|resume"):
        assert f"'value': '{value}'" in blocks
    play.click("gate.probes:0", f"{ID}|evidence")
    play.click("gate.sign:1", f"{ID}|resume|1", RAJ)
    assert "Open: nothing stands before resolving." in text_of(play.type("/incident gate resume"))
    assert "Before resolving, Fit to trade: 2 of 2 met" in play.panel()


def test_several_gates_are_listed_and_mistyped_ones_get_the_nearest() -> None:
    play = Play(packs=a_pack_with(gates={n: Gate(title=n.title(), criteria=(SIGNED,)) for n in ("resume", "close")}))
    play.alert()
    assert "Resume: 0 of 1 met, before resolving. /incident gate resume shows it" in text_of(
        play.type("/incident gate")
    )
    assert "There is no gate “resum”.\n\n- /incident gate resume" in text_of(play.type("/incident gate resum"))
    assert "not known here any more" in text_of(play.click("gate.sign:7", f"{ID}|resume|7", RAJ))


def test_a_platform_without_gates_says_so() -> None:
    bare = replace(PACK, pack=replace(PACK.pack, gates={}, checklists={}))
    play = Play(packs={"lav_adaf": bare})
    play.alert()
    assert "This platform has no gates" in text_of(play.type("/incident gate"))
    assert "This platform has no checklists" in text_of(play.type("/incident checklist"))


def test_an_override_needs_the_right_and_a_reason_and_is_told_everywhere() -> None:
    play = a_play(READ, SIGNED)
    answer = text_of(play.click("gate.override", f"{ID}|resume", EVE))
    assert "Overriding “Fit to trade” was not done. Only the incident commanders may do it." in answer
    assert [w.what for w in play.whats(f.Denied)] == ["Overriding “Fit to trade”"]
    form = play.click("gate.override", f"{ID}|resume", ANA)
    assert (form.name, form.about) == ("gate_override", f"{ID}|resume")
    assert form.context["criteria"][0] == "✗ Positions reconciled: Not read yet: /diagnostics evidence"
    assert "reason" in play.send("gate_override", form.about, reason=" ").errors
    assert "is overridden; everybody is told" in text_of(play.send("gate_override", form.about, reason="Broker agrees"))
    (fact,) = play.whats(f.GateOverridden)
    assert fact.unmet == ("Positions reconciled", "Desk approval")
    assert [e.data["to"] for e in play.posts("gate_overridden")] == ["room", "war_room"]
    for said in play.seen("gate_overridden"):
        assert "@U0ANA overrode “Fit to trade”. Reason: Broker agrees" in said
        assert "Not met: Positions reconciled and Desk approval" in said
    notes = [str(e.data["text"]) for e in play.sent if e.kind == "pagerduty.note"]
    assert any("Fit to trade overridden by Ana: Broker agrees" in note for note in notes)
    assert "overridden by Ana: Broker agrees" in text_of(play.type("/incident gate"))
    assert "there is nothing to override" in text_of(play.click("gate.override", f"{ID}|resume", ANA))


def test_the_commander_of_the_incident_may_override() -> None:
    play = a_play()
    play.click("incident.take", actor=EVE)
    assert isinstance(play.click("gate.override", f"{ID}|resume", EVE), Form)


def test_an_override_covers_what_was_unmet_then_and_not_what_comes_after_a_reopening() -> None:
    play = a_play(READ, SIGNED)
    play.type("/diagnostics evidence")
    play.send("gate_override", f"{ID}|resume", reason="Desk is asleep")
    assert closed(play) == []
    play.at(12)
    assert closed(play) == ["Positions reconciled"]
    play.type("/diagnostics evidence")
    resolve(play)
    assert not play.incident.is_open
    play.at(13).hear("incident.reopened")
    assert closed(play) == ["Desk approval"]


@pytest.mark.parametrize(
    ("pack", "message", "all_clear"),
    [
        ("eafix", "resolution_notice", "trade as usual"),
        ("eafix", "desk_summary", "trade as usual"),
        ("market_data", "data_resolved", "as usual"),
        ("lav_adaf", "resolution_notice", ""),
    ],
)
def test_a_notice_gives_no_all_clear_past_a_gate_that_was_overridden(pack: str, message: str, all_clear: str) -> None:
    def notice() -> str:
        view = VIEWS["resolution"](play.incident, play.packs["lav_adaf"], play.now, {})
        about = dict.fromkeys(("markets", "owners"), "")
        return CATALOG.render(message, revive({**view, "about": about}), pack, now=play.now).plain

    play = a_play(READ, SIGNED)
    play.type("/diagnostics evidence")
    resolve(play, override="Desk is asleep")
    told = "Not verified: Desk approval. Check with the incident commander before you trade on it."
    play.at(30)  # the reading, healthy then, is old by now
    assert told in notice()
    assert not all_clear or all_clear not in notice()
    play.click("gate.sign:0", f"{ID}|resume|1", RAJ)
    assert "Not verified" not in notice()
    assert all_clear in notice()


def test_what_pagerduty_resolved_past_a_gate_is_not_verified_until_it_is_resolved_anew() -> None:
    play = a_play(SIGNED)
    play.at(1).hear("incident.resolved")
    assert gates.unverified(play.incident, play.packs["lav_adaf"], play.now) == ("Desk approval",)
    play.at(2).hear("incident.reopened")
    assert gates.unverified(play.incident, play.packs["lav_adaf"], play.now) == ()


# resolving


def test_resolving_through_a_closed_gate_is_refused_and_names_what_is_unmet() -> None:
    play = a_play(READ, SIGNED)
    form = play.click("incident.resolve")
    assert form.context["closed"]
    assert len(form.context["criteria"]) == 2
    answer = resolve(play)
    assert isinstance(answer, FieldErrors)
    assert "Positions reconciled (Not read yet: /diagnostics evidence)" in answer.errors["override"]
    assert "Desk approval" in answer.errors["override"]
    assert play.incident.is_open
    assert play.incident.resolution is None


def test_with_every_criterion_met_it_is_resolved_without_an_override() -> None:
    play = a_play()
    play.click("gate.sign:0", f"{ID}|resume|0", RAJ)
    assert not play.click("incident.resolve").context["closed"]
    assert isinstance(resolve(play, override="just in case"), Reply)
    assert not play.incident.is_open
    assert play.whats(f.GateOverridden) == []


def test_a_reason_in_the_form_overrides_for_those_who_may() -> None:
    play = a_play()
    play.type("/incident assign scribe <@U0EVE|eve>")
    refused = resolve(play, EVE, override="I say so")
    assert "Only the incident commander or the incident commanders may override" in refused.errors["override"]
    assert len(play.whats(f.Denied)) == 1
    assert play.incident.is_open
    assert isinstance(resolve(play, override="Desk said so by phone"), Reply)
    assert not play.incident.is_open
    (fact,) = play.whats(f.GateOverridden)
    assert (fact.unmet, fact.reason) == (("Desk approval",), "Desk said so by phone")


def test_a_form_from_before_the_gate_applied_is_shown_again_with_what_was_typed() -> None:
    play = a_play()
    answer = play.send("resolve", summary="It is back", root_cause="A bad deploy")
    assert isinstance(answer, Form)
    assert answer.context["values"] == {"summary": "It is back", "root_cause": "A bad deploy"}
    assert answer.context["closed"]
    assert play.incident.is_open


@pytest.mark.parametrize("other", [{"severities": ("P1",)}, {"playbooks": ("kafka_backlog",)}, {"market": "closed"}])
def test_a_gate_for_other_incidents_stands_in_nobodys_way(other: dict[str, Any]) -> None:
    play = a_play(SIGNED, **other)
    assert play.click("incident.resolve").context["criteria"] == []
    assert isinstance(play.send("resolve", summary="It is back"), Reply)
    assert not play.incident.is_open


def test_resolved_in_pagerduty_the_room_is_told_what_was_not_met() -> None:
    play = a_play()
    play.at(5).hear("incident.resolved", agent=By("pagerduty:PX", "Pat"))
    assert not play.incident.is_open
    (fact,) = play.whats(f.GateOverridden)
    assert (fact.via, fact.unmet) == ("pagerduty", ("Desk approval",))
    said = play.seen("gate_overridden")[0]
    assert "Resolved in PagerDuty by Pat although “Fit to trade” was not met." in said
    assert "Do what is missing now, or reopen the incident" in said
    assert "Resolved in PagerDuty although not met: Desk approval" in text_of(play.type("/incident timeline"))
    play.at(6).hear("incident.resolved")
    assert len(play.whats(f.GateOverridden)) == 1


def test_resolving_in_pagerduty_opens_the_gate_for_nobody() -> None:
    play = a_play()
    play.now += 5 * MINUTE  # both are heard of late, and at once
    play.hear("incident.resolved", at=START + MINUTE)
    play.hear("incident.reopened", at=START + 2 * MINUTE)
    assert play.incident.is_open
    assert closed(play) == ["Desk approval"]


def test_the_cause_can_be_told_after_resolving_whatever_the_gate_says() -> None:
    play = a_play()
    play.hear("incident.resolved")
    assert play.click("incident.resolve").context["criteria"] == []
    assert "Written down" in text_of(play.send("resolve", summary="x", root_cause="a bad deploy"))


# properties

DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 20)),
        st.sampled_from(
            [
                ("read", succeed),
                ("read", sick),
                ("read", silent),
                ("begin", ""),
                ("tick", "smoke"),
                ("tick", "flow"),
                ("undo", "flow"),
                ("sign", RAJ),
                ("sign", EVE),
                ("halt", RAJ),
                ("override", ANA),
                ("override", EVE),
                ("resolve", ""),
                ("resolve", "because"),
                ("old form", ""),
                ("hear", "incident.resolved"),
                ("hear", "incident.reopened"),
                ("severity", "P1"),
                ("severity", "P0"),
            ]
        ),
    ),
    max_size=18,
)
USED = (READ, TICKED, SIGNED, CONTAINED)


def do(play: Play, deed: tuple[str, Any]) -> None:
    match deed:
        case ("wait", minutes):
            play.wait(minutes * MINUTE)
        case ("read", world):
            play.world = world
            play.type("/diagnostics evidence")
            play.world = succeed
        case ("begin", _):
            play.type("/incident checklist recovery")
        case ("tick", item):
            play.type(f"/incident checklist recovery {item}")
        case ("undo", item):
            play.type(f"/incident checklist recovery {item} undo")
        case ("sign", who):
            play.click("gate.sign:2", f"{ID}|resume|2", who)
        case ("halt", who):
            play.send("halt", scope="all", reason="bad prices", actor=who)
        case ("override", who):
            play.send("gate_override", f"{ID}|resume", who, reason="needs must")
        case ("resolve", reason):
            resolve(play, override=reason)
        case ("old form", _):
            play.send("resolve", summary="It is back")
        case ("hear", news):
            play.hear(news)
        case ("severity", level):
            play.type(f"/incident severity {level} news")


def holds(play: Play) -> list[bool]:
    """What the criteria say, worked out from the facts alone."""
    runs = [d for d in play.incident.diagnoses if d.what == GROUP and d.reported]
    newest = runs[-1] if runs else None
    healthy = newest and len(newest.results) == PROBES and all(r["state"] == "ok" for r in newest.results)
    fresh = newest and newest.reported and play.now - newest.reported <= timedelta(minutes=10)
    ticked: dict[str, bool] = {}
    for what in (fact.what for fact in play.facts[ID]):
        if isinstance(what, f.ItemDone | f.ItemUndone):
            ticked[what.item] = isinstance(what, f.ItemDone)
    return [
        bool(healthy and fresh),
        ticked.get("smoke", False) and ticked.get("flow", False),
        bool(play.whats(f.SignedOff)),
        play.incident.reached("contained") is not None,
    ]


@settings(settings.get_profile("plays"))
@given(DEEDS, st.sets(st.sampled_from(USED), min_size=1))
def test_a_gate_opens_exactly_when_all_its_criteria_hold(deeds: list[Any], chosen: set[Criterion]) -> None:
    play = a_play(*USED)
    picked = tuple(c for c in USED if c in chosen)
    pack = play.packs["lav_adaf"]
    fewer = replace(pack, pack=replace(pack.pack, gates={"resume": Gate(title="Some", criteria=picked)}))
    for deed in deeds:
        do(play, deed)
        met = [s.met for s in gates.states(play.incident, pack, "resume", play.now)]
        assert met == holds(play)
        if SIGNED not in chosen:  # a signature belongs to the number of its criterion
            some = gates.states(replace(play.incident, overrides=()), fewer, "resume", play.now)
            assert (gates.unmet(some) == ()) == all(m for m, c in zip(met, USED, strict=True) if c in chosen)


@settings(settings.get_profile("plays"))
@given(DEEDS)
def test_nobody_resolves_through_an_unmet_gate_without_an_override_on_record(deeds: list[Any]) -> None:
    play = a_play(*USED)
    for deed in deeds:
        before, unmet, count = play.incident, closed(play), len(play.facts[ID])
        do(play, deed)
        if before.is_open and not play.incident.is_open and deed[0] != "wait":
            new = [fact.what for fact in play.facts[ID][count:]]
            assert bool(unmet) == any(isinstance(what, f.GateOverridden) for what in new)

"""The draft, section by section."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.postmortem.builders import ANA, LOADED, RAJ, RITA, START, minutes, opened, rehearsed, resolved
from tests.postmortem.test_markdown import HOSTILE, tokens

from warroom.domain import facts as f
from warroom.domain.policy import Checklist, Gate
from warroom.domain.procedures import Criterion, Item
from warroom.postmortem.document import questions_in, templates

SECTIONS = [
    "Incident Summary",
    "Timeline",
    "Impact",
    "Response",
    "Actions",
    "Diagnostics",
    "Root Cause",
    "What Went Well",
    "What Could Be Improved",
    "Action Items",
    "Lessons Learned",
    "Objectives",
    "Open questions",
]


def section(markdown: str, title: str) -> str:
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", markdown, re.DOTALL | re.MULTILINE)
    assert found, f"no section {title}"
    return found[1]


def table(text: str) -> list[list[str]]:
    """The body rows of the first table of a section."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


@pytest.fixture(scope="module")
def draft() -> str:
    return rehearsed().markdown(reason="resolved")


@pytest.mark.row("L14")
def test_every_section_of_the_template_is_there_in_order(draft: str) -> None:
    assert re.findall(r"^## (.+)$", draft, re.MULTILINE) == SECTIONS


def test_the_summary_says_when_how_long_how_bad_and_what(draft: str) -> None:
    summary = section(draft, "Incident Summary")
    assert "**Date/Time:** 2026-03-02 14:30 UTC to 2026-03-02 15:06 UTC" in summary
    assert "**Duration:** 35 m 45 s" in summary
    assert "**Severity:** P0 CRITICAL (critical service down while the market is open)" in summary
    assert "**Services affected:** Market Sentinel, Regime feed" in summary
    assert "**Incident commander:** Raj Patel" in summary
    assert "[PagerDuty](https://firm.pagerduty.com/incidents/PINC1)" in summary


def test_the_impact_gives_what_was_said_and_whether_a_clock_ran_out(draft: str) -> None:
    impact = section(draft, "Impact")
    assert "All desks without regime updates for 42 minutes" in impact
    assert "**SLA breach:** none, all 3 clocks ended in time" in impact
    assert impact.count("> **Question:** ") == 2


def test_the_impact_falls_back_to_the_last_update_that_spoke_of_it() -> None:
    said = f.UpdateGiven(human=True, status="identified", summary="s", next_steps="", eta="", impact="Half the venues")
    impact = section(opened().fact(600, said, RAJ).markdown(), "Impact")
    assert "Said by Raj Patel at 14:41:05" in impact
    assert "Half the venues" in impact


@pytest.mark.row("L2")
def test_the_protocol_shows_done_late_and_left_out_with_who_and_when(draft: str) -> None:
    steps = {row[0]: row[1:] for row in table(section(draft, "Protocol"))}
    assert steps["Engage the circuit breakers"] == [
        *("Risk manager", "14:36:05", "14:34:50", "Rita Okafor", "in time (halt-all confirmed)")
    ]
    assert steps["Assign the incident commander"][2:] == [
        *("14:49:15", "Raj Patel", "late by 3 m 10 s (commander assigned)")
    ]
    assert steps["Brief the executive team"][-1] == "left out: CTO is in the room"


def test_a_step_that_was_due_and_never_done_is_late_even_when_nobody_said_so() -> None:
    steps = {row[0]: row[-1] for row in table(section(resolved(opened(), 800).markdown(), "Protocol"))}
    assert steps["Preserve the evidence"] == "late, never done"
    assert steps["Assign the incident commander"] == "resolved before it was due"
    story = opened()
    story.now = START + minutes(12)
    steps = {row[0]: row[-1] for row in table(section(story.markdown(), "Protocol"))}
    assert steps["Preserve the evidence"] == "late, still open"
    assert steps["Assign the incident commander"] == "not due yet"


def test_a_step_of_our_own_is_warroom_s() -> None:
    steps = {row[0]: row[1] for row in table(section(opened().markdown(), "Protocol"))}
    assert steps["Preserve the evidence"] == "warroom"


def test_a_late_clock_is_a_breach_a_finding_and_an_action_item() -> None:
    markdown = resolved(opened().reached(1, "announced").reached(420, "acknowledged", ANA)).markdown()
    assert ["Acknowledge", "5 m", "7 m", "late by 2 m"] in table(section(markdown, "SLA clocks"))
    assert "**SLA breach:** yes, 1 of 3 clocks: Acknowledge (late by 2 m)" in markdown
    assert "- Acknowledge: late by 2 m (7 m of 5 m)." in section(markdown, "What Could Be Improved")
    assert "Find out what delayed “Acknowledge” and change it" in section(markdown, "Action Items")


def test_a_breach_that_was_announced_in_error_reads_as_corrected() -> None:
    story = opened().reached(1, "announced")
    story.fact(300, f.ClockBreached(clock="acknowledge", start=START, deadline=START + minutes(5)))
    story.reached(240, "acknowledged", ANA, "pagerduty")
    story.fact(310, f.ClockCorrected(clock="acknowledge", start=START, reached=START + minutes(4)))
    markdown = resolved(story).markdown()
    assert ["Acknowledge", "5 m", "4 m", "met (announced as late, then corrected)"] in table(
        section(markdown, "SLA clocks")
    )
    assert "In time after all: Acknowledge, at 14:35:05" in section(markdown, "Timeline")
    assert "**SLA breach:** none" in markdown


def test_reaction_times_count_from_the_declaration(draft: str) -> None:
    response = section(draft, "Response")
    assert "announced 1 s, acknowledged 1 m 2 s, halt ordered 3 m 41 s, halt confirmed 3 m 45 s, " in response
    assert "commander named 18 m 10 s, resolved 35 m." in response


@pytest.mark.row("L12")
def test_updates_written_and_unwritten_are_told_apart(draft: str) -> None:
    assert table(section(draft, "Updates")) == [["Status update", "every 15 m", "1", "1", "15 m"]]
    assert "- The update due 14:46 (Status update) was not written by a person." in draft


def test_updates_all_written_by_people_are_to_their_credit() -> None:
    story = opened().reached(1, "announced")
    for second in (800, 1600):
        said = f.UpdateGiven(human=True, status="identified", summary="s", next_steps="", eta="", impact="")
        story.fact(second, said, RAJ)
    markdown = resolved(story, 2400).markdown()
    assert "- Status update: none was missed, all 2 written by people." in section(markdown, "What Went Well")


def test_a_silence_longer_than_the_cadence_is_a_finding() -> None:
    markdown = resolved(opened().reached(1, "announced").reached(9, "acknowledged", ANA), 1800).markdown()
    assert "- Status update: 30 m passed without an update, planned is every 15 m." in markdown


def test_participants_come_with_what_they_did_and_machines_do_not(draft: str) -> None:
    people = section(draft, "Participants")
    assert "- **Ana Souza:** acknowledged, 1 run of diagnostics, 1 note for the timeline, 3 messages" in people
    assert "- **Rita Okafor:** ordered “Halt all trading”, 1 message" in people
    assert "- **Raj Patel:** Incident commander, resolved the incident" in people
    assert "warroom" not in people
    assert "PagerDuty" not in people


def an_action(outcome: Any, mode: Any = "live", detail: str = "no answer within 10 s") -> str:
    run: dict[str, Any] = {"run": "r1", "action": "halt-all", "scope": "all"}
    story = opened().fact(60, f.ActionRequested(**run, reason="stale", mode=mode), RITA)
    if outcome:
        story.fact(70, f.ActionSettled(**run, outcome=outcome, detail=detail))
    return resolved(story).markdown()


@pytest.mark.row("L5")
@pytest.mark.parametrize(
    ("outcome", "mode", "shown"),
    [
        ("confirmed", "live", ["live", "Rita Okafor", "stale", "confirmed after 10 s"]),
        ("failed", "live", ["live", "Rita Okafor", "stale", "FAILED after 10 s"]),
        ("unknown", "live", ["live", "Rita Okafor", "stale", "UNKNOWN after 10 s"]),
        ("dry_run", "dry_run", ["dry run", "Rita Okafor", "stale", "rehearsed after 10 s"]),
        (None, "live", ["live", "Rita Okafor", "stale", "NO RESULT"]),
    ],
)
def test_a_halt_is_shown_with_its_outcome_whatever_it_was(outcome: Any, mode: str, shown: list[str]) -> None:
    row = table(section(an_action(outcome, mode), "Actions"))[0]
    assert row[:2] == ["14:32:05", "Halt all trading (all)"]
    assert row[2:6] == shown


@pytest.mark.row("S2")
@pytest.mark.parametrize("outcome", ["unknown", None])
def test_an_unknown_outcome_is_asked_about_and_never_counts_as_success(outcome: Any) -> None:
    markdown = an_action(outcome)
    assert "> **Question:** Did Halt all trading (all) ordered at 14:32:05 take effect?" in markdown
    assert "halt confirmed" not in markdown
    assert "Halt all trading" not in section(markdown, "What Went Well")
    assert "Halt all trading (all): nobody knows whether it took effect." in section(markdown, "What Could Be Improved")


def test_a_confirmed_halt_asks_when_trading_resumed_unless_the_record_knows() -> None:
    assert "When did trading resume after Halt all trading (all)" in an_action("confirmed")
    run: dict[str, Any] = {"run": "r1", "action": "halt-all", "scope": "all"}
    back: dict[str, Any] = {"run": "r2", "action": "resume-all", "scope": None}
    story = opened().fact(60, f.ActionRequested(**run, reason="stale", mode="live"), RITA)
    story.fact(61, f.ActionSettled(**run, outcome="confirmed", detail="halted"))
    story.fact(90, f.ActionRequested(**back, reason="fixed", mode="live", lifts=("all",)), RITA)
    story.fact(91, f.ActionSettled(**back, outcome="confirmed", detail="not halted"))
    assert "When did trading resume" not in resolved(story).markdown()


def test_diagnostics_are_tables_with_the_unhealthy_first(draft: str) -> None:
    found = section(draft, "Diagnostics")
    assert "14:32:55, Market Sentinel down, asked for by Ana Souza:" in found
    assert [row[1] for row in table(found)[:3]] == ["error", "failed", "ok"]


def test_the_root_cause_is_the_resolvers_or_a_question(draft: str) -> None:
    assert "The log partition filled up" in section(draft, "Root Cause")
    assert "> **Question:** What else contributed" in section(draft, "Root Cause")
    unsaid = section(resolved(opened(), root_cause="").markdown(), "Root Cause")
    assert unsaid.strip().startswith("> **Question:** What was the technical root cause")


def test_what_went_well_gives_only_provable_figures(draft: str) -> None:
    well = section(draft, "What Went Well")
    assert "Acknowledge (1 m 2 s of 5 m)" in well
    assert "2 of 4 protocol steps in time." in well
    assert "Halt all trading (all) was confirmed by reading back 4 s after the order." in well


def test_what_warroom_could_not_deliver_is_owned_up_to(draft: str) -> None:
    assert "- 1 delivery by warroom failed or may have failed (slack.post)." in section(draft, "What Could Be Improved")
    assert "Not delivered (slack.post): channel_not_found: #risk-alerts" in section(draft, "Timeline")


def test_action_items_hold_the_packs_follow_ups_with_due_dates_and_what_was_late(draft: str) -> None:
    items = {row[0]: row[1:] for row in table(section(draft, "Action Items"))}
    impact = "Assess the impact: Financial impact (P&L, costs), Reputational impact"
    assert items[impact] == ["", "2026-03-03 15:06 UTC", "High"]
    assert items["Analyse the root cause"][1] == "2026-03-09 15:06 UTC"
    assert "Find out what kept “Assign the incident commander” from being done in time and change it" in items
    assert not any("Brief the executive team" in item for item in items)
    assert items["Prevention from the playbook: Health checks with automatic restart; Redundant data sources"][2] == (
        "Medium"
    )


def test_objectives_are_measured_against_their_targets_and_data_loss_is_asked_for(draft: str) -> None:
    rows = {row[0]: row[1:] for row in table(section(draft, "Objectives"))}
    assert rows["Recovery time (RTO)"] == ["4 h", "34 m 45 s", "met"]
    assert rows["Mean time to repair (MTTR)"] == ["2 h", "35 m 45 s", "met"]
    assert rows["Word to the stakeholders"] == ["30 m", "1 m", "met"]
    assert rows["Data loss (RPO)"] == ["15 m", "—", "see the question"]
    assert "> **Question:** Data loss (RPO): what was it this time (target 15 m)?" in draft


def test_a_missed_objective_says_by_how_much() -> None:
    markdown = resolved(opened(), 3 * 3600).markdown()
    assert "missed by 1 h" in section(markdown, "Objectives")
    assert "- Objective Mean time to repair (MTTR): missed by 1 h." in markdown


def test_every_question_is_marked_where_it_belongs_and_listed_at_the_end(draft: str) -> None:
    asked = questions_in(draft)
    listed = section(draft, "Open questions").strip().splitlines()
    assert len(asked) == len(listed) == 10
    assert "10 questions are left to people" in draft
    for question, line in zip(asked, listed, strict=True):
        assert line.endswith(f": {question}")
        title = re.match(r"- \[(.+?)\]\(#([a-z-]+)\)", line)
        assert title
        assert f"> **Question:** {question}" in section(draft, title[1])


def test_an_open_incident_gives_figures_as_of_now_and_says_so() -> None:
    story = opened().reached(1, "announced")
    story.now = START + minutes(10)
    markdown = story.markdown()
    assert "> **Note:** The incident is not resolved yet: every figure is as of now." in markdown
    assert "**Duration:** 10 m so far" in markdown
    assert ["Acknowledge", "5 m", "10 m", "late by 5 m, still open"] in table(section(markdown, "SLA clocks"))
    assert ["Resolve", "2 h", "10 m", "running"] in table(section(markdown, "SLA clocks"))
    assert table(section(markdown, "Action Items"))[0][2] == "—"


def test_the_barest_incident_makes_a_whole_draft() -> None:
    bare = replace(LOADED.pack, playbooks={}, follow_ups=(), objectives={})
    story = opened()
    story.pack = replace(LOADED, pack=bare)
    story.facts = story.facts[:1]
    markdown = story.markdown()
    sections = [s for s in SECTIONS if s not in ("Diagnostics", "Objectives")]
    assert re.findall(r"^## (.+)$", markdown, re.MULTILINE) == sections
    assert "Nobody is on record." in markdown


def test_severity_changes_keep_what_was_done_before() -> None:
    story = opened(severity="P1").reached(1, "announced").reached(60, "acknowledged", ANA)
    story.fact(120, f.SeverityChanged(severity="P0", reason="trading is down"), RAJ)
    markdown = resolved(story).markdown()
    assert "Severity set to P0" in section(markdown, "Timeline")
    assert "**Severity:** P0 CRITICAL (trading is down)" in markdown
    acknowledged = [row for row in table(section(markdown, "SLA clocks")) if row[0] == "Acknowledge"]
    assert acknowledged == [["Acknowledge", "5 m", "1 m", "met"]]


def test_the_standard_template_is_one_of_the_templates() -> None:
    assert "postmortem" in templates()


def shape(markdown: str) -> list[str]:
    """Everything of a document but its text: blocks, rows, columns, links."""
    structure = ("text", "text_special", "code_inline", "softbreak", "inline")
    return [f"{t.type} {t.attrs}" for t in tokens(markdown) if t.type not in structure]


@pytest.mark.row("S4")
@settings(settings.get_profile("plays"))
@given(st.lists(HOSTILE.map(lambda text: f"x{text}x"), min_size=9, max_size=9))
def test_no_text_from_outside_changes_the_structure(texts: list[str]) -> None:
    assert shape(told_with(texts)) == shape(told_with(["plain"] * 9))


def told_with(texts: list[str]) -> str:
    title, message, person, reason, detail, error, reading, note, impact = (" ".join(t.split()) for t in texts)
    run: dict[str, Any] = {"run": "r1", "action": "halt-all", "scope": "all"}
    story = opened(title, severity_reason=reason, description=note).says(30, replace(ANA, name=person), message)
    story.fact(60, f.ActionRequested(**run, reason=reason, mode="live"), replace(RITA, name=f"r{person}"))
    story.fact(70, f.ActionSettled(**run, outcome="failed", detail=detail))
    story.fact(80, f.EffectFailed(key="k", kind="slack.post", outcome="unknown", error=error))
    story.fact(90, f.ProbesRequested(run="d", what="evidence", probes=("p",)))
    readings = ({"probe": "p", "title": reading, "state": "failed", "summary": detail},)
    story.fact(95, f.ProbesReported(run="d", results=readings))
    story.fact(100, f.NoteAdded(text=note), ANA)
    return resolved(
        story, summary=note, root_cause=detail, actions_taken=f"- {message}\n- {note}", impact=impact
    ).markdown()


def test_checklists_and_gates_gone_past_are_told_item_by_item() -> None:
    story = resolved(opened(), 3600)
    items = (Item(id="desk", title="Notify the desk", within=minutes(5)), Item(id="flow", title="Data flows"))
    gate = Gate(title="Fit to trade", criteria=(Criterion(title="Desk approval", sign_off=("risk_managers",)),))
    parts = {"checklists": {"during": Checklist(title="In market hours", items=items)}, "gates": {"resume": gate}}
    story.pack = replace(story.pack, pack=replace(story.pack.pack, **parts))
    story.fact(10, f.ChecklistBegun(checklist="during"))
    story.fact(310, f.ItemLate(checklist="during", item="desk", due=START + timedelta(seconds=310)))
    story.fact(400, f.ItemDone(checklist="during", item="desk", how=""), ANA)
    story.fact(3590, f.GateOverridden(gate="resume", unmet=("Desk approval",), reason="Desk is asleep"), RITA)
    draft = story.markdown()
    desk, flow = table(section(draft, "Checklists"))
    assert desk == ["In market hours", "Notify the desk", "14:36:15", "14:37:45", "Ana Souza", "late by 1 m 30 s"]
    assert flow[-1] == "open"
    (passed,) = table(section(draft, "Gates passed although not met"))
    assert passed == ["15:30:55", "Fit to trade", "Desk approval", "Rita Okafor", "Desk is asleep"]
    timeline = section(draft, "Timeline")
    for line in ("Checklist item late: Notify the desk", "Ticked: Notify the desk", "“Fit to trade” overridden"):
        assert line in timeline
    assert "“Fit to trade” was passed although not met: Desk approval." in section(draft, "What Could Be Improved")
    assert "**Rita Okafor:** overrode “Fit to trade”" in section(draft, "Participants")

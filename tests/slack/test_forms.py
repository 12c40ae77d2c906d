"""Every form opens in Slack as it is, however odd its values, and asks for what the rules read."""

from typing import Any

import pytest
from tests.slack.support import ANA

from warroom.domain.effects import Form
from warroom.sandbox import Sandbox
from warroom.sandbox.slack_blocks import check_view
from warroom.sandbox.slack_text import plain
from warroom.slack.api import Api
from warroom.slack.forms import FORMS, view_of

LONG = "<!channel> *x* " * 400
SCOPES = [{"value": "all", "label": "Halt all trading"}, {"value": "nyse", "label": "Halt NYSE"}]
SEVERITIES = [{"value": f"P{n}", "label": f"P{n} Level"} for n in range(4)]
PACKS = [{"value": "toy", "label": "Toy"}, {"value": "lav_adaf", "label": "LAV-ADAF"}]
ABOUT = {
    "action": LONG,
    "consequence": LONG,
    "danger": "extreme",
    "need": 2,
    "approvers": [LONG],
    "lasts": 3600.0,
    "undo": LONG,
    "mode": "dry_run",
}
PARAMETERS = [
    {"name": "value_venue", "label": LONG, "hint": LONG, "choices": ["NYSE", "LSE"], "value": "LSE"},
    {"name": "value_size", "label": "Size", "hint": "Give a number.", "choices": [], "value": "0.5"},
]
CONTEXTS: dict[str, dict[str, Any]] = {
    "action": {**ABOUT, "note": LONG, "parameters": PARAMETERS, "values": {"reason": LONG}},
    "action_confirm": {**ABOUT, "note": LONG, "lines": [LONG, "{}"], "reason": LONG, "lifts": ["all"]},
    "halt_resume": {**ABOUT, "in_force": [LONG], "criteria": [LONG], "scopes": ["all", "nyse"], "values": {}},
    "approval_reject": {"title": LONG, "asked_by": LONG, "values": {"reason": LONG}},
    "declare": {"severities": SEVERITIES, "packs": PACKS, "services": ["a", "b"], "values": {"title": LONG}},
    "update": {"audience": LONG, "values": dict.fromkeys(("summary", "next_steps", "eta", "impact"), LONG)},
    "halt": {
        "scopes": SCOPES,
        "mode": "dry_run",
        "consequence": LONG,
        "preview": "POST executioner/api/emergency/halt-all",
        "in_force": [LONG, "all: confirmed"],
        "values": {"reason": LONG},
    },
    "gate_override": {"gate": LONG, "criteria": [LONG, "✗ Reconciled: not read yet"], "values": {"reason": LONG}},
    "resolve": {
        "in_force": ["all: confirmed"],
        "criteria": [LONG, "✓ Done: yes"],
        "closed": True,
        "values": dict.fromkeys(("summary", "root_cause"), LONG),
    },
    "call_done": {"step": LONG, "values": {"person": "Ana", "note": LONG}},
    "call_failed": {"step": LONG, "values": {"note": LONG}},
    "step_skip": {"step": LONG, "values": {"reason": LONG}},
    "fields": {
        "fields": [
            {"name": "market", "title": LONG, "choices": ["XNYS", "XLON"], "value": "XLON"},
            {"name": "amount", "title": "Amount", "choices": [], "value": LONG},
        ]
    },
}
FIELDS = {
    "action": ["value_venue", "value_size", "reason"],
    "action_confirm": [],
    "halt_resume": ["scope", "reason"],
    "approval_reject": ["reason"],
    "declare": ["title", "severity", "pack", "service", "description"],
    "update": ["status", "summary", "next_steps", "eta", "impact"],
    "halt": ["scope", "reason"],
    "gate_override": ["reason"],
    "resolve": ["override", "summary", "root_cause", "actions_taken", "impact"],
    "call_done": ["person", "note"],
    "call_failed": ["note"],
    "step_skip": ["reason"],
    "fields": ["market", "amount"],
}


def a_view(name: str, **context: Any) -> dict[str, Any]:
    return view_of(Form(name, "INC-2026-0042", CONTEXTS[name] | context))


def field(view: dict[str, Any], name: str) -> dict[str, Any]:
    return next(b["element"] for b in view["blocks"] if b.get("block_id") == name)


@pytest.mark.parametrize("name", sorted(FORMS))
async def test_every_form_opens_with_all_its_fields(sandbox: Sandbox, api: Api, name: str) -> None:
    trigger = sandbox.slack.surfaces.issue_trigger(ANA)
    answer = await api.call("views.open", trigger_id=trigger, view=a_view(name))
    view = answer["view"]
    assert (view["callback_id"], view["private_metadata"]) == (name, "INC-2026-0042")
    inputs = [b for b in view["blocks"] if b["type"] == "input"]
    assert [b["block_id"] for b in inputs] == FIELDS[name]
    assert {b["element"]["action_id"] for b in inputs} <= {"value"}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_form_is_valid_with_the_least_it_is_given(name: str) -> None:
    least = {"declare": {"severities": SEVERITIES[:1]}, "halt": {"scopes": SCOPES[:1]}}.get(name, {})
    check_view(view_of(Form(name, "", least)))


def test_a_choice_of_one_is_not_asked_for() -> None:
    view = a_view("declare", packs=PACKS[:1], services=[])
    assert [b["block_id"] for b in view["blocks"] if b["type"] == "input"] == ["title", "severity", "description"]


def test_first_values_are_filled_in() -> None:
    values = {"status": "monitoring", "summary": "Router restarted", "eta": "15:30 UTC"}
    view = a_view("update", values=values)
    assert field(view, "status")["initial_option"]["value"] == "monitoring"
    assert field(view, "summary")["initial_value"] == "Router restarted"
    assert field(view, "eta")["initial_value"] == "15:30 UTC"
    assert "initial_value" not in field(view, "impact")


def test_a_halt_shows_exactly_what_will_be_sent_and_whether_it_is_real() -> None:
    dry, live = plain(a_view("halt")["blocks"]), plain(a_view("halt", mode="live")["blocks"])
    for text in (dry, live):
        assert "    POST executioner/api/emergency/halt-all" in text
        assert "all: confirmed" in text or "Halts ordered before" in text
    assert dry.startswith("DRY RUN: nothing will be halted")
    assert live.startswith("LIVE: this stops trading")


def test_an_incident_without_gates_is_resolved_without_asking_for_more() -> None:
    view = a_view("resolve", criteria=[], closed=False)
    inputs = [b["block_id"] for b in view["blocks"] if b["type"] == "input"]
    assert inputs == ["summary", "root_cause", "actions_taken", "impact"]


def test_a_halt_without_scopes_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no options"):
        a_view("halt", scopes=[])

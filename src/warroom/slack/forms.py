"""The modals: a form's name, what it is about and its first values → a Slack view.

Each input's block id is the field's name, so a form sent in has `values[field]`. The callback id is the form's name,
the private metadata is `about` (an incident id, or "").

    form       fields sent in                            context read (all optional unless marked *)
    declare    title, severity, pack, service,           severities* [{value, label}], packs [{value, label}],
               description                               services [{value, label}], values {field: text}
    update     status, summary, next_steps, eta, impact  statuses [{value, label}], audience (text), values
    halt       scope, reason                             scopes* [{value, label}], consequence, mode (dry_run | live),
                                                         preview (text of exactly what will be sent), in_force
                                                         (lines: halts ordered before), values
    resolve    summary, root_cause, actions_taken,       in_force (lines: halts still in force), criteria (lines: what
               impact, override (when gated)             must hold before), closed (some of it does not), values
    gate_override
               reason                                    gate (its title), criteria (lines: what is unmet), values
    call_done  person, note                              step (its title), values
    call_failed note                                     step (its title), values
    action     value_NAME of each parameter, reason      action, parameters [{name, label, hint, choices, value}], note,
                                                         danger, need, approvers, lasts, undo, mode, values
    action_confirm
               (nothing; `about` is the order)           the same, lines (exactly what is sent), reason, lifts
    halt_resume
               scope (when several), reason              scopes, in_force and criteria (lines), and those of action
    approval_reject
               reason                                    title, asked_by, values
    step_skip  reason                                    step (its title), values
    fields     one for each of the pack's fields shown   fields* [{name, title, choices, value}]

`pack` and `service` are asked for only when there are several; with one, its value is not sent in and the rules know
it. Choices may also be given as plain strings. `values` are what was entered before.
"""

from collections.abc import Callable, Mapping
from typing import Any

from warroom.domain.effects import Form
from warroom.domain.words import counted
from warroom.rendering.elements import (
    Json,
    input_select,
    input_text,
    modal,
    plain_text,
    text_section,
)
from warroom.slack.values import clip, revive

Context = Mapping[str, Any]
STATUSES = (("investigating", "Investigating"), ("identified", "Identified"), ("monitoring", "Monitoring"))
PREVIEW = 2900
LONG = 2000
SHORT = 200


def view_of(form: Form) -> Json:
    """The modal for a form. Raises KeyError for a form nobody drew, ValueError when a choice has no options."""
    title, submit, blocks = FORMS[form.name]
    return modal(form.name, title, blocks(revive(form.context)), submit, form.about)


def notice_view(title: str, blocks: list[Json]) -> Json:
    """A modal that only shows something."""
    return modal("notice", title, blocks, close="Close")


def _declare(c: Context) -> list[Json]:
    values = _values(c)
    blocks = [
        input_text(
            "title",
            "What is wrong?",
            values.get("title"),
            max_length=SHORT,
            placeholder="Orders are rejected at all venues",
            hint="One line, as you would say it on the phone.",
        ),
        input_select("severity", "How bad is it?", _choices(c, "severities"), values.get("severity")),
    ]
    for name, key, label in (("pack", "packs", "Which platform?"), ("service", "services", "Which service?")):
        choices = _choices(c, key)
        if len(choices) > 1:
            optional = name == "service"
            blocks.append(input_select(name, label, choices, values.get(name), optional=optional))
    hint = "Symptoms, since when, who is affected. You can add more later."
    blocks.append(_long("description", "What do you know so far?", values, hint=hint, optional=True))
    return blocks


def _update(c: Context) -> list[Json]:
    values = _values(c)
    statuses = _choices(c, "statuses") or list(STATUSES)
    blocks = [text_section(f"This goes to {c['audience']}.")] if c.get("audience") else []
    return [
        *blocks,
        input_select("status", "Status", statuses, values.get("status") or statuses[0][0]),
        _long("summary", "What has happened since the last update?", values),
        _long("next_steps", "What happens next?", values, optional=True),
        input_text(
            "eta",
            "When will it be fixed?",
            values.get("eta"),
            max_length=SHORT,
            optional=True,
            placeholder="15:30 UTC, or not known yet",
        ),
        _long("impact", "Who is affected, and how?", values, optional=True),
    ]


def _halt(c: Context) -> list[Json]:
    values = _values(c)
    scopes = _choices(c, "scopes")
    first = scopes[0][0] if scopes else None
    blocks: list[Json] = []
    if c.get("mode") == "dry_run":
        blocks.append(_callout("DRY RUN: nothing will be halted. This shows what would be sent."))
    elif c.get("mode") == "live":
        blocks.append(_callout("LIVE: this stops trading as soon as you send it."))
    if c.get("platform"):
        blocks.append(text_section(f"Platform: {c['platform']}"))
    if c.get("consequence"):
        blocks.append(text_section(str(c["consequence"])))
    blocks += _lines(c, "in_force", "Halts ordered before")
    blocks.append(input_select("scope", "What should stop?", scopes, values.get("scope") or first))
    hint = "It is sent with the halt and kept in the audit trail."
    blocks.append(_long("reason", "Why?", values, hint=hint, most=500))
    if c.get("preview"):
        blocks.append(_preformatted("Exactly this will be sent:", str(c["preview"])))
    return blocks


def _resolve(c: Context) -> list[Json]:
    values = _values(c)
    unknown = "Leave it empty while it is not known: the review will ask."
    closed, override = c.get("closed"), _override(c, values)
    return [
        *_lines(c, "in_force", "Still in force; resolving does not lift it"),
        *_lines(c, "criteria", "Before it may be resolved"),
        *(override if closed else []),
        _long("summary", "How did it end?", values, hint="One or two sentences for everybody."),
        _long("root_cause", "What was the cause?", values, hint=unknown, optional=True),
        _long("actions_taken", "What was done about it?", values, optional=True),
        _long("impact", "What did it cost?", values, hint="Trades, money, time, people affected.", optional=True),
        *(override if not closed else []),
    ]


def _override(c: Context, values: Mapping[str, str]) -> list[Json]:
    """The reason for resolving although not everything holds; asked for whenever a gate applies, as it may close."""
    if not c.get("criteria"):
        return []
    hint = "Told in the room and to everybody who follows the incident."
    label = "Not everything holds. Why resolve all the same?"
    if not c.get("closed"):
        label = "Should something no longer hold when this is sent: why resolve all the same?"
    return [_long("override", label, values, hint=hint, most=500, optional=True)]


def _gate_override(c: Context) -> list[Json]:
    hint = "It is told in the room and to everybody who follows the incident."
    return [
        text_section(str(c.get("gate") or "")),
        *_lines(c, "criteria", "Not met"),
        _long("reason", "Why go on all the same?", _values(c), hint=hint, most=500),
    ]


def _step_skip(c: Context) -> list[Json]:
    hint = "It is shown in the room and in the post-mortem."
    return [*_about_step(c), _long("reason", "Why is it left out?", _values(c), hint=hint, most=500)]


def _call_done(c: Context) -> list[Json]:
    values = _values(c)
    person = input_text("person", "Whom did you speak to?", values.get("person"), max_length=SHORT)
    return [*_about_step(c), person, _long("note", "What did they say?", values, optional=True, most=1000)]


def _call_failed(c: Context) -> list[Json]:
    hint = "The room reads whom to call next."
    return [*_about_step(c), _long("note", "What happened?", _values(c), hint=hint, most=500)]


def _about_step(c: Context) -> list[Json]:
    return [text_section(f"Step: {c['step']}")] if c.get("step") else []


def _fields(c: Context) -> list[Json]:
    blocks: list[Json] = [text_section("What you leave empty stays as it is.")]
    for field in c.get("fields") or ():
        name, title, value = str(field["name"]), str(field["title"]), str(field["value"]) or None
        choices = [(str(choice), str(choice)) for choice in field["choices"]]
        if choices:
            blocks.append(input_select(name, title, choices, value, optional=True))
        else:
            blocks.append(input_text(name, title, value, max_length=SHORT, optional=True))
    return blocks


def _action(c: Context) -> list[Json]:
    values = _values(c)
    blocks = [_mode(c), *([text_section(str(c["note"]))] if c.get("note") else []), *_about_action(c)]
    for field in c.get("parameters") or ():
        choices = [(str(choice), str(choice)) for choice in field.get("choices") or ()]
        name, label, first = str(field["name"]), str(field["label"]), str(field.get("value") or "") or None
        if choices:
            blocks.append(input_select(name, label, choices, first))
        else:
            blocks.append(
                input_text(name, label, first, max_length=SHORT, hint=clip(str(field.get("hint") or ""), 150))
            )
    hint = "It is kept in the audit trail, and shown to those who approve."
    blocks.append(_long("reason", "Why?", values, hint=hint, most=500))
    return blocks


def _action_confirm(c: Context) -> list[Json]:
    blocks = [_mode(c), *([text_section(str(c["note"]))] if c.get("note") else [])]
    if c.get("lifts"):
        blocks.append(text_section(f"Lifts the trading halt: {', '.join(map(str, c['lifts']))}"))
    blocks += [text_section(f"Reason: {c.get('reason') or ''}"), *_about_action(c)]
    if c.get("lines"):
        blocks.append(_preformatted("Exactly this will be sent, once:", "\n".join(map(str, c["lines"]))))
    return blocks


def _halt_resume(c: Context) -> list[Json]:
    values, scopes = _values(c), _choices(c, "scopes")
    blocks = [
        _mode(c),
        *_lines(c, "in_force", "In force"),
        *_lines(c, "criteria", "What must hold before trading resumes"),
    ]
    blocks += _about_action({**c, "undo": "a new halt"})
    if len(scopes) > 1:
        blocks.append(input_select("scope", "Which halt is lifted?", scopes, values.get("scope")))
    hint = "It is shown to those who approve, and kept in the audit trail."
    return [*blocks, _long("reason", "Why can trading resume?", values, hint=hint, most=500)]


def _approval_reject(c: Context) -> list[Json]:
    asked = f"{c['title']}, asked for by {c.get('asked_by') or 'warroom'}" if c.get("title") else ""
    hint = "It is told in the room; whoever asked must know what to do instead."
    blocks = [text_section(asked)] if asked else []
    return [*blocks, _long("reason", "Why not?", _values(c), hint=hint, most=500)]


def _about_action(c: Context) -> list[Json]:
    """What it does, who may, who must approve, how long it lasts, how it is taken back."""
    approvers = ", ".join(map(str, c.get("approvers") or ()))
    undo = c.get("undo") or ("a new halt" if c.get("lifts") else "")
    lines = [
        str(c.get("action") or ""),
        f"Consequence: {c['consequence']}" if c.get("consequence") else "",
        f"Danger: {c['danger']}" if c.get("danger") else "",
        f"{counted(int(c['need']), 'other person')} must approve ({approvers}); nothing is sent before"
        if c.get("need")
        else "",
        f"It lasts {counted(int(c['lasts'] // 60), 'minute')}" if c.get("lasts") else "",
        f"Taken back by: {undo}" if undo else "It cannot be taken back from here",
    ]
    return [text_section("\n".join(filter(None, lines)))]


def _mode(c: Context) -> Json:
    if c.get("mode") == "dry_run":
        return _callout("DRY RUN: nothing will be sent to the platform.")
    return _callout("LIVE: this changes the platform.")


FORMS: Mapping[str, tuple[str, str, Callable[[Context], list[Json]]]] = {
    "declare": ("Declare an incident", "Declare", _declare),
    "update": ("Status update", "Send", _update),
    "halt": ("Halt trading", "Halt", _halt),
    "resolve": ("Resolve the incident", "Resolve", _resolve),
    "action": ("Order an action", "Show what is sent", _action),
    "action_confirm": ("Confirm the action", "Order it", _action_confirm),
    "halt_resume": ("Resume trading", "Show what is sent", _halt_resume),
    "approval_reject": ("Reject the request", "Reject", _approval_reject),
    "gate_override": ("Override the gate", "Override", _gate_override),
    "call_done": ("A call was made", "Done", _call_done),
    "call_failed": ("Nobody was reached", "Write it down", _call_failed),
    "step_skip": ("Skip a step", "Skip", _step_skip),
    "fields": ("What is affected", "Write down", _fields),
}
"""Name → title, label of the button that sends it, and its blocks."""


def _long(
    field: str,
    label: str,
    values: Mapping[str, str],
    *,
    hint: str | None = None,
    optional: bool = False,
    most: int = LONG,
) -> Json:
    first = values.get(field)
    return input_text(field, label, first, multiline=True, optional=optional, max_length=most, hint=hint)


def _values(c: Context) -> dict[str, str]:
    given = c.get("values") or {}
    return {str(name): str(value) for name, value in given.items() if value}


def _choices(c: Context, name: str) -> list[tuple[str, str]]:
    """(value, label) pairs of a list of {value, label}, or of plain strings."""
    found: list[tuple[str, str]] = []
    for item in c.get(name) or ():
        if isinstance(item, Mapping):
            found.append((str(item["value"]), str(item.get("label") or item["value"])))
        else:
            found.append((str(item), str(item)))
    return found


def _lines(c: Context, name: str, label: str) -> list[Json]:
    lines = [str(line) for line in c.get(name) or ()]
    return [text_section("\n".join([f"{label}:", *(f"• {line}" for line in lines)]))] if lines else []


def _callout(text: str) -> Json:
    return {"type": "header", "text": plain_text(text, 150)}


def _preformatted(label: str, text: str) -> Json:
    return {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": label}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": clip(text, PREVIEW)}]},
        ],
    }

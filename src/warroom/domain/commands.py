"""What people may type, and what to say when they mistype it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from warroom.domain.words import nearest


@dataclass(frozen=True)
class Usage:
    """One subcommand of /incident: how to type it and what it does."""

    usage: str
    about: str


INCIDENT: Mapping[str, Usage] = {
    "declare": Usage("declare [P0|P1|P2|P3] TITLE", "open an incident and its room"),
    "ack": Usage("ack", "acknowledge, also in PagerDuty"),
    "take": Usage("take", "become incident commander"),
    "assign": Usage("assign ROLE @person", "give somebody a role"),
    "severity": Usage("severity P0|P1|P2|P3 [why]", "change the severity"),
    "status": Usage("status", "show where it stands (also /incident-status)"),
    "update": Usage("update [TEXT]", "send a status update; without text a form opens"),
    "note": Usage("note TEXT", "add to the timeline"),
    "milestone": Usage("milestone contained|recovery_started|validated|reviewed", "say how far the incident is"),
    "step": Usage("step done STEP [how]|done CALL WHO|skip STEP WHY", "mark a protocol step, or a phone call made"),
    "set": Usage("set FIELD VALUE", "say what it is about: a market, an amount; without words a form opens"),
    "action": Usage("action [NAME [name=value …] REASON]", "change something on the platform, with its preview"),
    "checklist": Usage("checklist [NAME [ITEM [undo]]]", "show a checklist, tick an item or take the tick back"),
    "gate": Usage("gate [NAME]", "what must hold before resolving or resuming, and how far it is"),
    "vendor": Usage("vendor REFERENCE TEXT", "note a vendor's reference number in the timeline"),
    "runbook": Usage("runbook [PLAYBOOK]", "show a playbook, or use another one"),
    "contacts": Usage("contacts", "whom to reach, and how"),
    "timeline": Usage("timeline", "the latest entries"),
    "resolve": Usage("resolve", "resolve; a form asks for cause and actions"),
    "postmortem": Usage("postmortem", "compile the post-mortem draft now"),
    "list": Usage("list", "open incidents"),
    "help": Usage("help", "this list"),
}
FREE_TEXT = ("note", "update", "set", "vendor")
STATUSES = ("investigating", "identified", "monitoring")
NAMED = re.compile(r"^(?:INC-(\d{4})-)?0*(\d{1,6})$", re.IGNORECASE)
MENTION = re.compile(r"^<@([UW][A-Z0-9]+)(?:\|([^>]*))?>$")
_ESCAPED = re.compile(r"<([@#])[A-Z0-9]+\|([^<>|]+)>")


@dataclass(frozen=True)
class Typed:
    """A command taken apart: the subcommand, the incident named first (or ""), and the rest."""

    word: str
    named: str
    rest: str


def take_apart(name: str, text: str, *, by_number: bool = False) -> Typed:
    """A slash command's text as subcommand, named incident and rest.

    Only /incident has subcommands. The incident may be named right after it: `ack 42`, `ack INC-2026-0042`; where a
    text follows that may begin with a number (`note 3 venues are back`), only its whole id names it, unless
    `by_number`.
    """
    words = text.split()
    word = ""
    if name == "/incident":
        word = words.pop(0).lower() if words else "help"
    named = ""
    found = NAMED.match(words[0]) if words and word != "declare" else None
    if found and (found[1] or by_number or word not in FREE_TEXT):
        named = words.pop(0).upper()
    rest = text
    for skipped in (word, named):
        rest = re.sub(rf"^\s*{re.escape(skipped)}", "", rest, flags=re.IGNORECASE) if skipped else rest
    return Typed(word, named, rest.strip() if word == "assign" else spoken(rest.strip()))


def spoken(text: str) -> str:
    """What was typed with `<@U123|Ana>` and `<#C123|war-room>` as people read them: @Ana, #war-room."""
    return _ESCAPED.sub(lambda found: f"{found[1]}{found[2]}", text)


def names(named: str, incident_id: str) -> bool:
    """Whether what was typed ("42", "INC-2026-0042") means this incident id."""
    typed, known = NAMED.match(named), NAMED.match(incident_id)
    if not typed or not known or int(typed[2]) != int(known[2]):
        return False
    return typed[1] is None or typed[1] == known[1]


def meant(named: str, ids: Iterable[str]) -> str | None:
    """Which of these incidents, oldest first, was typed ("42", "inc-2026-0042"): the newest of that number."""
    return next(reversed([id_ for id_ in ids if names(named, id_)]), None)


def person(text: str) -> tuple[str, str] | None:
    """The Slack id and name of an escaped mention `<@U123|ana>`; None when it is none."""
    found = MENTION.match(text.strip())
    return (found[1], found[2] or found[1]) if found else None


def did_you_mean(word: str, options: Mapping[str, object] | tuple[str, ...]) -> tuple[str, ...]:
    """The nearest real words, or all of them when none is close."""
    return nearest(word, options) or tuple(options)

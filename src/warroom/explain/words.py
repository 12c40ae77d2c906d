"""Parts of a pack in words."""

import re
from collections.abc import Iterable, Sequence

from warroom.domain.policy import Do, Pack, Step
from warroom.domain.procedures import Audience, Criterion, Item
from warroom.domain.terms import When
from warroom.domain.words import reaching
from warroom.packs.durations import format_duration
from warroom.packs.names import ON_CALL, ROOM

ITSELF = "warroom"
_OWNED = {"announced": ITSELF, "resolution_announced": ITSELF}


def listed(parts: Iterable[str], word: str = "and") -> str:
    """a, b and c, each once."""
    found = [part for part in dict.fromkeys(parts) if part]
    return f"{', '.join(found[:-1])} {word} {found[-1]}" if len(found) > 1 else "".join(found)


def either(parts: Iterable[str]) -> str:
    """a, b or c."""
    return listed(parts, "or")


def plain(name: str) -> str:
    """A milestone or another name as people say it."""
    return name.replace("_", " ")


def condition(when: When) -> str:
    """One condition over an alert."""
    field = when.field.removeprefix("details.").removeprefix("fields.").replace("_", " ")
    if when.matches is not None:
        return f"{field} has {_searched(when.matches)}"
    if when.over is not None:
        return f"{field} is over {when.over:g}"
    if when.under is not None:
        return f"{field} is under {when.under:g}"
    if when.equals is True:
        return field
    return f"{'the ' if when.field == 'market' else ''}{field} is {when.equals}"


def _searched(pattern: str) -> str:
    """A regular expression as people read it: its words, where it is nothing but words."""
    inner = re.sub(r"\\b|\(\?:|[()]", "", pattern).replace("[ _-]?", " ")
    words = inner.split("|")
    return either(f"“{word}”" for word in words) if re.fullmatch(r"[\w &|-]+", inner) else f"“{pattern}”"


def groups(pack: Pack, names: Sequence[str]) -> str:
    """Groups of people."""
    return listed(pack.groups[name] for name in names)


def channels(pack: Pack, names: Sequence[str]) -> str:
    """Slack channels."""
    return listed("the room" if name == ROOM else pack.channels[name] for name in names)


def reached(pack: Pack, to: Sequence[str], audiences: Sequence[str]) -> str:
    """Everybody who is told: channels, and audiences with the ways to them."""
    named = [pack.audiences[name] for name in audiences]
    return listed([channels(pack, to), *(audience(pack, who) for who in named)])


def audience(pack: Pack, who: Audience) -> str:
    """An audience and the ways to it; an external one waits for its approval."""
    ways = [pack.channels.get(name, "the room") for name in who.channels]
    ways += [f"mail to {groups(pack, who.mail)}"] if who.mail else []
    others = {"PagerDuty status update": who.pagerduty, "status page": who.status_page, "wiki": who.wiki}
    ways += [way for way, used in others.items() if used]
    approved = f", once approved by {groups(pack, who.approvers)}" if who.external else ""
    return f"{who.title} ({', '.join(ways)}{approved})"


def answerable(pack: Pack, milestone: str) -> str:
    """Who sees to it that a milestone is reached: whoever is on call, the role that reaches it, else the commander."""
    if milestone == "acknowledged":
        return pack.groups[ON_CALL]
    role = next((role for role in pack.roles.values() if role.milestone == milestone), pack.roles["commander"])
    return _OWNED.get(milestone, role.title)


def does(pack: Pack, do: Do) -> str:
    """What a step does by itself."""
    match do.kind:
        case "announce":
            return "announce it"
        case "page":
            return f"page {groups(pack, do.groups)}"
        case "escalate":
            return "escalate in PagerDuty"
        case "probes":
            return f"take the readings of “{do.probes}”"
        case "tell":
            return f"tell {reached(pack, do.channels, do.audiences)} ({do.message})"
        case "act":
            action = pack.actions[do.action or ""]
            given = ", ".join(f"{name} {value}" for name, value in do.parameters.items())
            return f"order “{action.title}”" + (f" with {given}" if given else "")


def done(pack: Pack, step: Step) -> str:
    """What makes a step done."""
    return either(_done(pack, word) for word in step.done_on) or "somebody presses Done"


def _done(pack: Pack, word: str) -> str:
    kind, _, name = word.partition(":")
    match kind:
        case "action":
            return f"“{pack.actions[name].title}” is confirmed"
        case "probes":
            return f"the readings of “{name}” are in"
        case "checklist":
            return f"the checklist “{pack.checklists[name].title}” is done"
        case "effects":
            return "everything is sent"
        case "update":
            return "somebody writes an update"
        case _:
            return reaching(word)


def criterion(pack: Pack, must: Criterion) -> str:
    """What must hold, and what shows it."""
    shown = ""
    if must.probes is not None:
        shown = f"readings of “{must.probes}” healthy, not older than {format_duration(must.fresh)}"
    elif must.checklist is not None:
        shown = f"checklist “{pack.checklists[must.checklist].title}” done"
    elif must.sign_off:
        shown = f"signed off by one of {groups(pack, must.sign_off)}"
    elif must.milestone is not None:
        shown = plain(must.milestone)
    elif must.watch is not None:
        watch = pack.watches[must.watch]
        shown = f"“{watch.title}” healthy" + (f" for {format_duration(watch.steady_for)}" if watch.steady_for else "")
    elif must.fields:
        shown = f"{listed(pack.fields[name].title for name in must.fields)} known"
    elif must.action is not None:
        shown = f"“{pack.actions[must.action].title}” confirmed"
    return f"{must.title}: {shown}"


def item(pack: Pack, line: Item) -> str:
    """One line of a checklist."""
    parts = [pack.roles[line.owner].title if line.owner else ""]
    parts.append(f"within {format_duration(line.within)}" if line.within else "")
    about = ", ".join(part for part in parts if part)
    return f"☐ {line.title}" + (f" ({about})" if about else "")

"""`warroom check`: everything that is wrong with a deployment, at once; and what a severity sets going, told in order.

Pure but for the files it reads: nothing is started, nothing is sent.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from warroom.domain.messages import MESSAGES
from warroom.domain.policy import Do, Pack, Severity, SeverityId, Step
from warroom.errors import ConfigError
from warroom.packs.document import Document
from warroom.packs.durations import format_duration
from warroom.packs.loader import FILE, SHIPPED, file_text, read_pack
from warroom.packs.names import SYSTEM
from warroom.packs.problems import Problem, nearest
from warroom.packs.used_messages import messages_used
from warroom.rendering import Catalog, MessageErrors
from warroom.settings import read_settings

_MOST_UPDATES = 3
_GONE = "this message is missing, and people would not be told: put the file back"


def problems(
    environ: Mapping[str, str],
    *,
    messages: Path,
    manifest: Path,
    check_manifest: Callable[[Path], Sequence[str]],
    packs: Path = SHIPPED,
    load: Callable[[Path], Catalog] = Catalog.load,
) -> list[Problem]:
    """Everything wrong with the settings, the packs, the messages and the manifest, in the order of files and lines.

    `messages` is the folder of templates, `load` reads it; `check_manifest` returns a sentence for each mistake in
    `manifest`.
    """
    found = read_settings(environ)[1]
    catalog: Catalog | None = None
    try:
        catalog = load(messages)
    except MessageErrors as errors:
        found += [Problem(str(p.path), p.line, "", p.text) for p in errors.problems]
    else:
        gone = MESSAGES - catalog.names()
        found += [Problem(str(messages / "common" / f"{name}.md"), 0, "", _GONE) for name in gone]
    for path in sorted(packs.glob(f"*/{FILE}")):
        found += _pack_problems(path, catalog)
    said = (sentence.removeprefix(f"{manifest.name}: ") for sentence in check_manifest(manifest))
    found += [Problem(str(manifest), 0, "", sentence) for sentence in said]
    return sorted(set(found))


def report(found: Sequence[Problem]) -> str:
    """The problems as lines for a terminal, and what they come to."""
    if not found:
        return "Everything is in order."
    count = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
    return "\n".join([*map(str, found), f"{count}. Nothing was started."])


def explain(pack: Pack, severity: SeverityId) -> str:
    """What `severity` sets going, minute by minute: who is told what, which clock ends, who owns which step."""
    about = pack.severities[severity]
    lines = [f"{pack.title} {severity} {about.title}: {about.definition}"]
    events = sorted(_events(pack, about), key=lambda event: (event[0], event[1]))
    lines += [f"  {_minute(at):>9}  {text}" for at, _, text in events]
    lines += [
        f"  after {clock.start:<13} {clock.title}: within {format_duration(clock.within)}"
        for clock in about.clocks.values()
        if clock.start != "declared"
    ]
    lines += [f"  at {c.at:<16} {c.message} to {_channels(pack, c.channels)}" for c in about.communications]
    return "\n".join(lines)


def _pack_problems(path: Path, catalog: Catalog | None) -> list[Problem]:
    try:
        text = file_text(path)
    except ConfigError as error:
        return [Problem("", 0, "", sentence) for sentence in error.problems]
    pack, found = read_pack(text, str(path))
    if pack is None or catalog is None:
        return found
    known = catalog.names(pack.id)
    document = Document(text, str(path))
    for at, name in messages_used(pack):
        if name not in known:
            said = f"there is no message {name!r} in messages/{pack.id} or messages/common{nearest(name, known)}"
            found.append(document.problem(at, said))
    return found


Event = tuple[timedelta, int, str]


def _events(pack: Pack, about: Severity) -> Iterator[Event]:
    told = f", ringing @{about.announce.broadcast}" if about.announce.broadcast else ""
    channel = pack.channels[about.announce.channel]
    yield timedelta(), 0, f"{about.announce.message} to {channel}{told}"
    if about.invite:
        yield timedelta(), 1, f"invited to the room: {_groups(pack, about.invite)}"
    for step in about.steps:
        yield from _step_events(pack, step)
    for clock in about.clocks.values():
        if clock.start != "declared":
            continue
        late = f"; else page {_groups(pack, clock.tell)}" if clock.tell else ""
        if clock.warn_before:
            yield (
                clock.within - clock.warn_before,
                4,
                f"warning: {clock.title} is due in {format_duration(clock.warn_before)}",
            )
        hours = " (counted in market hours)" if clock.counting == "market_hours" else ""
        yield clock.within, 5, f"clock ends: {clock.title}{hours}, {clock.end} by now{late}"
    for cadence in about.cadences:
        for n in range(1, _MOST_UPDATES + 1):
            due = cadence.every * n
            yield due - cadence.ask_before, 6, f"the room is asked for the {cadence.title.lower()}"
            more = f", then every {format_duration(cadence.every)} until {cadence.end}" if n == _MOST_UPDATES else ""
            yield due, 7, f"{cadence.message} to {_channels(pack, cadence.channels)}{more}"


def _step_events(pack: Pack, step: Step) -> Iterator[Event]:
    after = "" if step.after == "declared" else f" (after {step.after})"
    owner = "by itself" if step.owner == SYSTEM else f"owner: {pack.roles[step.owner].title}"
    does = "; ".join(_do(pack, do) for do in step.does)
    yield step.start, 2, f"step: {step.title}{after}, {owner}" + (f": {does}" if does else "")
    if step.end is not None:
        done = ", ".join(step.done_on) or "somebody says so"
        late = "; ".join(_do(pack, do) for do in step.if_late)
        yield step.end, 3, f"step ends: {step.title}, done by {done}" + (f"; if late {late}" if late else "")


def _do(pack: Pack, do: Do) -> str:
    match do.kind:
        case "announce":
            return "announce"
        case "page":
            return f"page {_groups(pack, do.groups)}"
        case "escalate":
            return "escalate in PagerDuty"
        case "probes":
            return f"run the probes {do.probes}"
        case "tell":
            return f"{do.message} to {_channels(pack, do.channels)}"
        case "act":
            return f"order {do.action}"


def _groups(pack: Pack, groups: Sequence[str]) -> str:
    return ", ".join(pack.groups[group] for group in groups)


def _channels(pack: Pack, channels: Sequence[str]) -> str:
    return ", ".join(pack.channels.get(channel, f"the {channel}") for channel in channels)


def _minute(at: timedelta) -> str:
    return "0m" if not at else format_duration(at)

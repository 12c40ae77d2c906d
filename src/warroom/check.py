"""`warroom check`: everything that is wrong with a deployment, at once; what it has when nothing is.

Pure but for the files it reads: nothing is started, nothing is sent.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from warroom.domain.messages import MESSAGES
from warroom.domain.policy import Pack
from warroom.environment import ENVIRONMENT
from warroom.packs.document import Document
from warroom.packs.loader import file_text
from warroom.packs.problems import Problem, nearest, without_consequences
from warroom.packs.typed import read as read_typed
from warroom.packs.used_messages import messages_used
from warroom.rendering import Catalog
from warroom.rendering import Problem as MessageProblem
from warroom.settings import Reading, Settings, read_settings

_GONE = "this message is missing, and people would not be told: put the file back"
Read = Callable[[Path, Mapping[str, Path], Collection[str] | None], tuple[Catalog, Sequence[MessageProblem]]]


def problems(
    environ: Mapping[str, str],
    *,
    messages: Path,
    manifest: Path,
    check_manifest: Callable[[Path], Sequence[Problem]],
    read: Read = Catalog.read,
) -> list[Problem]:
    """Everything wrong with the settings, the packs in use, the messages and the manifest, by file and line.

    `messages` is the folder of templates, `read` reads it for the packs in use (all, while nobody can tell which) and
    their own folders; `check_manifest` returns what is wrong with `manifest`.
    """
    reading = read_settings(environ)
    library, deployment = reading.library, reading.deployment
    in_use = None if deployment is None or library.unknown else deployment.packs.keys()
    catalog, mistakes = read(messages, library.messages, in_use or None)
    found = reading.problems + [Problem(str(p.path), p.line, "", p.text) for p in mistakes]
    if common := catalog.written():
        found += [Problem(str(messages / "common" / f"{name}.md"), 0, "", _GONE) for name in MESSAGES - common]
        for name, pack in library.packs.items():
            folder = library.messages.get(name, Path("messages") / pack.id)
            later = unwritten(pack, library.files[name], catalog.written(name), folder)
            found = without_consequences(found, later)
    found = without_consequences(found, unreachable(reading))
    return sorted({*found, *check_manifest(manifest)})


def unwritten(pack: Pack, file: Path, known: frozenset[str], folder: Path) -> list[Problem]:
    """The messages that `pack`, read from `file`, names and that are not among the `known` ones."""
    missing = [(at, name) for at, name in messages_used(pack) if name not in known]
    if not missing:
        return []
    document = Document(file_text(file), str(file))
    read_typed(document, Pack)  # so that it lacks what `pack` lacks, and the places are the same
    said = "there is no message {0!r} in {1} or messages/common{2}"
    return [
        document.problem(at, said.format(name, folder, nearest(name, known)))
        for at, name in missing
        if not document.unsure(at)
    ]


_NEEDED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "mail": ("by e-mail", ("WARROOM_SMTP_URL", "WARROOM_MAIL_FROM")),
    "status_page": ("on the status page", ("WARROOM_STATUSPAGE_PAGE", "WARROOM_STATUSPAGE_KEY")),
    "wiki": (
        "in the wiki",
        (
            "WARROOM_CONFLUENCE_URL",
            "WARROOM_CONFLUENCE_SPACE",
            "WARROOM_CONFLUENCE_USER",
            "WARROOM_CONFLUENCE_TOKEN",
        ),
    ),
}
"""what an audience may be told by: how that is said, and the settings it needs"""


def unreachable(reading: Reading) -> list[Problem]:
    """What is not set although an audience of a pack in use is told by it; the bot runs without, and says so then."""
    if reading.deployment is None or reading.document is None:
        return []
    found = []
    for pack in reading.library.packs.values():
        for audience in pack.audiences.values():
            for means, (how, names) in _NEEDED.items():
                said = f"this is not set, and “{audience.title}” of {pack.id} is told {how}"
                unset = [name for name in names if name not in reading.given] if getattr(audience, means) else []
                found += [Problem(ENVIRONMENT, 0, name, said) for name in unset]
            for group in (*audience.mail, *audience.approvers):
                if not reading.deployment.groups.get(group):
                    said = f"nobody is in this group, which “{audience.title}” of {pack.id} needs; list its people"
                    found.append(reading.document.problem(("groups", group), said))
    return found


def report(found: Sequence[Problem], so: str = "") -> str:
    """The problems as lines for a terminal, what they come to, and what follows from them."""
    if not found:
        return "Everything is in order."
    count = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
    return "\n".join([*map(str, found), f"{count}.{so and f' {so}'}"])


def inventory(settings: Settings) -> str:
    """The packs in use, a line each: what is in them, and which services they listen to."""
    width = max(len(name) for name in settings.packs)
    lines = []
    for name, loaded in settings.packs.items():
        pack = loaded.pack
        parts = {
            "severity/severities": len(pack.severities),
            "playbook/playbooks": len(pack.playbooks),
            "probe/probes": len(pack.probes),
            "action/actions": len(pack.actions),
        }
        counts = ", ".join(f"{n} {words.split('/')[n != 1]}" for words, n in parts.items())
        lines.append(f"  {name:{width}}  {counts} · {', '.join(loaded.services)}")
    return "\n".join(["Packs in use:", *lines])

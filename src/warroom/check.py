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
from warroom.packs.problems import Problem, nearest
from warroom.packs.used_messages import messages_used
from warroom.rendering import Catalog, MessageErrors
from warroom.settings import Settings, read_settings

_GONE = "this message is missing, and people would not be told: put the file back"


def problems(
    environ: Mapping[str, str],
    *,
    messages: Path,
    manifest: Path,
    check_manifest: Callable[[Path], Sequence[str]],
    load: Callable[[Path, Mapping[str, Path], Collection[str] | None], Catalog] = Catalog.load,
) -> list[Problem]:
    """Everything wrong with the settings, the packs in use, the messages and the manifest, by file and line.

    `messages` is the folder of templates, `load` reads it for the packs in use (all, while none is known) and their own
    folders; `check_manifest` returns a
    sentence for each mistake in `manifest`.
    """
    reading = read_settings(environ)
    library, found = reading.library, list(reading.problems)
    try:
        catalog = load(messages, library.messages, library.packs or None)
    except MessageErrors as errors:
        found += [Problem(str(p.path), p.line, "", p.text) for p in errors.problems]
    else:
        gone = MESSAGES - catalog.names()
        found += [Problem(str(messages / "common" / f"{name}.md"), 0, "", _GONE) for name in gone]
        for name, pack in library.packs.items():
            folder = library.messages.get(name, Path("messages") / pack.id)
            found += unwritten(pack, library.files[name], catalog.names(name), folder)
    if reading.settings is not None:
        found += unreachable(reading.settings)
    said = (sentence.removeprefix(f"{manifest.name}: ") for sentence in check_manifest(manifest))
    found += [Problem(str(manifest), 0, "", sentence) for sentence in said]
    return sorted(set(found))


def unwritten(pack: Pack, file: Path, known: frozenset[str], folder: Path) -> list[Problem]:
    """The messages that `pack`, read from `file`, names and that are not among the `known` ones."""
    missing = [(at, name) for at, name in messages_used(pack) if name not in known]
    if not missing:
        return []
    document = Document(file_text(file), str(file))
    said = "there is no message {0!r} in {1} or messages/common{2}"
    return [document.problem(at, said.format(name, folder, nearest(name, known))) for at, name in missing]


def unreachable(settings: Settings) -> list[Problem]:
    """What is not set although an audience of a pack in use is told by it; the bot runs without, and says so then."""
    e = settings.environment
    needs: dict[str, tuple[str, Mapping[str, object]]] = {
        "mail": ("by e-mail", {"WARROOM_SMTP_URL": e.warroom_smtp_url, "WARROOM_MAIL_FROM": e.warroom_mail_from}),
        "status_page": (
            "on the status page",
            {
                "WARROOM_STATUSPAGE_PAGE": e.warroom_statuspage_page,
                "WARROOM_STATUSPAGE_KEY": e.warroom_statuspage_key,
            },
        ),
        "wiki": (
            "in the wiki",
            {
                "WARROOM_CONFLUENCE_URL": e.warroom_confluence_url,
                "WARROOM_CONFLUENCE_SPACE": e.warroom_confluence_space,
                "WARROOM_CONFLUENCE_USER": e.warroom_confluence_user,
                "WARROOM_CONFLUENCE_TOKEN": e.warroom_confluence_token,
            },
        ),
    }
    found = []
    for loaded in settings.packs.values():
        for audience in loaded.pack.audiences.values():
            for means, (how, values) in needs.items():
                said = f"this is not set, and “{audience.title}” of {loaded.pack.id} is told {how}"
                unset = [name for name, value in values.items() if value is None] if getattr(audience, means) else []
                found += [Problem(ENVIRONMENT, 0, name, said) for name in unset]
            for group in (*audience.mail, *audience.approvers):
                if not settings.groups.get(group):
                    said = (
                        f"nobody is in this group, which “{audience.title}” of {loaded.pack.id} needs; list its people"
                    )
                    found.append(Problem(e.warroom_config.name, 0, f"groups.{group}", said))
    return found


def report(found: Sequence[Problem]) -> str:
    """The problems as lines for a terminal, and what they come to."""
    if not found:
        return "Everything is in order."
    count = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
    return "\n".join([*map(str, found), f"{count}. Nothing was started."])


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

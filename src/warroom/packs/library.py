"""The packs that a deployment uses: those that come with the product, and its own files."""

from dataclasses import dataclass, field
from pathlib import Path as File

from warroom.domain.policy import Pack
from warroom.errors import ConfigError
from warroom.packs.bindings import Binding, Deployment
from warroom.packs.document import Path
from warroom.packs.loader import file_text, read_pack, read_shipped, shipped_file, shipped_ids
from warroom.packs.problems import Problem


@dataclass
class Library:
    """The packs in use by their ids, as far as they could be read, their files and their own folders of messages; what
    is wrong in their files (`problems`) and in what warroom.yaml says of them (`misnamed`); the ids of those that could
    not be read at all (`unread`), or of which nobody can tell what they are (`unknown`)."""

    packs: dict[str, Pack] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    messages: dict[str, File] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    misnamed: list[tuple[Path, str]] = field(default_factory=list)
    unread: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()


def read_used(deployment: Deployment, folder: File) -> Library:
    """Every pack that `deployment` names and that there is; its own files are looked for from `folder` on."""
    library = Library()
    for name, binding in deployment.packs.items():
        if binding.file:
            _read_own(library, name, binding, folder)
        elif name in shipped_ids():
            pack, problems = read_shipped(name)
            library.problems += problems
            if pack is not None:
                library.packs[name] = pack
                library.files[name] = shipped_file(name)
        if binding.messages:
            _find_messages(library, name, folder / binding.messages)
    library.unread = frozenset(deployment.packs.keys() - library.packs.keys())
    library.unknown = library.unread - set(shipped_ids())
    return library


def _find_messages(library: Library, name: str, folder: File) -> None:
    if folder.is_dir():
        library.messages[name] = folder
    else:
        said = f"there is no folder {folder}; it should hold the pack's messages"
        library.misnamed.append((("packs", name, "messages"), said))


def _read_own(library: Library, name: str, binding: Binding, folder: File) -> None:
    at: Path = ("packs", name, "file")
    if name in shipped_ids():
        library.misnamed.append((at, f"{name} comes with warroom; give your pack another id, or take `file` away"))
        return
    path = folder / binding.file
    try:
        text = file_text(path)
    except ConfigError as error:
        library.misnamed += [(at, sentence) for sentence in error.problems]
        return
    pack, problems = read_pack(text, str(path))
    library.problems += problems
    if pack is None:
        return
    if pack.id not in (name, ""):  # "": it is no text, and that is told
        library.misnamed.append((at, f"the pack in this file has the id {pack.id!r}; write it here instead of {name}"))
    library.packs[name] = pack
    library.files[name] = path

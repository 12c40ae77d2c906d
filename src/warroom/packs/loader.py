"""Packs from YAML, checked as a whole; frozen to text and thawed again."""

import dataclasses
import hashlib
import json
from datetime import timedelta
from functools import cache
from pathlib import Path as File
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from warroom.domain.decision import ActionsMode, LoadedPack
from warroom.domain.policy import Pack
from warroom.errors import ConfigError
from warroom.packs.bindings import Binding, bind
from warroom.packs.calendar import sessions
from warroom.packs.document import Document
from warroom.packs.durations import PATTERN, format_duration
from warroom.packs.problems import Problem, nearest, without_consequences
from warroom.packs.references import check
from warroom.packs.typed import adapter, read

SHIPPED = File(__file__).parent
FILE = "pack.yaml"


def read_pack(text: str, file: str) -> tuple[Pack | None, list[Problem]]:
    """The pack in `text` and everything that is wrong with it; the pack is whole only without problems."""
    document = Document(text, file)
    data = document.plain()
    pack, mistyped = read(document, Pack)
    problems = without_consequences(document.problems, mistyped)
    if pack is not None:
        found = [(path, said) for path, said in check(pack, data) if not document.unsure(path)]
        wrong = [document.problem(path, said) for path, said in found]
        problems = without_consequences(problems, wrong)
    return pack, sorted(set(problems))


def load_pack(path: File) -> Pack:
    """The pack in a file. Raises ConfigError with a sentence `file:line: key: what to do` for each mistake."""
    pack, problems = read_pack(file_text(path), str(path))
    if problems or pack is None:
        raise ConfigError([str(problem) for problem in problems])
    return pack


def shipped_ids() -> tuple[str, ...]:
    """The ids of the packs that come with the product."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob(f"*/{FILE}")))


def shipped_file(pack_id: str) -> File:
    """Where a pack lies that comes with the product."""
    return SHIPPED / pack_id / FILE


@cache
def read_shipped(pack_id: str) -> tuple[Pack | None, tuple[Problem, ...]]:
    """A pack that comes with the product, and what is wrong with it."""
    path = shipped_file(pack_id)
    pack, problems = read_pack(file_text(path), str(path))
    if pack is not None and pack.id != pack_id:
        problems.append(Problem(str(path), 1, "id", f"write {pack_id}, the name of the folder"))
    return pack, tuple(problems)


def shipped(pack_id: str) -> Pack:
    """A pack that comes with the product. Raises ConfigError when there is none of this id or it is wrong."""
    if pack_id not in shipped_ids():
        raise ConfigError([f"there is no pack {pack_id!r}{nearest(pack_id, shipped_ids())}"])
    pack, problems = read_shipped(pack_id)
    if problems or pack is None:
        raise ConfigError([str(problem) for problem in problems])
    return pack


def loaded_pack(pack: Pack, binding: Binding, actions: ActionsMode = "live") -> LoadedPack:
    """`pack` with the deployment's values in place, its sessions and its hash."""
    bound = bind(pack, binding)
    return LoadedPack(
        pack=bound,
        hash=content_hash(bound),
        sessions=sessions(bound.calendar),
        services=binding.services or bound.services,
        contacts=dict(binding.contacts),
        actions=actions,
    )


def thaw_loaded(text: str, binding: Binding, actions: ActionsMode = "live") -> LoadedPack:
    """A frozen pack as an incident needs it; services and contacts are those of today."""
    pack = thaw(text)
    return LoadedPack(
        pack=pack,
        hash=content_hash(pack),
        sessions=sessions(pack.calendar),
        services=binding.services or pack.services,
        contacts=dict(binding.contacts),
        actions=actions,
    )


def freeze(pack: Pack) -> str:
    """The pack as canonical JSON: sorted keys, no spaces, durations as ISO 8601. The same pack, the same text."""
    plain = adapter(Pack).dump_python(pack, mode="json")
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def thaw(text: str) -> Pack:
    """The pack that `freeze` wrote. Raises pydantic's ValidationError for anything else."""
    return adapter(Pack).validate_json(text, strict=True)


def content_hash(pack: Pack) -> str:
    """SHA-256 of the frozen pack, in hexadecimal."""
    return hashlib.sha256(freeze(pack).encode()).hexdigest()


class _PackSchema(GenerateJsonSchema):
    """Durations and times as people write them, not as ISO 8601."""

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{PATTERN}$", "examples": ["15m", "1h 30m", "90s", "2d"]}

    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["09:30"]}

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return format_duration(dft)
        if dataclasses.is_dataclass(dft):
            return {field.name: self.encode_default(getattr(dft, field.name)) for field in dataclasses.fields(dft)}
        return super().encode_default(dft)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a pack file, for editors; the descriptions are the docstrings of the domain."""
    schema = adapter(Pack).json_schema(schema_generator=_PackSchema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A warroom pack", **schema}


def file_text(path: File) -> str:
    """The text of a file. Raises ConfigError when it cannot be read or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: this file cannot be read ({error.strerror}); check its name"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: this file is not UTF-8; save it as UTF-8"]) from error

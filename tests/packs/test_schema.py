"""The JSON Schema fits what is shipped, and docs/packs.md tells every key of it with examples that load."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml

from warroom.domain.policy import Pack
from warroom.explain.ask import asked
from warroom.explain.text import explanation
from warroom.packs.loader import file_text, json_schema, read_pack, shipped_file, shipped_ids
from warroom.settings import read_deployment

ROOT = Path(__file__).parents[2]
MINIMAL = ROOT / "docs" / "packs" / "minimal.yaml"
GUIDE = (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")
SCHEMA = json_schema()
SECTIONS = dict(re.findall(r"^### (\w+): [^\n]*\n(.*?)(?=^##|\Z)", GUIDE, re.MULTILINE | re.DOTALL))
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
EXAMPLES = [block for block in BLOCKS if not block.startswith("# ")]


def misfits(value: Any, schema: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Where a value does not fit the schema, as far as keys, kinds and choices go."""
    schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if "anyOf" in schema:
        tries = [list(misfits(value, option, at)) for option in schema["anyOf"]]
        yield from min(tries, key=len)
    elif isinstance(value, dict):
        if schema.get("type") != "object":
            yield f"{at}: no mapping is expected"
            return
        yield from (f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in value)
        more = schema.get("additionalProperties", True)
        for name, inner in value.items():
            if name in schema.get("properties", {}):
                yield from misfits(inner, schema["properties"][name], f"{at}.{name}")
            elif more is False:
                yield f"{at}: {name} is not in the schema"
            elif isinstance(more, dict):
                yield from misfits(inner, more, f"{at}.{name}")
    elif isinstance(value, list):
        if schema.get("type") != "array":
            yield f"{at}: no list is expected"
            return
        for index, inner in enumerate(value):
            yield from misfits(inner, schema.get("items", {}), f"{at}[{index}]")
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not one of {schema['enum']}"
    elif "pattern" in schema and not re.search(schema["pattern"], str(value)):
        yield f"{at}: {value!r} does not match {schema['pattern']}"
    elif schema.get("type") in ("object", "array"):
        yield f"{at}: {schema['type']} is expected"


@pytest.mark.parametrize("path", [*map(shipped_file, shipped_ids()), MINIMAL], ids=lambda path: path.parent.name)
def test_the_schema_takes_every_pack_there_is(path: Path) -> None:
    assert list(misfits(yaml.safe_load(file_text(path)), SCHEMA)) == []


@pytest.mark.parametrize(
    "wrong",
    [{"titel": "x"}, {"severities": {"P0": {"clocks": {"a": {"within": "soon"}}}}}, {"services": "P1"}, {"roles": "x"}],
)
def test_the_schema_refuses_what_is_wrong(wrong: dict[str, Any]) -> None:
    assert list(misfits({**yaml.safe_load(MINIMAL.read_text()), **wrong}, SCHEMA))


def parts() -> dict[str, list[str]]:
    """Every part of a pack and its keys."""
    found: dict[str, list[str]] = {}

    def walk(hint: Any) -> None:
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            if hint.__name__ in found:
                return
            found[hint.__name__] = [field.name for field in dataclasses.fields(hint)]
            for inner in get_type_hints(hint).values():
                walk(inner)
        for argument in get_args(hint):
            walk(argument)

    walk(Pack)
    return found


def test_every_part_has_its_description_in_the_schema() -> None:
    known = {**SCHEMA["$defs"], "Pack": SCHEMA}
    assert [name for name in parts() if not known[name].get("description")] == []


@pytest.mark.parametrize("part", sorted(parts()))
def test_every_key_is_told_in_the_guide(part: str) -> None:
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", SECTIONS[part]))))
    assert [key for key in parts()[part] if key not in words] == []


def merged(base: Any, more: Any) -> Any:
    """`base` with what `more` says: mappings grow, everything else is replaced."""
    if isinstance(base, dict) and isinstance(more, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in more.items()}}
    return more


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[example.split(":")[0] + str(n) for n, example in enumerate(EXAMPLES)]
)
def test_every_example_of_the_guide_loads_in_the_minimal_pack(example: str) -> None:
    whole = merged(yaml.safe_load(MINIMAL.read_text()), yaml.safe_load(example))
    assert [str(problem) for problem in read_pack(yaml.safe_dump(whole, sort_keys=False), "pack.yaml")[1]] == []


def test_the_examples_of_a_deployment_load() -> None:
    (example,) = [block for block in BLOCKS if block.startswith("# warroom.yaml")]
    assert [str(problem) for problem in read_deployment(example, str(MINIMAL.parent / "warroom.yaml"))[2]] == []


def test_the_explanation_in_the_guide_is_what_is_printed() -> None:
    case = asked(str(MINIMAL), "P1", now=datetime(2026, 11, 16, tzinfo=UTC))
    printed = "".join("".join(text for text, _ in line) + "\n" for line in explanation(case))
    shown = re.search(r"<!-- explain [^\n]*\n```\n(.*?)```", GUIDE, re.DOTALL)
    assert shown
    assert shown[1] == printed

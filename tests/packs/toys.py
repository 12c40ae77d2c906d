"""A small pack that is right, and packs that are wrong in one place."""

import re
from pathlib import Path

HERE = Path(__file__).parent
MINIMAL = (HERE / "minimal.yaml").read_text()
SECTION = re.compile(r"^(\w+):", re.MULTILINE)


def pack_with(sections: str) -> str:
    """The small pack with its top-level sections replaced by those given, which come first."""
    replaced = set(SECTION.findall(sections))
    keep, kept = True, []
    for line in MINIMAL.splitlines(keepends=True):
        if begins := SECTION.match(line):
            keep = begins[1] not in replaced
        if keep:
            kept.append(line)
    return sections + "".join(kept)

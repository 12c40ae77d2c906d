"""From what was typed to the case that is meant; every mistake is a sentence with the nearest right word."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import get_args

from warroom.domain.policy import Pack
from warroom.domain.terms import SeverityId
from warroom.errors import ConfigError
from warroom.explain.case import Case, against
from warroom.packs.calendar import sessions
from warroom.packs.loader import load_pack, shipped, shipped_ids
from warroom.packs.problems import nearest


def asked(
    pack: str,
    severity: str,
    *,
    now: datetime,
    at: str | None = None,
    playbook: str | None = None,
    own: Mapping[str, Path] | None = None,
) -> Case:
    """The case of `--explain PACK SEVERITY [--against HH:MM] [--playbook NAME]`, told at `now` (UTC).

    PACK is the id of a pack that comes with the product, one of the deployment's `own`, or a file. Raises ConfigError.
    """
    found = _pack(pack, own or {})
    known = {str(name).lower(): name for name in get_args(SeverityId)}
    if severity.lower() not in known:
        raise ConfigError([f"there is no severity {severity!r}{nearest(severity, known.values())}"])
    if playbook is not None and playbook not in found.playbooks:
        raise ConfigError([f"{found.id} has no playbook {playbook!r}{nearest(playbook, found.playbooks)}"])
    years = range(now.year, now.year + 2)
    case = Case(pack=found, sessions=sessions(found.calendar, years), severity=known[severity.lower()])
    case = replace(case, playbook=playbook)
    try:
        return against(case, at, now) if at is not None else case
    except ValueError as error:
        raise ConfigError([f"--against: {error}"]) from error


def _pack(name: str, own: Mapping[str, Path]) -> Pack:
    if name in shipped_ids():
        return shipped(name)
    if name in own:
        return load_pack(own[name])
    if name.endswith((".yaml", ".yml")) or "/" in name:
        return load_pack(Path(name))
    known = (*shipped_ids(), *own)
    raise ConfigError([f"there is no pack {name!r} (one of your own is named by its file){nearest(name, known)}"])

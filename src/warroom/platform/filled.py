"""A probe with the incident's fields in place."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast
from urllib.parse import quote

from warroom.domain.policy import Probe
from warroom.domain.slots import binds, fill, slots
from warroom.platform.surroundings import NoAnswerError


def filled(probe: Probe, known: Mapping[str, object]) -> Probe:
    """The probe with every {slot} of path, body and arguments filled in; SQL keeps its bound parameters.

    A value in a path is quoted, and in a command it is never more than a part of one argument. Raises NoAnswerError
    with what to type for a value that is not known yet.
    """
    used = slots((probe.http, probe.command, probe.body)) | binds(probe.sql or "")
    missing = sorted(used - set(known))
    if missing:
        raise NoAnswerError(f"{missing[0]} is not known yet: /incident set {missing[0]} VALUE, then run it again")
    if not used:
        return probe
    quoted = {name: quote(str(value), safe="") for name, value in known.items()}
    return replace(
        probe,
        http=None if probe.http is None else str(fill(probe.http, quoted)),
        command=None if probe.command is None else tuple(str(fill(part, known)) for part in probe.command),
        body=cast(Mapping[str, str | int | float | bool], fill(probe.body, known)),
    )

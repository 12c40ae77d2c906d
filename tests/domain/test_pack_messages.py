"""Every message that a shipped pack sends finds all its values, whichever fact sends it."""

from collections.abc import Iterator

import pytest
from tests.domain.play import CATALOG, START

from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.evolve import fold
from warroom.domain.incident import Incident
from warroom.domain.on_telling import step_says
from warroom.domain.outgoing import Out
from warroom.domain.people import WARROOM
from warroom.domain.phone_calls import script
from warroom.domain.policy import SeverityId, Step
from warroom.domain.views import VIEWS
from warroom.packs.bindings import Binding
from warroom.packs.loader import loaded_pack, shipped, shipped_ids

PACKS = {name: loaded_pack(shipped(name), Binding(services=("PSVC1",))) for name in shipped_ids()}
UPDATE = f.UpdateGiven(human=False, status="investigating", summary="", next_steps="", eta="", impact="")


def an_incident(pack: LoadedPack, severity: SeverityId, playbook: str | None) -> Incident:
    opened = f.IncidentOpened(
        id="INC-2026-0001",
        title="It is down",
        severity=severity,
        severity_reason="",
        pack=pack.pack.id,
        pack_hash=pack.hash,
        playbook=playbook,
        service=None,
        description="",
        origin="slack",
    )
    whats: tuple[f.What, ...] = (opened, f.MilestoneReached(milestone="declared", source="slack"), UPDATE)
    incident = fold([f.Fact(at=START, recorded=START, by=WARROOM, what=what) for what in whats])
    assert incident is not None
    return incident


def sent(pack: LoadedPack, severity: SeverityId, playbook: str | None) -> Iterator[tuple[str, str, frozenset[str]]]:
    """What sends a message, its name, and the values it gets."""
    out = Out(an_incident(pack, severity, playbook), pack, START)
    about, book = pack.pack.severities[severity], pack.pack.playbooks.get(playbook or "")
    views = ("announcement", "resolution", "update")
    shown = {name: frozenset(VIEWS[name](out.i, pack, START, {"number": 1})) for name in views}
    yield "announcement", about.announce.message, shown["announcement"]
    for cadence in about.cadences:
        yield f"cadence {cadence.id}", cadence.message, shown["update"]
    for communication in (*about.communications, *(book.communications if book else ())):
        view = "resolution" if communication.at == "resolved" else "announcement"
        yield f"communication {communication.id}", communication.message, shown[view]
    for step in (*about.steps, *(book.steps if book else ())):
        yield from _of_step(out, step)


def _of_step(out: Out, step: Step) -> Iterator[tuple[str, str, frozenset[str]]]:
    for late, does in ((False, step.does), (True, step.if_late)):
        for said in step_says(out, step, does, late=late):
            yield f"step {step.id}", said.message, frozenset(said.data["context"])
    if step.call:
        yield f"call {step.id}", step.call.script, frozenset(script(out, step))


@pytest.mark.parametrize("pack", sorted(PACKS))
def test_every_message_of_a_pack_finds_its_values(pack: str) -> None:
    loaded = PACKS[pack]
    lacking = {
        f"{who}: {message} lacks {', '.join(sorted(missing))}"
        for severity in loaded.pack.severities
        for playbook in (None, *loaded.pack.playbooks)
        for who, message, given in sent(loaded, severity, playbook)
        if (missing := CATALOG.fields(message, pack) - given)
    }
    assert lacking == set()

"""What --explain tells is what the rules do: the same incident, explained and played, has the same moments."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import get_args

import pytest
from tests.domain.play import Play

from warroom.domain import clocks, protocol, schedule, telling
from warroom.domain import facts as f
from warroom.domain.decision import LoadedPack
from warroom.domain.incident import Incident
from warroom.domain.policy import SeverityId
from warroom.explain.case import Case
from warroom.explain.rows import Row, rows
from warroom.packs.bindings import Binding
from warroom.packs.loader import loaded_pack, shipped, shipped_ids

MOMENTS = {
    "in the morning": datetime(2026, 11, 17, 15, 0, tzinfo=UTC),
    "before the close": datetime(2026, 11, 17, 20, 55, tzinfo=UTC),
    "in the evening": datetime(2026, 11, 18, 1, 0, tzinfo=UTC),
    "before a holiday": datetime(2026, 11, 25, 21, 30, tzinfo=UTC),
    "on a half day": datetime(2026, 11, 27, 17, 59, tzinfo=UTC),
    "on a Sunday": datetime(2026, 11, 29, 12, 0, tzinfo=UTC),
}


@cache
def loaded(pack_id: str) -> LoadedPack:
    return loaded_pack(shipped(pack_id), Binding(services=("PSVC1",)))


def declared(pack: LoadedPack, severity: SeverityId, at: datetime) -> tuple[Incident, list[f.Fact]]:
    """An incident that nobody has touched, in a world that answers nothing."""
    priority = next(word for word, means in pack.pack.priorities.items() if means == severity)
    play = Play(packs={pack.pack.id: pack}, now=at, world=lambda effect, incident: None)
    play.alert(title="Something is odd", service_name="other", priority=priority)
    assert play.incident.severity == severity
    return play.incident, play.facts[play.incident.id]


def certain(found: tuple[Row, ...], *kinds: str) -> list[tuple[str, timedelta]]:
    """What surely happens after the first alert: rows of these kinds without a condition."""
    mine = [row for row in found if row.after == "declared" and row.kind in kinds]
    return sorted((row.what, row.at) for row in mine if not any(line.startswith("only if") for line in row.details))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("pack_id", shipped_ids())
def test_the_explanation_has_the_moments_of_the_rules(pack_id: str, moment: str) -> None:
    pack, at = loaded(pack_id), MOMENTS[moment]
    for severity in get_args(SeverityId):
        incident, facts = declared(pack, severity, at)
        case = Case(pack=pack.pack, sessions=pack.sessions, severity=severity, playbook=incident.playbook, begins=at)
        found = rows(case)
        views = [view for view in clocks.views(incident, pack, at) if view.clock.start == "declared"]
        assert certain(found, "clock") == sorted((view.title, view.deadline - at) for view in views)

        windows = [(step, schedule.window(incident, pack, step)) for step in protocol.steps(incident, pack)]
        begun = sorted((step.title, w[0] - at) for step, w in windows if w is not None and step.after == "declared")
        assert certain(found, "step", "call") == begun

        told = {fact.what.communication: fact.at for fact in facts if isinstance(fact.what, f.CommunicationDue)}
        told |= {
            d.what.communication: d.at for d in telling.due(incident, pack) if isinstance(d.what, f.CommunicationDue)
        }
        named = {c.id: c.message for c in protocol.communications(incident, pack) if c.at == "declared"}
        announced = [what for what in certain(found, "tell") if not what[0].startswith("Announced in")]
        assert announced == sorted((named[name], when - at) for name, when in told.items() if name in named)

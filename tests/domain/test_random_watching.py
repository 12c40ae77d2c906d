"""Fields, watches, steps with hours and the timeline file keep the promises in any play, too."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.play import PACK, START, Play, Went
from tests.domain.test_random_plays import HOSTILE, MOVES, PEOPLE, TEXT, World, check_answer, make, mentions

from warroom.domain import facts as f
from warroom.domain import fields, watches
from warroom.domain.effects import Effect
from warroom.domain.evolve import fold
from warroom.domain.incident import Incident
from warroom.domain.procedures import Field, Watch

MINUTE = timedelta(minutes=1)
P0 = PACK.pack.severities["P0"]
HOURS = tuple(
    replace(step, hours=hours, remind_before=MINUTE)  # type: ignore[arg-type]
    for step, hours in zip(P0.steps[1:3], ("business", "market"), strict=True)
)
RICH = replace(
    PACK,
    pack=replace(
        PACK.pack,
        severities={**PACK.pack.severities, "P0": replace(P0, steps=(P0.steps[0], *HOURS, *P0.steps[3:]))},
        fields={
            "market": Field(title="Market", read=("details.market",), ask=True),
            "kind": Field(title="Kind", choices=("stream", "batch"), default="stream"),
        },
        watches={
            "lag": Watch(title="Lag", probe="sentinel-health", every=7 * MINUTE, steady_for=15 * MINUTE),
            "pnl": Watch(
                title="P&L", probe="sentinel-health", every=5 * MINUTE, moves_over=10, severities=("P0", "P1")
            ),
        },
        timeline_file="{id}.md",
    ),
)
MORE = st.one_of(
    MOVES,
    st.tuples(
        st.just("type"),
        st.tuples(st.sampled_from(["market", "kind", "mraket", ""]), TEXT).map(
            lambda t: f"/incident set {t[0]} {t[1]}"
        ),
        PEOPLE,
        st.just("CROOM"),
    ),
    st.tuples(
        st.just("type"),
        st.sampled_from([f"/incident runbook {b}" for b in PACK.pack.playbooks]),
        PEOPLE,
        st.just("CROOM"),
    ),
)


class Readings(World):
    """Readings that change with the moods of the world."""

    def __call__(self, effect: Effect, incident: Incident) -> Mapping[str, Any] | Went | None:
        found = super().__call__(effect, incident)
        if effect.kind != "platform.watch" or not isinstance(found, Mapping):
            return found
        state = ("ok", "ok", "ok", "failed")[self.count % 4]
        return {"state": state, "summary": HOSTILE, "value": float(self.count)}


@settings(settings.get_profile("plays"))
@given(
    st.lists(MORE, min_size=1, max_size=18),
    st.lists(st.sampled_from(["done"] * 12 + ["refused", "unknown", "silent"]), min_size=1, max_size=12),
    st.sampled_from(["Market Sentinel down", HOSTILE]),
    st.sampled_from(["XLON", HOSTILE, 7, ["a", "b"]]),
)
def test_any_play_keeps_the_promises(
    moves: list[tuple[Any, ...]], moods: list[str], title: str, market: object
) -> None:
    play = Play(packs={"lav_adaf": RICH}, world=Readings(moods), shown=[])
    play.alert(title=title, details={"market": market})
    for move in moves:
        check_answer(play, make(play, move))
    assert play.broken == []
    for name, facts in play.facts.items():
        incident = play.incidents[name]
        assert fold(facts) == incident
        for field, value in incident.fields.items():
            assert fields.check(RICH.pack.fields[field], value) == (value, "")
        for _, _, begin in watches.running(incident, RICH):
            assert begin >= START
        for fact in facts:
            if isinstance(fact.what, f.WatchSteady):
                assert fact.at - fact.what.since >= 15 * MINUTE
    for made in play.made.values():
        json.dumps(dict(made.data))
    assert play.shown is not None
    for message in play.shown:
        for part in message.parts:
            assert mentions(part.blocks) <= {"U0ANA", "U0RAJ", "U0EVE", "channel", "here"}

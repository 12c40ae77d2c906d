"""Domain objects as rows of the tables, and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from warroom.domain.chain import End, Link, link
from warroom.domain.decision import Card
from warroom.domain.effects import Answer, Effect
from warroom.domain.facts import Fact
from warroom.domain.halts import standing_halts
from warroom.domain.incident import Incident
from warroom.domain.inputs import Input
from warroom.domain.people import By
from warroom.store import codec
from warroom.store.tables import SYSTEM

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredEffect:
    """An effect of the outbox that is not finished; `state` is waiting or sending."""

    id: str
    incident: str
    seq: int
    effect: Effect
    state: str
    attempt: int
    not_before: datetime | None


def card(incident: Incident) -> Card:
    """An incident in short."""
    return Card(
        id=incident.id,
        title=incident.title,
        severity=incident.severity,
        status=incident.status,
        pack=incident.pack,
        is_open=incident.is_open,
        opened=incident.opened,
        room=incident.room,
        room_name=incident.room_name,
        pagerduty_id=incident.pagerduty_id,
        service=incident.service,
        playbook=incident.playbook,
        commander=incident.commander.name if incident.commander else None,
        origin=incident.origin,
        joined=" ".join(incident.joined_ids),
        heard=incident.heard,
        storm=incident.gathers,
        subject=str(incident.details.get("feature") or ""),
        halts=standing_halts(incident),
        ordered=" ".join(run.run for run in incident.halts),
    )


def incident_row(card: Card, pack_hash: str, end: End, revision: int) -> Row:
    """The row of an incident, new or changed; its year and number are in its id."""
    _, year, number = card.id.split("-")
    row = {name: getattr(card, name) for name in Card.__dataclass_fields__}
    for name, value in row.items():
        if isinstance(value, str):
            row[name] = codec.clean(value)
    row["halts"] = codec.text(card.halts)
    place = {"year": int(year), "number": int(number), "count": end.count, "head": end.head}
    return row | place | {"pack_hash": pack_hash, "revision": revision}


def system_row(end: End, now: datetime, revision: int) -> Row:
    """The row that keeps the end of the chain of facts about no incident."""
    texts = dict.fromkeys(
        ("title", "status", "pack", "pack_hash", "origin", "joined", "storm", "subject", "ordered"), ""
    ) | {
        "severity": "P3",
        "id": SYSTEM,
    }
    place = {"year": 0, "number": 0, "count": end.count, "head": end.head, "revision": revision}
    absent = dict.fromkeys(("room", "room_name", "pagerduty_id", "service", "playbook", "commander", "heard"))
    return texts | place | absent | {"is_open": False, "opened": now, "halts": codec.text(())}


def card_of(row: Any) -> Card:
    """The card in a row of the table."""
    known = {name: getattr(row, name) for name in Card.__dataclass_fields__}
    return Card(**known | {"halts": codec.halts(known["halts"])})


def fact_rows(incident_id: str, end: End, facts: Sequence[Fact]) -> tuple[list[Row], End]:
    """The rows of `facts`, linked behind `end`, and the new end."""
    rows: list[Row] = []
    for fact in facts:
        row: Row = {
            "incident_id": incident_id,
            "seq": end.count + 1,
            "at": fact.at,
            "recorded": fact.recorded,
            "by_id": codec.clean(fact.by.id),
            "by_name": codec.clean(fact.by.name),
            "kind": codec.kind(fact.what),
            "body": codec.text(fact.what),
            "prev": end.head,
        }
        row["hash"] = link(end.head, incident_id, row["seq"], _payload(row))
        rows.append(row)
        end = End(row["seq"], row["hash"])
    return rows, end


def fact_of(row: Any) -> Fact:
    """The fact in a row of the table."""
    return Fact(
        at=row.at,
        recorded=row.recorded,
        by=By(row.by_id, row.by_name),
        what=codec.fact_body(row.kind, row.body),
    )


def link_of(row: Any) -> Link:
    """The link in a row of the table, with its content as it stands there now."""
    return Link(row.incident_id, row.seq, _payload(row._mapping), row.prev, row.hash)


def effect_row(incident_id: str, seq: int, effect: Effect, owner: str) -> Row:
    """The row of a new effect, waiting; its id is opaque."""
    return {
        "id": uuid4().hex,
        "incident_id": incident_id,
        "key": effect.key,
        "seq": seq,
        "kind": effect.kind,
        "lane": effect.lane,
        "priority": effect.priority,
        "after": codec.text(effect.after),
        "coalesce": effect.coalesce,
        "data": codec.text(effect.data),
        "at": effect.at,
        "expires": effect.expires,
        "state": "waiting",
        "attempt": 0,
        "attempted_at": None,
        "not_before": None,
        "settled_at": None,
        "error": "",
        "owner": owner,
    }


def effect_of(row: Any) -> StoredEffect:
    """The unfinished effect in a row of the table."""
    effect = Effect(
        key=row.key,
        kind=row.kind,
        data=json.loads(row.data),
        at=row.at,
        lane=row.lane,
        priority=row.priority,
        after=tuple(json.loads(row.after)),
        coalesce=row.coalesce,
        expires=row.expires,
    )
    return StoredEffect(row.id, row.incident_id, row.seq, effect, row.state, row.attempt, row.not_before)


def inbox_row(
    input: Input, incident_id: str | None, answer: Answer | None, error: str = "", body: str | None = None
) -> Row:
    """The row of an input that was decided, or with `error` failed to be; `body` in place of its own."""
    return {
        "source": codec.clean(input.source),
        "source_id": codec.clean(input.source_id),
        "received": input.received,
        "kind": codec.kind(input.body),
        "body": codec.text(input.body) if body is None else body,
        "incident_id": incident_id,
        "answer": codec.answer_text(answer),
        "state": "failed" if error else "decided",
        "error": codec.clean(error),
    }


def input_of(row: Any) -> Input:
    """The input in a row of the inbox."""
    return Input(
        source=row.source,
        source_id=row.source_id,
        received=row.received,
        body=codec.input_body(row.kind, row.body),
    )


def _payload(row: Mapping[str, Any]) -> str:
    """What the chain's hash covers: everything that the row says."""
    return codec.text([row[name] for name in ("at", "recorded", "by_id", "by_name", "kind", "body")])

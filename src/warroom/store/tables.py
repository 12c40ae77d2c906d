"""The tables. Times are aware UTC; JSON is kept as canonical text (see `codec`), alike on both databases."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, MetaData, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel, UTCDateTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

SYSTEM = "system"
"""The chain of facts about no incident. Its row among the incidents is never shown."""

SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database hands out; SQLite does so for INTEGER only."""

UNFINISHED = text("state IN ('waiting', 'sending')")


class Table(SQLModel):
    """The base of our tables, with metadata of its own and names for every constraint."""

    metadata = MetaData(naming_convention=NAMING)


class Inbox(Table, table=True):
    """Every input, with the answer that was given; a failed one may be tried again."""

    __table_args__ = (
        CheckConstraint("state IN ('decided', 'failed')", name="state"),
        Index(
            "ix_inbox_failed",
            "received",
            sqlite_where=text("state = 'failed'"),
            postgresql_where=text("state = 'failed'"),
        ),
    )
    source: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    received: datetime = Field(sa_type=UTCDateTime)
    kind: str
    body: str = Field(sa_type=Text)
    incident_id: str | None = Field(default=None, sa_column_args=[ForeignKey("incident.id")])
    answer: str | None = Field(default=None, sa_type=Text)
    state: str
    error: str = ""


class Incident(Table, table=True):
    """An incident in short, and where its chain of facts stands. `revision` grows with every change of any row."""

    __table_args__ = (UniqueConstraint("year", "number"),)
    id: str = Field(primary_key=True)
    year: int
    number: int
    title: str
    severity: str
    status: str
    pack: str
    pack_hash: str
    is_open: bool = Field(index=True)
    opened: datetime = Field(sa_type=UTCDateTime, index=True)
    room: str | None = None
    room_name: str | None = None
    pagerduty_id: str | None = Field(default=None, index=True)
    service: str | None = None
    playbook: str | None = None
    commander: str | None = None
    origin: str
    joined: str
    heard: datetime | None = Field(default=None, sa_type=UTCDateTime)
    storm: str
    subject: str
    halts: str = Field(default="[]", sa_type=Text)
    ordered: str = Field(default="", sa_type=Text)
    count: int
    head: str
    revision: int = Field(sa_type=BigInteger, index=True)


class Fact(Table, table=True):
    """What happened. Triggers refuse to change or delete a row."""

    incident_id: str = Field(primary_key=True, sa_column_args=[ForeignKey("incident.id")])
    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime)
    recorded: datetime = Field(sa_type=UTCDateTime)
    by_id: str
    by_name: str
    kind: str
    body: str = Field(sa_type=Text)
    prev: str
    hash: str


class Effect(Table, table=True):
    """The outbox. `seq` is the order in which effects were decided, over all incidents."""

    __table_args__ = (
        UniqueConstraint("incident_id", "key"),
        CheckConstraint("state IN ('waiting', 'sending', 'done', 'refused', 'unknown', 'dropped')", name="state"),
        Index("ix_effect_unfinished", "owner", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),
    )
    id: str = Field(primary_key=True)
    incident_id: str = Field(sa_column_args=[ForeignKey("incident.id")])
    key: str
    seq: int = Field(sa_type=BigInteger, unique=True)
    kind: str
    lane: str
    priority: int
    after: str = Field(sa_type=Text)
    coalesce: str
    data: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UTCDateTime)
    expires: datetime | None = Field(default=None, sa_type=UTCDateTime)
    state: str
    attempt: int = 0
    attempted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    not_before: datetime | None = Field(default=None, sa_type=UTCDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    error: str = ""
    owner: str


class Replica(Table, table=True):
    """A running process that owns effects, until its lease ends (by the database's own clock)."""

    id: str = Field(primary_key=True)
    lease_until: datetime = Field(sa_type=UTCDateTime)


class Timer(Table, table=True):
    """A moment an incident is waiting for."""

    incident_id: str = Field(primary_key=True, sa_column_args=[ForeignKey("incident.id")])
    key: str = Field(primary_key=True)
    due: datetime = Field(sa_type=UTCDateTime, index=True)


class Pack(Table, table=True):
    """A pack as it was when an incident froze it."""

    hash: str = Field(primary_key=True)
    id: str
    text: str = Field(sa_type=Text)


class Person(Table, table=True):
    """What the directory last knew of a person."""

    slack_id: str = Field(primary_key=True)
    email: str | None = None
    name: str
    pagerduty_id: str | None = Field(default=None, index=True)
    seen: datetime = Field(sa_type=UTCDateTime)


class Violation(Table, table=True):
    """A reported violation. `seq` is the order in which they were written; `id` is the reporter's own."""

    __table_args__ = (
        UniqueConstraint("pack", "id"),
        Index("ix_violation_pack_level_at", "pack", "level", "at"),
        Index("ix_violation_pack_at", "pack", "at"),
    )
    seq: int | None = Field(default=None, primary_key=True, sa_type=SEQUENCE)
    pack: str
    id: str
    type: str
    level: str
    service: str
    feature: str
    at: datetime = Field(sa_type=UTCDateTime)
    received: datetime = Field(sa_type=UTCDateTime)
    description: str = Field(sa_type=Text)
    more: str = Field(sa_type=Text)


class Weighed(Table, table=True):
    """Up to which violation (`seq`) a pack's reports have been weighed by its rules."""

    pack: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)

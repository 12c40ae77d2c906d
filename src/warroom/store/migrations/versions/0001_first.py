"""The first tables, and the triggers that keep facts append-only."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel import AutoString, UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = ("incident", "inbox", "fact", "effect", "replica", "timer", "pack", "person")
UNFINISHED = sa.text("state IN ('waiting', 'sending')")
FAILED = sa.text("state = 'failed'")

SQLITE_APPEND_ONLY = """
CREATE TRIGGER fact_no_{what} BEFORE {what} ON fact
BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END
"""
POSTGRESQL_APPEND_ONLY = (
    """
CREATE FUNCTION fact_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'facts are append-only'; END $$
""",
    """
CREATE TRIGGER fact_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fact
FOR EACH STATEMENT EXECUTE FUNCTION fact_append_only()
""",
)


def upgrade() -> None:
    """The way forward."""
    op.create_table(
        "incident",
        _text("id"),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *(_text(name) for name in ("title", "severity", "status", "pack", "pack_hash")),
        sa.Column("is_open", sa.Boolean(), nullable=False, index=True),
        sa.Column("opened", UTCDateTime(), nullable=False, index=True),
        *(_text(name, nullable=True) for name in ("room", "room_name")),
        _text("pagerduty_id", nullable=True, index=True),
        *(_text(name, nullable=True) for name in ("service", "playbook", "commander")),
        sa.Column("count", sa.Integer(), nullable=False),
        _text("head"),
        sa.Column("revision", sa.BigInteger(), nullable=False, index=True),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("year", "number", name="uq_incident_year_number"),
    )
    op.create_table(
        "inbox",
        *(_text(name) for name in ("source", "source_id")),
        sa.Column("received", UTCDateTime(), nullable=False),
        _text("kind"),
        sa.Column("body", sa.Text(), nullable=False),
        _incident("inbox", nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        *(_text(name) for name in ("state", "error")),
        sa.PrimaryKeyConstraint("source", "source_id", name="pk_inbox"),
        sa.CheckConstraint("state IN ('decided', 'failed')", name=op.f("ck_inbox_state")),
    )
    op.create_index("ix_inbox_failed", "inbox", ["received"], sqlite_where=FAILED, postgresql_where=FAILED)
    op.create_table(
        "fact",
        _incident("fact"),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("recorded", UTCDateTime(), nullable=False),
        *(_text(name) for name in ("by_id", "by_name", "kind")),
        sa.Column("body", sa.Text(), nullable=False),
        *(_text(name) for name in ("prev", "hash")),
        sa.PrimaryKeyConstraint("incident_id", "seq", name="pk_fact"),
    )
    op.create_table(
        "effect",
        _text("id"),
        _incident("effect"),
        _text("key"),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        *(_text(name) for name in ("kind", "lane")),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        _text("coalesce"),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("expires", UTCDateTime(), nullable=True),
        _text("state"),
        sa.Column("attempt", sa.Integer(), nullable=False),
        *(sa.Column(name, UTCDateTime(), nullable=True) for name in ("attempted_at", "not_before", "settled_at")),
        *(_text(name) for name in ("error", "owner")),
        sa.PrimaryKeyConstraint("id", name="pk_effect"),
        sa.UniqueConstraint("incident_id", "key", name="uq_effect_incident_id_key"),
        sa.UniqueConstraint("seq", name="uq_effect_seq"),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'done', 'refused', 'unknown', 'dropped')",
            name=op.f("ck_effect_state"),
        ),
    )
    op.create_index("ix_effect_unfinished", "effect", ["owner"], sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)
    op.create_table(
        "replica",
        _text("id"),
        sa.Column("lease_until", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_replica"),
    )
    op.create_table(
        "timer",
        _incident("timer"),
        _text("key"),
        sa.Column("due", UTCDateTime(), nullable=False, index=True),
        sa.PrimaryKeyConstraint("incident_id", "key", name="pk_timer"),
    )
    op.create_table(
        "pack",
        *(_text(name) for name in ("hash", "id")),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_pack"),
    )
    op.create_table(
        "person",
        _text("slack_id"),
        _text("email", nullable=True),
        _text("name"),
        _text("pagerduty_id", nullable=True, index=True),
        sa.Column("seen", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("slack_id", name="pk_person"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for what in ("update", "delete"):
            op.execute(SQLITE_APPEND_ONLY.format(what=what))
    else:
        for statement in POSTGRESQL_APPEND_ONLY:
            op.execute(statement)


def downgrade() -> None:
    """The way back: nothing is left."""
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION fact_append_only")


def _text(name: str, **rest: Any) -> sa.Column[str]:
    return sa.Column(name, AutoString(), **({"nullable": False} | rest))


def _incident(table: str, *, nullable: bool = False) -> sa.Column[str]:
    reference = sa.ForeignKey("incident.id", name=f"fk_{table}_incident_id_incident")
    return sa.Column("incident_id", AutoString(), reference, nullable=nullable)

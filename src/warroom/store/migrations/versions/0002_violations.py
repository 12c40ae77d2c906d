"""Reported violations, and what routing needs to know of alerts that belong together."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import AutoString, UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KNOWN = {"origin": "pagerduty", "joined": "", "storm": "", "subject": ""}
"""What is said of incidents that opened before."""


def upgrade() -> None:
    """The way forward."""
    with op.batch_alter_table("incident") as incident:
        for name, value in KNOWN.items():
            incident.add_column(sa.Column(name, AutoString(), nullable=False, server_default=value))
        incident.add_column(sa.Column("heard", UTCDateTime(), nullable=True))
    op.create_table(
        "violation",
        sa.Column("seq", SEQUENCE, nullable=False),
        *(sa.Column(name, AutoString(), nullable=False) for name in ("pack", "id", "type", "level")),
        *(sa.Column(name, AutoString(), nullable=False) for name in ("service", "feature")),
        *(sa.Column(name, UTCDateTime(), nullable=False) for name in ("at", "received")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("description", "more")),
        sa.PrimaryKeyConstraint("seq", name="pk_violation"),
        sa.UniqueConstraint("pack", "id", name="uq_violation_pack_id"),
    )
    op.create_index("ix_violation_pack_level_at", "violation", ["pack", "level", "at"])
    op.create_index("ix_violation_pack_at", "violation", ["pack", "at"])
    op.create_table(
        "weighed",
        sa.Column("pack", AutoString(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pack", name="pk_weighed"),
    )


def downgrade() -> None:
    """The way back."""
    op.drop_table("weighed")
    op.drop_table("violation")
    with op.batch_alter_table("incident") as incident:
        for name in ("heard", *KNOWN):
            incident.drop_column(name)

"""The runs of the halts of an incident, so that a button pressed again finds its halt when the incident is over."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The way forward; incidents of before are brought up to date by their next fact."""
    op.add_column("incident", sa.Column("ordered", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """The way back."""
    op.drop_column("incident", "ordered")

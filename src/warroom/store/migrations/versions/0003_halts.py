"""The halts of an incident, so that /halt knows those of all incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The way forward; incidents of before are brought up to date by their next fact."""
    op.add_column("incident", sa.Column("halts", sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """The way back."""
    op.drop_column("incident", "halts")

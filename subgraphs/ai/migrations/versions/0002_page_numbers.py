"""The page numbers of generation steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generation_steps", sa.Column("page_number", sa.Integer(), nullable=True), schema="ai")
    op.execute(
        "UPDATE ai.generation_steps"
        " SET page_number = 2 * scene + CASE kind WHEN 'SCENE_TEXT' THEN 2 ELSE 3 END"
        " WHERE page_id IS NOT NULL"
    )
    # A page with text and a picture has both regenerated: only its book's generation has its number.
    op.execute(
        "UPDATE ai.generation_steps AS step SET page_number = planned.page_number"
        " FROM ai.generation_steps AS planned"
        " JOIN ai.generations AS generation ON generation.id = planned.generation_id"
        " WHERE generation.kind = 'BOOK' AND planned.page_id = step.page_id"
    )


def downgrade() -> None:
    op.drop_column("generation_steps", "page_number", schema="ai")

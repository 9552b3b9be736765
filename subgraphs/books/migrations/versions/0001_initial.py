"""The tables of the books domain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from subgraphs.common.audit import build_trigger

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "children",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("birth_month", sa.String(length=7), nullable=False),
        sa.Column("pronouns", sa.String(length=20), nullable=False),
        sa.Column("appearance", sa.Text(), nullable=False),
        sa.Column("interests", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.String(length=64), nullable=True),
        sa.Column("request_hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_children"),
        sa.UniqueConstraint("owner_id", "idempotency_key", name="uq_children_owner_id_idempotency_key"),
        schema="books",
    )
    op.create_index("ix_children_owner_id", "children", ["owner_id"], unique=False, schema="books")
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String(length=100), nullable=False),
        sa.Column("message_id", sa.String(length=100), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "message_id", name="pk_inbox"),
        schema="books",
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=True),
        sa.Column("traceparent", sa.String(length=64), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        schema="books",
    )
    op.create_table(
        "audit",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit"),
        schema="books",
    )
    for statement in build_trigger("books"):
        op.execute(statement)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("message_id", sa.String(length=100), nullable=False),
        sa.Column("destination", sa.String(length=100), nullable=False),
        sa.Column("queue", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=True),
        sa.Column("traceparent", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        schema="books",
    )
    op.create_index(
        "ix_deliveries_due_at",
        "deliveries",
        ["due_at"],
        unique=False,
        schema="books",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.create_index(
        "ix_deliveries_queue_owner_id",
        "deliveries",
        ["queue", "owner_id"],
        unique=False,
        schema="books",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.create_index(
        "ix_deliveries_state_finished_at",
        "deliveries",
        ["state", "finished_at"],
        unique=False,
        schema="books",
    )
    op.create_table(
        "books",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("child_id", sa.String(length=40), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("theme", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("dedication", sa.Text(), nullable=True),
        sa.Column("format", sa.String(length=40), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subtitle", sa.Text(), nullable=True),
        sa.Column("blurb", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cover_illustration_id", sa.String(length=40), nullable=True),
        sa.Column("snapshot_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.String(length=64), nullable=True),
        sa.Column("request_hash", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id"], ["books.children.id"], name="fk_books_child_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_books"),
        sa.UniqueConstraint("owner_id", "idempotency_key", name="uq_books_owner_id_idempotency_key"),
        schema="books",
    )
    op.create_index("ix_books_child_id", "books", ["child_id"], unique=False, schema="books")
    op.create_index(
        "ix_books_cover_illustration_id", "books", ["cover_illustration_id"], unique=False, schema="books"
    )
    op.create_index("ix_books_owner_id", "books", ["owner_id"], unique=False, schema="books")
    op.create_index("ix_books_snapshot_id", "books", ["snapshot_id"], unique=False, schema="books")
    op.create_table(
        "illustrations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("book_id", sa.String(length=40), nullable=False),
        sa.Column("source_key", sa.String(length=80), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("alt_text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id"], ["books.books.id"], name="fk_illustrations_book_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_illustrations"),
        sa.UniqueConstraint("book_id", "source_key", name="uq_illustrations_book_id_source_key"),
        schema="books",
    )
    op.create_table(
        "pages",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("book_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("scene", sa.Integer(), nullable=True),
        sa.Column("first_layout", sa.String(length=20), nullable=False),
        sa.Column("current_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["book_id"], ["books.books.id"], name="fk_pages_book_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_pages"),
        sa.UniqueConstraint("book_id", "number", name="uq_pages_book_id_number"),
        schema="books",
    )
    op.create_index("ix_pages_current_id", "pages", ["current_id"], unique=False, schema="books")
    op.create_table(
        "snapshots",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("book_id", sa.String(length=40), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=40), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id"], ["books.books.id"], name="fk_snapshots_book_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_snapshots"),
        sa.UniqueConstraint("book_id", "content_hash", name="uq_snapshots_book_id_content_hash"),
        schema="books",
    )
    op.create_table(
        "page_versions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("page_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("layout", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("illustration_id", sa.String(length=40), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("source_key", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["illustration_id"],
            ["books.illustrations.id"],
            name="fk_page_versions_illustration_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["page_id"], ["books.pages.id"], name="fk_page_versions_page_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_page_versions"),
        sa.UniqueConstraint("page_id", "number", name="uq_page_versions_page_id_number"),
        sa.UniqueConstraint("page_id", "source_key", name="uq_page_versions_page_id_source_key"),
        schema="books",
    )
    op.create_index(
        "ix_page_versions_illustration_id", "page_versions", ["illustration_id"], unique=False, schema="books"
    )
    op.create_table(
        "renditions",
        sa.Column("snapshot_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=False),
        sa.Column("width_points", sa.Double(), nullable=False),
        sa.Column("height_points", sa.Double(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["books.snapshots.id"], name="fk_renditions_snapshot_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "kind", name="pk_renditions"),
        schema="books",
    )
    op.create_foreign_key(
        "fk_books_cover_illustration_id",
        "books",
        "illustrations",
        ["cover_illustration_id"],
        ["id"],
        source_schema="books",
        referent_schema="books",
        ondelete="SET NULL",
    )
    op.create_foreign_key(
        "fk_books_snapshot_id",
        "books",
        "snapshots",
        ["snapshot_id"],
        ["id"],
        source_schema="books",
        referent_schema="books",
        ondelete="SET NULL",
    )
    op.create_foreign_key(
        "fk_pages_current_id",
        "pages",
        "page_versions",
        ["current_id"],
        ["id"],
        source_schema="books",
        referent_schema="books",
        ondelete="SET NULL",
    )


def downgrade() -> None:
    op.drop_constraint("fk_books_cover_illustration_id", "books", schema="books", type_="foreignkey")
    op.drop_constraint("fk_books_snapshot_id", "books", schema="books", type_="foreignkey")
    op.drop_constraint("fk_pages_current_id", "pages", schema="books", type_="foreignkey")
    op.drop_table("renditions", schema="books")
    op.drop_index("ix_page_versions_illustration_id", table_name="page_versions", schema="books")
    op.drop_table("page_versions", schema="books")
    op.drop_table("snapshots", schema="books")
    op.drop_index("ix_pages_current_id", table_name="pages", schema="books")
    op.drop_table("pages", schema="books")
    op.drop_table("illustrations", schema="books")
    op.drop_index("ix_books_snapshot_id", table_name="books", schema="books")
    op.drop_index("ix_books_owner_id", table_name="books", schema="books")
    op.drop_index("ix_books_cover_illustration_id", table_name="books", schema="books")
    op.drop_index("ix_books_child_id", table_name="books", schema="books")
    op.drop_table("books", schema="books")
    op.drop_table("audit", schema="books")
    op.execute("DROP FUNCTION books.refuse_audit_change()")
    op.drop_index("ix_deliveries_state_finished_at", table_name="deliveries", schema="books")
    op.drop_index(
        "ix_deliveries_queue_owner_id",
        table_name="deliveries",
        schema="books",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.drop_index(
        "ix_deliveries_due_at",
        table_name="deliveries",
        schema="books",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.drop_table("deliveries", schema="books")
    op.drop_table("outbox", schema="books")
    op.drop_table("inbox", schema="books")
    op.drop_index("ix_children_owner_id", table_name="children", schema="books")
    op.drop_table("children", schema="books")

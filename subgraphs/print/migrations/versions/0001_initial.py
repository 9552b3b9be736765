"""The tables of the print domain."""

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
        "inbox",
        sa.Column("consumer", sa.String(length=100), nullable=False),
        sa.Column("message_id", sa.String(length=100), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "message_id", name="pk_inbox"),
        schema="print",
    )
    op.create_table(
        "offline_shop_jobs",
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=40), nullable=False),
        sa.Column("pod_package_id", sa.String(length=40), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("shipping_level", sa.String(length=20), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("reference", name="pk_offline_shop_jobs"),
        schema="print",
    )
    op.create_index(
        "ix_offline_shop_jobs_external_id", "offline_shop_jobs", ["external_id"], unique=False, schema="print"
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
        schema="print",
    )
    op.create_table(
        "webhook_receipts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_receipts"),
        sa.UniqueConstraint("source", "event_id", name="uq_webhook_receipts_source_event_id"),
        schema="print",
    )
    op.create_index(
        "ix_webhook_receipts_received_at", "webhook_receipts", ["received_at"], unique=False, schema="print"
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
        schema="print",
    )
    for statement in build_trigger("print"):
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
        schema="print",
    )
    op.create_index(
        "ix_deliveries_due_at",
        "deliveries",
        ["due_at"],
        unique=False,
        schema="print",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.create_index(
        "ix_deliveries_queue_owner_id",
        "deliveries",
        ["queue", "owner_id"],
        unique=False,
        schema="print",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.create_index(
        "ix_deliveries_state_finished_at",
        "deliveries",
        ["state", "finished_at"],
        unique=False,
        schema="print",
    )
    op.create_table(
        "print_jobs",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("snapshot_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.String(length=60), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("interior_key", sa.Text(), nullable=True),
        sa.Column("cover_key", sa.Text(), nullable=True),
        sa.Column("preflight", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_reference", sa.String(length=100), nullable=True),
        sa.Column("shipment", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("last_sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_print_jobs"),
        sa.UniqueConstraint("order_id", name="uq_print_jobs_order_id"),
        sa.UniqueConstraint(
            "provider", "provider_reference", name="uq_print_jobs_provider_provider_reference"
        ),
        schema="print",
    )
    op.create_index("ix_print_jobs_owner_id", "print_jobs", ["owner_id"], unique=False, schema="print")
    op.create_table(
        "print_job_transitions",
        sa.Column("print_job_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["print_job_id"],
            ["print.print_jobs.id"],
            name="fk_print_job_transitions_print_job_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("print_job_id", "sequence", name="pk_print_job_transitions"),
        schema="print",
    )


def downgrade() -> None:
    op.drop_table("print_job_transitions", schema="print")
    op.drop_index("ix_print_jobs_owner_id", table_name="print_jobs", schema="print")
    op.drop_table("print_jobs", schema="print")
    op.drop_index("ix_webhook_receipts_received_at", table_name="webhook_receipts", schema="print")
    op.drop_table("webhook_receipts", schema="print")
    op.drop_table("audit", schema="print")
    op.execute("DROP FUNCTION print.refuse_audit_change()")
    op.drop_index("ix_deliveries_state_finished_at", table_name="deliveries", schema="print")
    op.drop_index(
        "ix_deliveries_queue_owner_id",
        table_name="deliveries",
        schema="print",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.drop_index(
        "ix_deliveries_due_at",
        table_name="deliveries",
        schema="print",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.drop_table("deliveries", schema="print")
    op.drop_table("outbox", schema="print")
    op.drop_index("ix_offline_shop_jobs_external_id", table_name="offline_shop_jobs", schema="print")
    op.drop_table("offline_shop_jobs", schema="print")
    op.drop_table("inbox", schema="print")

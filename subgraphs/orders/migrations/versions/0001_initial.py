"""The tables of the orders domain."""

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
        schema="orders",
    )
    op.create_table(
        "offline_payments",
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("method", sa.String(length=100), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("idempotency_key", name="pk_offline_payments"),
        sa.UniqueConstraint("reference", name="uq_offline_payments_reference"),
        schema="orders",
    )
    op.create_table(
        "offline_refunds",
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("payment_reference", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_reference"],
            ["orders.offline_payments.reference"],
            name="fk_offline_refunds_payment_reference",
        ),
        sa.PrimaryKeyConstraint("idempotency_key", name="pk_offline_refunds"),
        sa.UniqueConstraint("reference", name="uq_offline_refunds_reference"),
        schema="orders",
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
        schema="orders",
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
        schema="orders",
    )
    op.create_index(
        "ix_webhook_receipts_received_at", "webhook_receipts", ["received_at"], unique=False, schema="orders"
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
        schema="orders",
    )
    for statement in build_trigger("orders"):
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
        schema="orders",
    )
    op.create_index(
        "ix_deliveries_due_at",
        "deliveries",
        ["due_at"],
        unique=False,
        schema="orders",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.create_index(
        "ix_deliveries_queue_owner_id",
        "deliveries",
        ["queue", "owner_id"],
        unique=False,
        schema="orders",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.create_index(
        "ix_deliveries_state_finished_at",
        "deliveries",
        ["state", "finished_at"],
        unique=False,
        schema="orders",
    )
    op.create_table(
        "quotes",
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("shipping", sa.Integer(), nullable=False),
        sa.Column("fulfilment", sa.Integer(), nullable=False),
        sa.Column("tax", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("book_id", sa.String(length=40), nullable=False),
        sa.Column("snapshot_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.String(length=80), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("shipping_level", sa.String(length=20), nullable=False),
        sa.Column("shipping_address", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quotes"),
        schema="orders",
    )
    op.create_index("ix_quotes_book_id", "quotes", ["book_id"], unique=False, schema="orders")
    op.create_index("ix_quotes_owner_id", "quotes", ["owner_id"], unique=False, schema="orders")
    op.create_table(
        "orders",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("quote_id", sa.String(length=40), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("last_sequence", sa.Integer(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("book_id", sa.String(length=40), nullable=False),
        sa.Column("snapshot_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.String(length=80), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("shipping_level", sa.String(length=20), nullable=False),
        sa.Column("shipping_address", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("total > 0", name="ck_orders_total_positive"),
        sa.ForeignKeyConstraint(["quote_id"], ["orders.quotes.id"], name="fk_orders_quote_id"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("number", name="uq_orders_number"),
        sa.UniqueConstraint("quote_id", name="uq_orders_quote_id"),
        schema="orders",
    )
    op.create_index("ix_orders_book_id", "orders", ["book_id"], unique=False, schema="orders")
    op.create_index("ix_orders_owner_id", "orders", ["owner_id"], unique=False, schema="orders")
    op.create_table(
        "order_transitions",
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.orders.id"], name="fk_order_transitions_order_id"),
        sa.PrimaryKeyConstraint("order_id", "sequence", name="pk_order_transitions"),
        schema="orders",
    )
    op.create_table(
        "payment_attempts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("method", sa.String(length=100), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=True),
        sa.Column("action", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("decline_code", sa.String(length=60), nullable=True),
        sa.Column("decline_message", sa.String(length=200), nullable=True),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name="ck_payment_attempts_amount_positive"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.orders.id"], name="fk_payment_attempts_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_payment_attempts"),
        sa.UniqueConstraint(
            "order_id", "idempotency_key", name="uq_payment_attempts_order_id_idempotency_key"
        ),
        sa.UniqueConstraint("order_id", "number", name="uq_payment_attempts_order_id_number"),
        sa.UniqueConstraint("provider", "reference", name="uq_payment_attempts_provider_reference"),
        schema="orders",
    )
    op.create_index(
        "uq_payment_attempts_not_declined",
        "payment_attempts",
        ["order_id"],
        unique=True,
        schema="orders",
        postgresql_where=sa.text("status <> 'DECLINED'"),
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("attempt_id", sa.String(length=40), nullable=False),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=True),
        sa.Column("failure_code", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name="ck_refunds_amount_positive"),
        sa.ForeignKeyConstraint(["attempt_id"], ["orders.payment_attempts.id"], name="fk_refunds_attempt_id"),
        sa.PrimaryKeyConstraint("id", name="pk_refunds"),
        sa.UniqueConstraint("attempt_id", "idempotency_key", name="uq_refunds_attempt_id_idempotency_key"),
        schema="orders",
    )


def downgrade() -> None:
    op.drop_table("refunds", schema="orders")
    op.drop_index("uq_payment_attempts_not_declined", table_name="payment_attempts", schema="orders")
    op.drop_table("payment_attempts", schema="orders")
    op.drop_table("order_transitions", schema="orders")
    op.drop_index("ix_orders_owner_id", table_name="orders", schema="orders")
    op.drop_index("ix_orders_book_id", table_name="orders", schema="orders")
    op.drop_table("orders", schema="orders")
    op.drop_index("ix_quotes_owner_id", table_name="quotes", schema="orders")
    op.drop_index("ix_quotes_book_id", table_name="quotes", schema="orders")
    op.drop_table("quotes", schema="orders")
    op.drop_index("ix_webhook_receipts_received_at", table_name="webhook_receipts", schema="orders")
    op.drop_table("webhook_receipts", schema="orders")
    op.drop_table("audit", schema="orders")
    op.execute("DROP FUNCTION orders.refuse_audit_change()")
    op.drop_index("ix_deliveries_state_finished_at", table_name="deliveries", schema="orders")
    op.drop_index(
        "ix_deliveries_queue_owner_id",
        table_name="deliveries",
        schema="orders",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.drop_index(
        "ix_deliveries_due_at",
        table_name="deliveries",
        schema="orders",
        postgresql_where=sa.text("state = 'DUE'"),
    )
    op.drop_table("deliveries", schema="orders")
    op.drop_table("outbox", schema="orders")
    op.drop_table("offline_refunds", schema="orders")
    op.drop_table("offline_payments", schema="orders")
    op.drop_table("inbox", schema="orders")

"""The tables of the orders domain."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from subgraphs.common.audit import create_audit_table
from subgraphs.common.database import Base, create_enum_type, create_metadata
from subgraphs.common.deliveries import create_deliveries_table
from subgraphs.common.money import Money
from subgraphs.common.outbox import create_inbox_table, create_outbox_table
from subgraphs.common.postal import Address, ShippingLevel
from subgraphs.common.webhooks import create_receipts_table
from subgraphs.orders.states import AttemptStatus, OrderStatus, RefundStatus


class RefundReason(StrEnum):
    """Why a payment is refunded."""

    ORDER_CANCELLED = "ORDER_CANCELLED"
    PRINT_REJECTED = "PRINT_REJECTED"


class Table(Base):
    """The base of the domain's tables."""

    __abstract__ = True
    metadata = create_metadata("orders")


class Purchase(Table):
    """The columns that a quote shares with the order that is made from it."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(40), index=True)
    book_id: Mapped[str] = mapped_column(String(40), index=True)
    snapshot_id: Mapped[str] = mapped_column(String(40))
    product_id: Mapped[str] = mapped_column(String(80))
    quantity: Mapped[int]
    shipping_level: Mapped[ShippingLevel] = mapped_column(create_enum_type(ShippingLevel))
    shipping_address: Mapped[dict[str, Any]]
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime]

    def to_money(self, amount: int) -> Money:
        """Convert one of its amounts, which are all in its currency."""
        return Money(amount, self.currency)

    @property
    def address(self) -> Address:
        """The shipping address."""
        return Address(**self.shipping_address)


class Quote(Purchase):
    """A quote; amounts are in minor units of the currency."""

    __tablename__ = "quotes"

    items: Mapped[int]
    shipping: Mapped[int]
    fulfilment: Mapped[int]
    tax: Mapped[int]
    expires_at: Mapped[datetime]

    @property
    def total(self) -> Money:
        """The amount to pay."""
        parts = (self.items, self.shipping, self.fulfilment, self.tax)
        return sum(map(self.to_money, parts), Money.zero(self.currency))


class Order(Purchase):
    """An order, made from its quote at most once."""

    __tablename__ = "orders"
    __table_args__ = (CheckConstraint("total > 0", name="total_positive"),)

    number: Mapped[str] = mapped_column(String(20), unique=True)
    quote_id: Mapped[str] = mapped_column(ForeignKey(Quote.id), unique=True)
    total: Mapped[int]
    status: Mapped[OrderStatus] = mapped_column(create_enum_type(OrderStatus))
    last_sequence: Mapped[int]
    paid_at: Mapped[datetime | None]


class OrderTransition(Table):
    """A transition of an order; live events are rebuilt from these rows."""

    __tablename__ = "order_transitions"

    order_id: Mapped[str] = mapped_column(ForeignKey(Order.id), primary_key=True)
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True)
    status: Mapped[OrderStatus] = mapped_column(create_enum_type(OrderStatus))
    at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(Text)


class PaymentAttempt(Table):
    """An attempt to pay for an order; at most one of an order is open or has succeeded.

    `idempotency_key` is the client's; at the provider the key is the row's id. `action` is what the parent
    has to do, if anything. `checks` counts the jobs that settle the attempt: only the newest one acts.
    """

    __tablename__ = "payment_attempts"
    __table_args__ = (
        UniqueConstraint("order_id", "number"),
        UniqueConstraint("order_id", "idempotency_key"),
        UniqueConstraint("provider", "reference"),
        Index(
            "uq_payment_attempts_not_declined",
            "order_id",
            unique=True,
            postgresql_where=text("status <> 'DECLINED'"),
        ),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey(Order.id))
    number: Mapped[int]
    idempotency_key: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(String(20))
    method: Mapped[str] = mapped_column(String(100))
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[AttemptStatus] = mapped_column(create_enum_type(AttemptStatus))
    reference: Mapped[str | None] = mapped_column(String(100))
    action: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    decline_code: Mapped[str | None] = mapped_column(String(60))
    decline_message: Mapped[str | None] = mapped_column(String(200))
    checks: Mapped[int]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class Refund(Table):
    """A refund of an attempt that succeeded; all that have not failed together are at most its amount.

    `idempotency_key` names the cause, which is refunded once; at the provider the key is the row's id.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("attempt_id", "idempotency_key"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    attempt_id: Mapped[str] = mapped_column(ForeignKey(PaymentAttempt.id))
    idempotency_key: Mapped[str] = mapped_column(String(64))
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[RefundReason] = mapped_column(create_enum_type(RefundReason))
    status: Mapped[RefundStatus] = mapped_column(create_enum_type(RefundStatus))
    reference: Mapped[str | None] = mapped_column(String(100))
    failure_code: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class OfflinePayment(Table):
    """A payment in the ledger of the offline payment provider."""

    __tablename__ = "offline_payments"

    idempotency_key: Mapped[str] = mapped_column(String(80), primary_key=True)
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    order_id: Mapped[str] = mapped_column(String(40))
    method: Mapped[str] = mapped_column(String(100))
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime]
    acted_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class OfflineRefund(Table):
    """A refund in the ledger of the offline payment provider."""

    __tablename__ = "offline_refunds"

    idempotency_key: Mapped[str] = mapped_column(String(80), primary_key=True)
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    payment_reference: Mapped[str] = mapped_column(ForeignKey(OfflinePayment.reference))
    amount: Mapped[int]
    created_at: Mapped[datetime]


create_outbox_table(Table.metadata)
create_inbox_table(Table.metadata)
create_deliveries_table(Table.metadata)
create_audit_table(Table.metadata)
create_receipts_table(Table.metadata)

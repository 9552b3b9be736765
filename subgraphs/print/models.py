"""The tables of the print domain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from subgraphs.common.audit import create_audit_table
from subgraphs.common.database import Base, create_enum_type, create_metadata
from subgraphs.common.deliveries import create_deliveries_table
from subgraphs.common.outbox import create_inbox_table, create_outbox_table
from subgraphs.common.postal import ShippingLevel
from subgraphs.common.webhooks import create_receipts_table
from subgraphs.print.states import PrintJobStatus


class Table(Base):
    """The base of the domain's tables."""

    __abstract__ = True
    metadata = create_metadata("print")


class PrintJob(Table):
    """The print job of an order.

    `attempts` and `checks` count the jobs that submit and reconcile it: only a job with the next number acts,
    so that one delivered twice does nothing the second time.
    """

    __tablename__ = "print_jobs"
    __table_args__ = (UniqueConstraint("provider", "provider_reference"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    order_id: Mapped[str] = mapped_column(String(40), unique=True)
    owner_id: Mapped[str] = mapped_column(String(40), index=True)
    snapshot_id: Mapped[str] = mapped_column(String(40))
    product_id: Mapped[str] = mapped_column(String(60))
    quantity: Mapped[int]
    status: Mapped[PrintJobStatus] = mapped_column(create_enum_type(PrintJobStatus))
    interior_key: Mapped[str | None] = mapped_column(Text)
    cover_key: Mapped[str | None] = mapped_column(Text)
    preflight: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    provider: Mapped[str] = mapped_column(String(20))
    provider_reference: Mapped[str | None] = mapped_column(String(100))
    shipment: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    cancel_requested: Mapped[bool]
    attempts: Mapped[int]
    checks: Mapped[int]
    last_sequence: Mapped[int]
    created_at: Mapped[datetime]


class PrintJobTransition(Table):
    """A transition of a print job into a state."""

    __tablename__ = "print_job_transitions"

    print_job_id: Mapped[str] = mapped_column(ForeignKey(PrintJob.id, ondelete="CASCADE"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[PrintJobStatus] = mapped_column(create_enum_type(PrintJobStatus))
    at: Mapped[datetime]
    message: Mapped[str] = mapped_column(Text)


class OfflineShopJob(Table):
    """A job of the offline print shop.

    Like Lulu, the shop accepts the same external id twice, and then prints twice.
    """

    __tablename__ = "offline_shop_jobs"

    reference: Mapped[str] = mapped_column(String(40), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(40), index=True)
    pod_package_id: Mapped[str] = mapped_column(String(40))
    quantity: Mapped[int]
    shipping_level: Mapped[ShippingLevel] = mapped_column(create_enum_type(ShippingLevel))
    accepted_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]


create_outbox_table(Table.metadata)
create_inbox_table(Table.metadata)
create_deliveries_table(Table.metadata)
create_audit_table(Table.metadata)
create_receipts_table(Table.metadata)

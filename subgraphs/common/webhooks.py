"""Webhooks: what a provider sends is verified, stored once and acknowledged; a job does the work.

A provider sends an event until it is acknowledged, so the same one may come twice, late, or before another
that happened earlier. The job therefore takes an event as a hint, and asks the provider what is true now:

    evt_1 "payment.succeeded"  stored as whr_1, its job enqueued, 200
    evt_1 again                stored already, 200
    evt_0 "payment.pending"    stored as whr_2, its job enqueued, 200; the job finds that it has succeeded

A receipt keeps the body as received, so that its job can be run again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, SecretStr, ValidationError
from sqlalchemy import (
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.errors import DomainError, require_found
from subgraphs.common.ids import new_id
from subgraphs.common.messages import Job
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.common.validation import parse_small_number

SIGNATURE_HEADER: Final = "memorable-signature"
SIGNATURE_TOLERANCE: Final = timedelta(minutes=5)
"""How far the time in a signature may be from now, in both directions."""
_MAX_EVENT_ID_LENGTH: Final = 255
_MAX_TYPE_LENGTH: Final = 100
_MAX_SIGNATURES: Final = 10
_PRINTABLE: Final = r"^[\x20-\x7e]*$"


class InvalidWebhook(DomainError):
    """A request is not from the provider, or is not one of its events; nothing is stored."""

    code = "INVALID_WEBHOOK"


class UnknownSource(Exception):
    """A receipt is from a sender that this installation does not know; its work waits until it does."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No webhooks of {name!r} are received here. Its receipts wait until they are.")


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An event of a provider: `id` is the same whenever it is sent.

    `reference` is the provider's id of what has changed, `own_id` ours if the provider sends it back.
    """

    id: str
    type: str
    reference: str
    own_id: str | None


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """A sender of webhooks, at `/webhooks/<name>`, about the rows of a provider.

    `verify` raises InvalidWebhook unless the headers, with names in lower case, prove that the sender knows
    the secret. `read` parses a verified body. `build_job` builds the job that handles a receipt, by its id.
    """

    name: str
    provider: str
    verify: Callable[[Runtime, Mapping[str, str], bytes], None]
    read: Callable[[bytes], WebhookEvent]
    build_job: Callable[[str], Job]


@dataclass(frozen=True, slots=True)
class Receipt:
    """An event that was received; its body is left out of lists."""

    id: str
    source: str
    event_id: str
    type: str
    received_at: datetime


def create_receipts_table(metadata: MetaData) -> Table:
    """Create the receipts of a domain that receives webhooks."""
    return Table(
        "webhook_receipts",
        metadata,
        Column("id", String(40), primary_key=True),
        Column("source", String(40), nullable=False),
        Column("event_id", String(_MAX_EVENT_ID_LENGTH), nullable=False),
        Column("type", String(_MAX_TYPE_LENGTH), nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("received_at", DateTime(timezone=True), nullable=False, index=True),
        UniqueConstraint("source", "event_id"),
    )


async def receive(runtime: Runtime, source: WebhookSource, headers: Mapping[str, str], body: bytes) -> None:
    """Verify and store an event, and enqueue its job, unless it has been stored before."""
    source.verify(runtime, headers, body)
    event = source.read(body)
    async with runtime.unit_of_work() as uow:
        receipt_id = await _store(uow, runtime.domain.get_table("webhook_receipts"), source.name, event, body)
        if receipt_id is not None:
            await uow.enqueue(source.build_job(receipt_id), owner_id=None)
    get_logger().info(
        "Webhook received", source=source.name, event_id=event.id, type=event.type, receipt=receipt_id
    )


def get_source(sources: Mapping[str, WebhookSource], name: str) -> WebhookSource:
    """Get the source of a receipt by its name; UnknownSource when it is gone."""
    if name not in sources:
        raise UnknownSource(name)
    return sources[name]


async def load_event(
    runtime: Runtime, sources: Mapping[str, WebhookSource], receipt_id: str
) -> tuple[WebhookSource, WebhookEvent]:
    """Load the event of a receipt, and where it came from.

    NotFound when it has been pruned, UnknownSource when its source is gone.
    """
    table = runtime.domain.get_table("webhook_receipts")
    async with runtime.database.read() as session:
        found = await session.execute(select(table.c.source, table.c.body).where(table.c.id == receipt_id))
    name, body = require_found("Receipt", receipt_id, found.one_or_none())
    source = get_source(sources, name)
    return source, source.read(body)


async def list_receipts(session: AsyncSession, table: Table, limit: int) -> list[Receipt]:
    """List the newest receipts."""
    rows = await session.execute(_select_receipts(table).order_by(table.c.id.desc()).limit(limit))
    return [Receipt(*row) for row in rows]


async def find_receipt(session: AsyncSession, table: Table, receipt_id: str) -> Receipt | None:
    """Find a receipt by its id."""
    row = (await session.execute(_select_receipts(table).where(table.c.id == receipt_id))).one_or_none()
    return Receipt(*row) if row else None


async def prune(session: AsyncSession, table: Table, retention: timedelta, limit: int) -> int:
    """Delete up to `limit` receipts that are older than the retention; return their number."""
    old = select(table.c.id).where(table.c.received_at < func.now() - retention).limit(limit)
    return len((await session.scalars(delete(table).where(table.c.id.in_(old)).returning(table.c.id))).all())


def create_signed_source(
    name: str, provider: str, get_secret: Callable[[Runtime], SecretStr], build_job: Callable[[str], Job]
) -> WebhookSource:
    """Create a source whose events have our own form, and are signed in the header `memorable-signature`.

    `{"id": "evt_1", "type": "payment.updated", "data": {"reference": "pi_1", "own_id": "pay_1"}}`
    """

    def verify(runtime: Runtime, headers: Mapping[str, str], body: bytes) -> None:
        secret = get_secret(runtime).get_secret_value()
        verify_signature(headers.get(SIGNATURE_HEADER, ""), body, secret, runtime.clock())

    return WebhookSource(name, provider, verify, _read_event, build_job)


def verify_signature(header: str, body: bytes, secret: str, now: datetime) -> None:
    """Verify a signature of the form `t=1767225600,v1=5257a8…`, as Stripe sends it.

    `t` is a Unix time, and each `v1` may be the HMAC-SHA256 of `t`, a full stop and the body, in hex; there
    are several while the secret is being replaced.

    Raises:
        InvalidWebhook: None of them is, or the time is further from now than the tolerance.
    """
    if not secret:
        raise InvalidWebhook("No secret is configured for this webhook.")
    pairs = [part.strip().partition("=") for part in header.split(",")[: _MAX_SIGNATURES + 1]]
    time = next((value for name, _, value in pairs if name == "t"), "")
    signed_at = parse_small_number(time, digits=12)
    if signed_at is None:
        raise InvalidWebhook("The signature is missing or malformed.")
    expected = hmac.new(secret.encode(), b"%d.%s" % (signed_at, body), hashlib.sha256).hexdigest().encode()
    given = [value.encode() for name, _, value in pairs if name == "v1"]
    if not any(hmac.compare_digest(expected, each) for each in given):
        raise InvalidWebhook("The signature does not match the body.")
    if abs(now.timestamp() - signed_at) > SIGNATURE_TOLERANCE.total_seconds():
        raise InvalidWebhook("The signature is too old, or from the future.")


class _Changed(BaseModel):
    reference: Annotated[str, Field(min_length=1, max_length=100, pattern=_PRINTABLE)]
    own_id: Annotated[str, Field(max_length=40, pattern=_PRINTABLE)] | None = None


class _Event(BaseModel):
    id: Annotated[str, Field(min_length=1, max_length=_MAX_EVENT_ID_LENGTH, pattern=_PRINTABLE)]
    type: Annotated[str, Field(min_length=1, max_length=_MAX_TYPE_LENGTH, pattern=_PRINTABLE)]
    data: _Changed


def _read_event(body: bytes) -> WebhookEvent:
    try:
        event = _Event.model_validate_json(body)
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise InvalidWebhook("; ".join(problems)) from error
    return WebhookEvent(event.id, event.type, event.data.reference, event.data.own_id)


async def _store(uow: UnitOfWork, table: Table, source: str, event: WebhookEvent, body: bytes) -> str | None:
    """Store an event and return its receipt's id; None when it has been stored before."""
    receipt_id: str | None = await uow.session.scalar(
        insert(table)
        .values(
            id=new_id("whr"),
            source=source,
            event_id=event.id,
            type=event.type,
            body=body,
            received_at=uow.now,
        )
        .on_conflict_do_nothing()
        .returning(table.c.id)
    )
    return receipt_id


def _select_receipts(table: Table) -> Any:
    return select(table.c.id, table.c.source, table.c.event_id, table.c.type, table.c.received_at)

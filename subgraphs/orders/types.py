"""The orders domain's part of the graph."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from subgraphs.common import money, postal
from subgraphs.common.context import Context
from subgraphs.common.pagination import PageRequest
from subgraphs.common.postal import ShippingLevel
from subgraphs.common.types import PAGED, After, Connection, First, Money, sized
from subgraphs.orders import models, service
from subgraphs.orders.loaders import Loaders
from subgraphs.orders.models import RefundReason
from subgraphs.orders.states import AttemptStatus, OrderStatus, RefundStatus

Info = strawberry.Info[Context[Loaders], None]

strawberry.enum(
    OrderStatus,
    description=(
        "The state of an order: from AWAITING_PAYMENT through PAID, PREPARING (files made and checked), "
        "IN_PRODUCTION and SHIPPED to DELIVERED. CANCELLED, PRINT_REJECTED and EXPIRED (not paid before the "
        "quote expired) are final too."
    ),
)
strawberry.enum(
    AttemptStatus,
    name="PaymentAttemptStatus",
    description=(
        "The state of a payment attempt: CREATED until the payment provider has answered, REQUIRES_ACTION "
        "until the parent has acted, PENDING until the provider knows, and finally SUCCEEDED or DECLINED."
    ),
)
strawberry.enum(RefundStatus, description="The state of a refund.")
strawberry.enum(RefundReason, description="Why a payment is refunded.")


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class Snapshot:
    """A reference to the approved book that is printed."""

    id: strawberry.ID


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class PrintProduct:
    """A reference to the product that the book is printed as."""

    id: strawberry.ID


@strawberry.type(description="A postal address.")
class Address:
    """Where a parcel goes."""

    name: str
    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country_code: str = strawberry.field(description="ISO 3166, two letters.")
    phone: str

    @classmethod
    def of(cls, value: postal.Address) -> Self:
        """Convert an address."""
        return cls(**value.as_json())


@strawberry.federation.type(
    keys=["id"], description="The price of copies of an approved book, valid until it expires."
)
class Quote:
    """A quote."""

    id: strawberry.ID
    snapshot: Snapshot
    product: PrintProduct
    quantity: int
    shipping_level: ShippingLevel
    shipping_address: Address
    items: Money = strawberry.field(description="The price of all copies.")
    shipping: Money
    fulfilment: Money = strawberry.field(description="The fee for handling the order.")
    tax: Money
    total: Money
    expires_at: datetime

    @classmethod
    def of(cls, row: models.Quote) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            snapshot=Snapshot(id=strawberry.ID(row.snapshot_id)),
            product=PrintProduct(id=strawberry.ID(row.product_id)),
            quantity=row.quantity,
            shipping_level=row.shipping_level,
            shipping_address=Address.of(row.address),
            items=Money.of(row.to_money(row.items)),
            shipping=Money.of(row.to_money(row.shipping)),
            fulfilment=Money.of(row.to_money(row.fulfilment)),
            tax=Money.of(row.to_money(row.tax)),
            total=Money.of(row.total),
            expires_at=row.expires_at,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find a quote of the caller's."""
        row = await info.context.loaders.quote.load(id)
        return cls.of(row) if row else None


@strawberry.type(
    description="What a parent has to do before a payment can continue, such as confirming it to the bank."
)
class PaymentAction:
    """An action that a payment requires."""

    client_secret: str = strawberry.field(description="For the payment provider's library in the client.")
    redirect_url: str | None = strawberry.field(
        description="Where to send the parent, if that is how the payment method works."
    )

    @classmethod
    def of(cls, value: dict[str, Any]) -> Self:
        """Convert a column."""
        return cls(client_secret=value["client_secret"], redirect_url=value["redirect_url"])


@strawberry.type(description="A refund of a payment.")
class Refund:
    """A refund."""

    status: RefundStatus
    amount: Money
    reason: RefundReason
    created_at: datetime

    @classmethod
    def of(cls, row: models.Refund) -> Self:
        """Convert a row."""
        return cls(
            status=row.status,
            amount=Money.of(money.Money(row.amount, row.currency)),
            reason=row.reason,
            created_at=row.created_at,
        )


@strawberry.federation.type(
    keys=["id"],
    description="An attempt to pay for an order, of which one at most is open or has succeeded.",
)
class PaymentAttempt:
    """A payment attempt."""

    id: strawberry.ID
    number: int = strawberry.field(description="Counts the attempts of an order from 1.")
    status: AttemptStatus
    amount: Money
    provider: str = strawberry.field(description="The payment provider; `offline` charges nothing.")
    reference: str | None = strawberry.field(
        description="The provider's id of the payment, once it is known."
    )
    action: PaymentAction | None = strawberry.field(
        description="What the parent has to do while the attempt is in the state REQUIRES_ACTION."
    )
    decline_code: str | None = strawberry.field(
        description="The provider's code for the reason of a decline."
    )
    created_at: datetime
    settled_at: datetime | None = strawberry.field(description="When it succeeded or was declined.")

    @classmethod
    def of(cls, row: models.PaymentAttempt) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            number=row.number,
            status=row.status,
            amount=Money.of(money.Money(row.amount, row.currency)),
            provider=row.provider,
            reference=row.reference,
            action=PaymentAction.of(row.action) if row.action else None,
            decline_code=row.decline_code,
            created_at=row.created_at,
            settled_at=row.settled_at,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find an attempt to pay for one of the caller's orders."""
        row = await info.context.loaders.attempt.load(id)
        return cls.of(row) if row else None

    @strawberry.field(directives=[sized(2)], description="The refunds of the payment, oldest first.")
    async def refunds(self, info: Info) -> list[Refund]:
        """Load the refunds."""
        return [Refund.of(row) for row in await info.context.loaders.refunds_of_attempt.load(self.id)]


@strawberry.type(
    description="A transition of an order into a state, or progress of its payment while it awaits payment."
)
class OrderTransition:
    """A transition."""

    sequence: int = strawberry.field(description="Counts from 1 without gaps; a cursor for the subscription.")
    status: OrderStatus
    at: datetime
    reason: str | None = strawberry.field(description="The reason, where there is one.")

    @classmethod
    def of(cls, row: models.OrderTransition) -> Self:
        """Convert a row."""
        return cls(sequence=row.sequence, status=row.status, at=row.at, reason=row.reason)


@strawberry.federation.type(keys=["id"], description="Copies of an approved book, ordered.")
class Order:
    """An order."""

    id: strawberry.ID
    number: str = strawberry.field(description="The order number that people use: `M-` and eight characters.")
    status: OrderStatus
    book: Book | None
    snapshot: Snapshot | None = strawberry.field(description="Exactly what is printed.")
    product: PrintProduct | None
    quantity: int
    shipping_level: ShippingLevel
    total: Money
    shipping_address: Address
    last_sequence: int = strawberry.field(description="The number of the newest transition.")
    created_at: datetime
    paid_at: datetime | None

    @classmethod
    def of(cls, row: models.Order) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            number=row.number,
            status=row.status,
            book=Book(id=strawberry.ID(row.book_id)),
            snapshot=Snapshot(id=strawberry.ID(row.snapshot_id)),
            product=PrintProduct(id=strawberry.ID(row.product_id)),
            quantity=row.quantity,
            shipping_level=row.shipping_level,
            total=Money.of(row.to_money(row.total)),
            shipping_address=Address.of(row.address),
            last_sequence=row.last_sequence,
            created_at=row.created_at,
            paid_at=row.paid_at,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find an order of the caller's."""
        row = await info.context.loaders.order.load(id)
        return cls.of(row) if row else None

    @strawberry.field(directives=[sized(3)], description="Every attempt to pay for it, oldest first.")
    async def payment_attempts(self, info: Info) -> list[PaymentAttempt]:
        """Load the attempts."""
        return [PaymentAttempt.of(row) for row in await info.context.loaders.attempts_of_order.load(self.id)]

    @strawberry.field(directives=[sized(10)], description="Every transition of the order, oldest first.")
    async def history(self, info: Info) -> list[OrderTransition]:
        """Load the transitions."""
        return [
            OrderTransition.of(row) for row in await info.context.loaders.transitions_of_order.load(self.id)
        ]


@strawberry.type(
    description="An order's state has changed, or its payment has progressed while the order awaits it."
)
class OrderEvent:
    """A numbered event of one order."""

    sequence: int = strawberry.field(
        description="Counts from 1 without gaps; pass it as `after` to continue."
    )
    at: datetime
    status: OrderStatus = strawberry.field(description="The order's state after this event.")
    order: Order = strawberry.field(description="The order as it is now, which may be in a later state.")

    @classmethod
    def of(cls, progress: service.OrderProgress) -> Self:
        """Convert a transition."""
        return cls(
            sequence=progress.sequence,
            at=progress.at,
            status=progress.status,
            order=Order.of(progress.order),
        )


@strawberry.federation.type(keys=["id"])
class Book:
    """What the orders domain adds to a book."""

    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Self:
        """Resolve any book; only their owner finds its orders."""
        return cls(id=id)

    @strawberry.federation.field(
        authenticated=True,
        directives=[sized(10)],
        description="The caller's orders of this book, newest first.",
    )
    async def orders(self, info: Info) -> list[Order]:
        """Load the orders."""
        return [Order.of(row) for row in await info.context.loaders.orders_of_book.load(self.id)]


@strawberry.federation.type(keys=["id"])
class User:
    """What the orders domain adds to a user."""

    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Resolve the caller; other users have no orders here."""
        return cls(id=id) if info.context.is_caller(id) else None

    @strawberry.federation.field(
        authenticated=True, directives=[PAGED], description="The orders, newest first."
    )
    async def orders(self, info: Info, first: First = 20, after: After = None) -> Connection[Order]:
        """Load a page of the orders."""
        page = await info.context.loaders.orders_of_user.load((self.id, PageRequest.of(first, after)))
        return Connection.of(page, [Order.of(row) for row in page.rows])

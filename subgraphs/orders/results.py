"""The results of the orders domain's mutations."""

from __future__ import annotations

from typing import Annotated

import strawberry

from subgraphs.orders.states import OrderStatus
from subgraphs.orders.types import Order, Quote


@strawberry.type(description="The book has no approved snapshot.")
class BookNotApproved:
    """A result of createQuote."""

    message: str


@strawberry.type(
    description="The payment was declined. The quote is used up: another attempt needs a new one."
)
class PaymentDeclined:
    """A result of checkout."""

    message: str
    decline_code: str = strawberry.field(description="The payment provider's code for the reason.")


@strawberry.type(description="The quote's price no longer holds; nothing was ordered.")
class QuoteExpired:
    """A result of checkout."""

    message: str


@strawberry.type(description="The order can no longer be cancelled; nothing was changed.")
class OrderNotCancellable:
    """A result of cancelOrder."""

    message: str
    status: OrderStatus


CreateQuoteResult = Annotated[Quote | BookNotApproved, strawberry.union("CreateQuoteResult")]
CheckoutResult = Annotated[Order | PaymentDeclined | QuoteExpired, strawberry.union("CheckoutResult")]
CancelOrderResult = Annotated[Order | OrderNotCancellable, strawberry.union("CancelOrderResult")]

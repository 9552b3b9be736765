"""What quoting, checking out and cancelling can lead to."""

from __future__ import annotations

from typing import Annotated

import strawberry

from subgraphs.orders.states import OrderStatus
from subgraphs.orders.types import Order, Quote


@strawberry.type(description="There is no approved snapshot of the book to print.")
class BookNotApproved:
    """Nothing was quoted."""

    message: str


@strawberry.type(description="The payment was declined. The quote is used up: another attempt needs another.")
class PaymentDeclined:
    """Nothing was charged."""

    message: str
    decline_code: str = strawberry.field(description="The payment provider's code for the reason.")


@strawberry.type(description="The quote's price no longer holds; nothing was ordered.")
class QuoteExpired:
    """Nothing was ordered."""

    message: str


@strawberry.type(description="The order can no longer be stopped; it was left as it is.")
class OrderNotCancellable:
    """Nothing was cancelled."""

    message: str
    status: OrderStatus


CreateQuoteResult = Annotated[Quote | BookNotApproved, strawberry.union("CreateQuoteResult")]
CheckoutResult = Annotated[Order | PaymentDeclined | QuoteExpired, strawberry.union("CheckoutResult")]
CancelOrderResult = Annotated[Order | OrderNotCancellable, strawberry.union("CancelOrderResult")]

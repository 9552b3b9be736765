"""The results of the orders domain's mutations."""

from __future__ import annotations

from typing import Annotated

import strawberry

from subgraphs.orders.service import PaymentProgress
from subgraphs.orders.states import AttemptStatus, OrderStatus
from subgraphs.orders.types import Order, PaymentAction, PaymentAttempt, Quote


@strawberry.type(description="The book has no approved snapshot.")
class BookNotApproved:
    """A result of createQuote."""

    message: str


@strawberry.type(
    description="The product is not made for books of this format and length; see `BookFormat.printProducts`."
)
class ProductDoesNotFit:
    """A result of createQuote."""

    message: str


@strawberry.type(
    description="The payment was declined. The order can be paid by another attempt while its quote is valid."
)
class PaymentDeclined:
    """A result of checkout and completePayment."""

    message: str
    decline_code: str = strawberry.field(description="The payment provider's code for the reason.")
    order: Order


@strawberry.type(
    description="The parent has to act first. When that is done, continue with completePayment; to pay by "
    "another method instead, check out with a new key."
)
class PaymentActionRequired:
    """A result of checkout and completePayment."""

    action: PaymentAction
    attempt: PaymentAttempt
    order: Order


@strawberry.type(
    description="The payment provider does not know yet whether the payment succeeds. The order's "
    "subscription reports the outcome."
)
class PaymentPending:
    """A result of checkout and completePayment."""

    attempt: PaymentAttempt
    order: Order


@strawberry.type(description="The quote has expired; nothing was charged.")
class QuoteExpired:
    """A result of checkout."""

    message: str


@strawberry.type(description="The order can no longer be cancelled; nothing was changed.")
class OrderNotCancellable:
    """A result of cancelOrder."""

    message: str
    status: OrderStatus


CreateQuoteResult = Annotated[
    Quote | BookNotApproved | ProductDoesNotFit, strawberry.union("CreateQuoteResult")
]
PaymentResult = Order | PaymentDeclined | PaymentActionRequired | PaymentPending
CheckoutResult = Annotated[PaymentResult | QuoteExpired, strawberry.union("CheckoutResult")]
CompletePaymentResult = Annotated[PaymentResult, strawberry.union("CompletePaymentResult")]
CancelOrderResult = Annotated[Order | OrderNotCancellable, strawberry.union("CancelOrderResult")]


def build_payment_result(progress: PaymentProgress) -> PaymentResult:
    """Build the result of a mutation that pays."""
    order, attempt = Order.of(progress.order), PaymentAttempt.of(progress.attempt)
    if attempt.status is AttemptStatus.SUCCEEDED:
        return order
    if attempt.status is AttemptStatus.DECLINED:
        return PaymentDeclined(
            message=progress.attempt.decline_message or "",
            decline_code=attempt.decline_code or "",
            order=order,
        )
    if attempt.action is not None:
        return PaymentActionRequired(action=attempt.action, attempt=attempt, order=order)
    return PaymentPending(attempt=attempt, order=order)

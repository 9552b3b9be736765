"""The mutations of the orders domain."""

from __future__ import annotations

import strawberry
from strawberry.federation.schema_directives import Cost

from subgraphs.orders import errors, results, service
from subgraphs.orders.inputs import CheckoutInput, CreateQuoteInput
from subgraphs.orders.results import (
    CancelOrderResult,
    CheckoutResult,
    CompletePaymentResult,
    CreateQuoteResult,
)
from subgraphs.orders.types import Info, Order, Quote

PARENT = [["parent"]]
STAFF = [["staff"]]
# The router is asked for a price, or a payment provider for a charge.
_REMOTE_CALL = Cost(weight=100)


@strawberry.type
class Mutation:
    """The root mutation fields, one use case each."""

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_REMOTE_CALL],
        description="Quote a price for copies of an approved book.",
    )
    async def create_quote(self, info: Info, input: CreateQuoteInput) -> CreateQuoteResult:
        """Quote a price."""
        context = info.context
        try:
            quote = await service.create_quote(context.runtime, context.identity, input.to_request())
        except errors.BookNotApproved as error:
            return results.BookNotApproved(message=str(error))
        except errors.ProductDoesNotFit as error:
            return results.ProductDoesNotFit(message=str(error))
        return Quote.of(quote)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_REMOTE_CALL],
        description="Order and pay for what was quoted. Repeated with the same key, it charges nothing "
        "more and returns the same attempt. While an attempt is pending or has succeeded, no other is made.",
    )
    async def checkout(self, info: Info, input: CheckoutInput) -> CheckoutResult:
        """Order and pay for what was quoted."""
        context = info.context
        try:
            progress = await service.checkout(
                context.runtime, context.identity, input.quote_id, input.payment_method, input.attempt_key
            )
        except errors.QuoteExpired as error:
            return results.QuoteExpired(message=str(error))
        return results.build_payment_result(progress)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_REMOTE_CALL],
        description="Continue a payment when the parent has done what it requires, or check what has become "
        "of a pending one.",
    )
    async def complete_payment(self, info: Info, attempt_id: strawberry.ID) -> CompletePaymentResult:
        """Check the outcome of a payment attempt."""
        context = info.context
        return results.build_payment_result(
            await service.complete_payment(context.runtime, context.identity, attempt_id)
        )

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        description="Cancel an order that is not yet in production; its payment is refunded.",
    )
    async def cancel_order(self, info: Info, id: strawberry.ID) -> CancelOrderResult:
        """Cancel an order."""
        context = info.context
        try:
            order = await service.cancel_order(context.runtime, context.identity, id)
        except errors.OrderNotCancellable as error:
            return results.OrderNotCancellable(message=str(error), status=error.status)
        return Order.of(order)

    @strawberry.federation.mutation(
        requires_scopes=STAFF, description="Record that the parcel of an order has arrived."
    )
    async def confirm_delivery(self, info: Info, id: strawberry.ID) -> Order:
        """Record the delivery of an order."""
        return Order.of(await service.confirm_delivery(info.context.runtime, info.context.identity, id))

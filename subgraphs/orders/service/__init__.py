"""The use cases of the orders domain."""

from __future__ import annotations

from subgraphs.orders.service.attempts import PaymentProgress, complete_payment, settle_payment
from subgraphs.orders.service.cancellation import cancel_order
from subgraphs.orders.service.checkout import checkout
from subgraphs.orders.service.expiry import expire_order
from subgraphs.orders.service.fulfilment import FulfilmentOrder, get_fulfilment_order
from subgraphs.orders.service.progress import (
    OrderProgress,
    confirm_delivery,
    follow_order,
    follow_print_job,
)
from subgraphs.orders.service.provider_events import handle_payment_event
from subgraphs.orders.service.quotes import QuoteRequest, create_quote
from subgraphs.orders.service.refunds import refund_payment

__all__ = [
    "FulfilmentOrder",
    "OrderProgress",
    "PaymentProgress",
    "QuoteRequest",
    "cancel_order",
    "checkout",
    "complete_payment",
    "confirm_delivery",
    "create_quote",
    "expire_order",
    "follow_order",
    "follow_print_job",
    "get_fulfilment_order",
    "handle_payment_event",
    "refund_payment",
    "settle_payment",
]

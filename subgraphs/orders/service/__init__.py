"""The use cases of the orders domain."""

from __future__ import annotations

from subgraphs.orders.service.cancellation import cancel_order, refund_payment
from subgraphs.orders.service.checkout import checkout, settle_payment
from subgraphs.orders.service.fulfilment import Fulfilment, get_fulfilment
from subgraphs.orders.service.progress import (
    OrderProgress,
    confirm_delivery,
    follow_order,
    follow_print_job,
)
from subgraphs.orders.service.quotes import QuoteRequest, create_quote

__all__ = [
    "Fulfilment",
    "OrderProgress",
    "QuoteRequest",
    "cancel_order",
    "checkout",
    "confirm_delivery",
    "create_quote",
    "follow_order",
    "follow_print_job",
    "get_fulfilment",
    "refund_payment",
    "settle_payment",
]

"""The use cases of the orders domain."""

from __future__ import annotations

from subgraphs.orders.service.cancelling import cancel_order, refund_payment
from subgraphs.orders.service.checkout import checkout, settle
from subgraphs.orders.service.fulfilment import Fulfilment, fulfilment
from subgraphs.orders.service.progress import (
    as_live,
    confirm_delivery,
    follow_print_job,
    history_of,
    stream_key,
)
from subgraphs.orders.service.quoting import Price, QuoteRequest, ask_price, create_quote

__all__ = [
    "Fulfilment",
    "Price",
    "QuoteRequest",
    "as_live",
    "ask_price",
    "cancel_order",
    "checkout",
    "confirm_delivery",
    "create_quote",
    "follow_print_job",
    "fulfilment",
    "history_of",
    "refund_payment",
    "settle",
    "stream_key",
]

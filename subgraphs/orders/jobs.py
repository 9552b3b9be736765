"""The jobs of the orders domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class SettlePayment(Job):
    """Finish a checkout whose process ended between the order and the charge."""

    order_id: str


@dataclass(frozen=True, slots=True)
class RefundPayment(Job):
    """Refund the payment of an order that will not be printed."""

    order_id: str

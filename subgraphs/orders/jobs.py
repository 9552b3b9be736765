"""The jobs of the orders domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class SettlePayment(Job):
    """Settle a payment attempt; `check` counts these jobs, of which only the newest acts."""

    attempt_id: str
    check: int


@dataclass(frozen=True, slots=True)
class HandlePaymentEvent(Job):
    """Settle the payment that a provider's webhook is about."""

    receipt_id: str


@dataclass(frozen=True, slots=True)
class ExpireOrder(Job):
    """Expire an order that was not paid before its quote expired."""

    order_id: str


@dataclass(frozen=True, slots=True)
class RefundPayment(Job):
    """Send a refund to the payment provider."""

    refund_id: str

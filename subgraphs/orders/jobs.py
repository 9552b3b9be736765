"""The jobs of the orders domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class SettlePayment(Job):
    """Find out what has become of a payment attempt; `check` counts these jobs, and the newest one acts."""

    attempt_id: str
    check: int


@dataclass(frozen=True, slots=True)
class HandlePaymentEvent(Job):
    """Find out what has become of the payment that a provider's webhook is about."""

    receipt_id: str


@dataclass(frozen=True, slots=True)
class ExpireOrder(Job):
    """End an order that was not paid while its quote held."""

    order_id: str


@dataclass(frozen=True, slots=True)
class RefundPayment(Job):
    """Give back what a refund says."""

    refund_id: str

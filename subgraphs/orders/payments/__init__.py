"""Payment providers behind one port."""

from __future__ import annotations

from subgraphs.common.runtime import Runtime
from subgraphs.orders.payments.base import Declined, Outcome, PaymentProvider, PaymentRequest, Succeeded
from subgraphs.orders.payments.offline import OfflinePayments

__all__ = ["Declined", "Outcome", "PaymentProvider", "PaymentRequest", "Succeeded", "payment_provider"]


def payment_provider(runtime: Runtime) -> PaymentProvider:
    """The payment provider of this installation."""
    return OfflinePayments(runtime.database, runtime.clock)

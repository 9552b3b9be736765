"""Payment providers behind one interface."""

from __future__ import annotations

from subgraphs.common.runtime import Runtime
from subgraphs.orders.payments.base import Declined, Outcome, PaymentProvider, PaymentRequest, Succeeded
from subgraphs.orders.payments.offline import OfflinePayments

__all__ = ["Declined", "Outcome", "PaymentProvider", "PaymentRequest", "Succeeded", "payment_provider"]


def payment_provider(runtime: Runtime) -> PaymentProvider:
    """The provider that takes the money of this platform."""
    return OfflinePayments(runtime.database, runtime.clock)

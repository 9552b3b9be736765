"""The choice of payment provider: the offline one, until another is connected."""

from __future__ import annotations

from subgraphs.common.runtime import Runtime
from subgraphs.orders.payments.base import PaymentProvider
from subgraphs.orders.payments.offline import OfflinePayments


def choose_payment_provider(runtime: Runtime) -> PaymentProvider:
    """Choose the payment provider by the settings."""
    return OfflinePayments(runtime.database, runtime.clock)

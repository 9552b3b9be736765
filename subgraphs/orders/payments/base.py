"""The protocol of payment providers: its requests and outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from subgraphs.common.money import Money


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A charge to make; `payment_method` is the provider's id of it, such as `pm_card_visa`."""

    idempotency_key: str
    order_id: str
    amount: Money
    payment_method: str


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The charge succeeded; `reference` is the provider's id of the charge."""

    reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The charge was declined; `code` is the provider's, `message` is for the parent."""

    reference: str
    code: str
    message: str


Outcome = Succeeded | Declined


class PaymentProvider(Protocol):
    """Charges and refunds payments."""

    async def charge(self, request: PaymentRequest) -> Outcome:
        """Charge once for each idempotency key; a repeated key gives the outcome of the first request."""

    async def refund(self, reference: str) -> None:
        """Refund a charge in full; a charge that has been refunded is left as it is."""

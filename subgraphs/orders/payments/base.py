"""What orders asks of a payment provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from subgraphs.common.money import Money


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A charge to be made; `payment_method` is the provider's name of it, such as `pm_card_visa`."""

    idempotency_key: str
    order_id: str
    amount: Money
    payment_method: str


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The money is there; `reference` is the provider's name of the charge."""

    reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The money is not coming; the code is the provider's, the message is for the parent."""

    reference: str
    code: str
    message: str


Outcome = Succeeded | Declined


class PaymentProvider(Protocol):
    """Takes and gives back money."""

    name: str

    async def charge(self, request: PaymentRequest) -> Outcome:
        """Charge once for each idempotency key: the same key again gives the same outcome."""

    async def refund(self, reference: str) -> None:
        """Give a charge back whole; a charge that was given back already stays so."""

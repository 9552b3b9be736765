"""The protocol of payment providers: its requests and outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from subgraphs.common.money import Money


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A payment to take; `payment_method` is the provider's id of it, such as `pm_card_visa`."""

    idempotency_key: str
    order_id: str
    amount: Money
    payment_method: str


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The payment succeeded. `reference`, here and below, is the provider's id of the payment."""

    reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The payment was declined; `code` is the provider's, `message` is for the parent."""

    reference: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RequiresAction:
    """The parent has to do something first, such as confirming the payment to the bank.

    The client shows it with the provider's own library, by `client_secret`, or sends the parent to
    `redirect_url` if there is one.
    """

    reference: str
    client_secret: str
    redirect_url: str | None


@dataclass(frozen=True, slots=True)
class Pending:
    """The provider does not know yet, as with bank transfers."""

    reference: str


PaymentOutcome = Succeeded | Declined | RequiresAction | Pending


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """An amount to refund of a payment that succeeded."""

    idempotency_key: str
    payment_reference: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Refunded:
    """The refund succeeded; `reference` is the provider's id of it."""

    reference: str


@dataclass(frozen=True, slots=True)
class RefundFailed:
    """The refund failed; `code` is the provider's."""

    code: str


RefundOutcome = Refunded | RefundFailed


class PaymentProvider(Protocol):
    """Takes payments and refunds them."""

    poll_interval: timedelta
    """How long to wait before a pending payment is checked again."""

    async def pay(self, request: PaymentRequest) -> PaymentOutcome:
        """Take a payment once for each idempotency key; a repeated key makes no second one."""

    async def check(self, reference: str) -> PaymentOutcome:
        """Retrieve the outcome of a payment, after the parent has acted or time has passed."""

    async def cancel(self, reference: str) -> PaymentOutcome:
        """Cancel a payment that requires an action, which declines it; the outcome if it is too late."""

    async def refund(self, request: RefundRequest) -> RefundOutcome:
        """Refund an amount, once for each idempotency key."""

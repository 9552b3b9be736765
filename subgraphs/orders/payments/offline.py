"""The offline payment provider, which takes Stripe's test payment methods and needs no network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common.clock import Clock
from subgraphs.common.database import Database
from subgraphs.common.ids import new_id
from subgraphs.orders.models import OfflinePayment, OfflineRefund
from subgraphs.orders.payments.base import (
    Declined,
    PaymentOutcome,
    PaymentRequest,
    Pending,
    Refunded,
    RefundFailed,
    RefundOutcome,
    RefundRequest,
    RequiresAction,
    Succeeded,
)


@dataclass(frozen=True, slots=True)
class _Method:
    """What payments by a method go through, and how they end."""

    decline_code: str | None = None
    requires_action: bool = False
    redirect_url: str | None = None
    takes_time: bool = False
    refund_failure: str | None = None


_BRANDS: Final = ("visa", "visa_debit", "mastercard", "amex", "discover", "diners", "jcb", "unionpay")
_DECLINE_CODES: Final = {
    "": "generic_decline",
    "InsufficientFunds": "insufficient_funds",
    "LostCard": "lost_card",
    "StolenCard": "stolen_card",
    "ExpiredCard": "expired_card",
    "IncorrectCvc": "incorrect_cvc",
    "ProcessingError": "processing_error",
    "Fraudulent": "fraudulent",
    "VelocityLimitExceeded": "card_velocity_exceeded",
}
_METHODS: Final = {
    **{f"pm_card_{brand}": _Method() for brand in _BRANDS},
    **{f"pm_card_chargeDeclined{why}": _Method(decline_code=code) for why, code in _DECLINE_CODES.items()},
    "pm_card_authenticationRequired": _Method(requires_action=True),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": _Method(
        requires_action=True, decline_code="insufficient_funds"
    ),
    "pm_ideal": _Method(requires_action=True, redirect_url="https://bank.example/authorize"),
    "pm_usBankAccount_success": _Method(takes_time=True),
    "pm_usBankAccount_insufficientFunds": _Method(takes_time=True, decline_code="insufficient_funds"),
    "pm_card_refundFail": _Method(refund_failure="expired_or_canceled_card"),
}
_UNKNOWN_METHOD: Final = _Method(decline_code="resource_missing")
_CANCELLED: Final = "canceled"
# That a card is reported lost or stolen, or looks fraudulent, must not be disclosed to whoever uses it.
_MESSAGES: Final = {
    "insufficient_funds": "The card has insufficient funds.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code is incorrect.",
    "processing_error": "The card could not be charged just now.",
    "card_velocity_exceeded": "The card is over its limit.",
    "resource_missing": "There is no such payment method.",
    _CANCELLED: "The payment was not completed.",
}
_DECLINED: Final = "The card was declined."


class OfflinePayments:
    """A provider whose outcomes depend on the payment method, the parent's action and the time.

    An action counts as done when the payment is next checked. A payment that takes time is pending for
    `processing_time`. Payments are recorded in transactions of their own, as a remote provider would: they
    remain, whatever becomes of the order.
    """

    poll_interval = timedelta(seconds=2)

    def __init__(self, database: Database, clock: Clock, processing_time: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._processing_time = processing_time

    async def pay(self, request: PaymentRequest) -> PaymentOutcome:
        """Record a payment, or find the one with this idempotency key."""
        async with self._database.session() as session, session.begin():
            await session.execute(
                insert(OfflinePayment)
                .values(
                    idempotency_key=request.idempotency_key,
                    reference=new_id("pi"),
                    order_id=request.order_id,
                    method=request.payment_method,
                    amount=request.amount.amount,
                    currency=request.amount.currency,
                    created_at=self._clock(),
                )
                .on_conflict_do_nothing(index_elements=[OfflinePayment.idempotency_key])
            )
            payment = await session.get_one(OfflinePayment, request.idempotency_key)
        return self._find_outcome(payment)

    async def check(self, reference: str) -> PaymentOutcome:
        """Assume that the parent has acted."""
        async with self._database.session() as session, session.begin():
            payment = await _lock_payment(session, reference)
            payment.acted_at = payment.acted_at or self._clock()
        return self._find_outcome(payment)

    async def cancel(self, reference: str) -> PaymentOutcome:
        """Cancel a payment whose action has not been done."""
        async with self._database.session() as session, session.begin():
            payment = await _lock_payment(session, reference)
            if isinstance(self._find_outcome(payment), RequiresAction):
                payment.cancelled_at = self._clock()
        return self._find_outcome(payment)

    async def refund(self, request: RefundRequest) -> RefundOutcome:
        """Record a refund, or find the one with this idempotency key."""
        async with self._database.session() as session, session.begin():
            payment = await _lock_payment(session, request.payment_reference)
            if code := _get_method(payment).refund_failure:
                return RefundFailed(code)
            await session.execute(
                insert(OfflineRefund)
                .values(
                    idempotency_key=request.idempotency_key,
                    reference=new_id("re"),
                    payment_reference=payment.reference,
                    amount=request.amount.amount,
                    created_at=self._clock(),
                )
                .on_conflict_do_nothing(index_elements=[OfflineRefund.idempotency_key])
            )
            refund = await session.get_one(OfflineRefund, request.idempotency_key)
        return Refunded(refund.reference)

    def _find_outcome(self, payment: OfflinePayment) -> PaymentOutcome:
        method = _get_method(payment)
        if payment.cancelled_at is not None:
            return _decline(payment, _CANCELLED)
        if method.requires_action and payment.acted_at is None:
            secret = f"{payment.reference}_secret_offline"
            return RequiresAction(payment.reference, secret, method.redirect_url)
        if method.takes_time and self._clock() < payment.created_at + self._processing_time:
            return Pending(payment.reference)
        return _decline(payment, method.decline_code) if method.decline_code else Succeeded(payment.reference)


async def _lock_payment(session: AsyncSession, reference: str) -> OfflinePayment:
    found = await session.scalars(
        select(OfflinePayment).where(OfflinePayment.reference == reference).with_for_update()
    )
    return found.one()


def _get_method(payment: OfflinePayment) -> _Method:
    return _METHODS.get(payment.method, _UNKNOWN_METHOD)


def _decline(payment: OfflinePayment, code: str) -> Declined:
    return Declined(payment.reference, code, _MESSAGES.get(code, _DECLINED))

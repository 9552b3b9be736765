"""The offline payment provider, which takes Stripe's test payment methods and needs no network."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from subgraphs.common.clock import Clock
from subgraphs.common.database import Database
from subgraphs.common.ids import new_id
from subgraphs.orders.models import OfflineCharge
from subgraphs.orders.payments.base import Declined, Outcome, PaymentRequest, Succeeded

_ACCEPTED: Final = frozenset(
    f"pm_card_{brand}"
    for brand in ("visa", "visa_debit", "mastercard", "amex", "discover", "diners", "jcb", "unionpay")
)
_DECLINE_CODES: Final = {
    "pm_card_chargeDeclined": "generic_decline",
    "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
    "pm_card_chargeDeclinedLostCard": "lost_card",
    "pm_card_chargeDeclinedStolenCard": "stolen_card",
    "pm_card_chargeDeclinedExpiredCard": "expired_card",
    "pm_card_chargeDeclinedIncorrectCvc": "incorrect_cvc",
    "pm_card_chargeDeclinedProcessingError": "processing_error",
    "pm_card_chargeDeclinedFraudulent": "fraudulent",
    "pm_card_chargeDeclinedVelocityLimitExceeded": "card_velocity_exceeded",
}
_UNKNOWN_METHOD: Final = "resource_missing"
# That a card is reported lost or stolen, or looks fraudulent, must not be disclosed to whoever uses it.
_MESSAGES: Final = {
    "insufficient_funds": "The card has insufficient funds.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code is incorrect.",
    "processing_error": "The card could not be charged just now.",
    "card_velocity_exceeded": "The card is over its limit.",
    _UNKNOWN_METHOD: "There is no such payment method.",
}
_DECLINED: Final = "The card was declined."


class OfflinePayments:
    """A provider whose outcome depends on the payment method alone.

    It records charges in transactions of its own, as a remote provider would: a charge remains, whatever
    becomes of the order.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def charge(self, request: PaymentRequest) -> Outcome:
        """Record a charge, or find the one with this idempotency key."""
        async with self._database.session() as session, session.begin():
            await session.execute(
                insert(OfflineCharge)
                .values(
                    idempotency_key=request.idempotency_key,
                    reference=new_id("ch"),
                    order_id=request.order_id,
                    method=request.payment_method,
                    amount=request.amount.amount,
                    currency=request.amount.currency,
                    decline_code=_find_decline_code(request.payment_method),
                    charged_at=self._clock(),
                )
                .on_conflict_do_nothing(index_elements=[OfflineCharge.idempotency_key])
            )
            key = OfflineCharge.idempotency_key == request.idempotency_key
            charge = (await session.scalars(select(OfflineCharge).where(key))).one()
        if charge.decline_code is None:
            return Succeeded(charge.reference)
        message = _MESSAGES.get(charge.decline_code, _DECLINED)
        return Declined(charge.reference, charge.decline_code, message)

    async def refund(self, reference: str) -> None:
        """Record a refund."""
        async with self._database.session() as session, session.begin():
            await session.execute(
                update(OfflineCharge)
                .where(OfflineCharge.reference == reference, OfflineCharge.refunded_at.is_(None))
                .values(refunded_at=self._clock())
            )


def _find_decline_code(method: str) -> str | None:
    if method in _ACCEPTED:
        return None
    return _DECLINE_CODES.get(method, _UNKNOWN_METHOD)

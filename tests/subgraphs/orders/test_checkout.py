"""Checkout: charged exactly once, or not at all."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from subgraphs.common.clock import utc_now
from subgraphs.common.money import Money
from subgraphs.orders import service
from subgraphs.orders.models import OfflineCharge, Order, Quote
from subgraphs.orders.payments.base import Outcome, PaymentRequest
from subgraphs.orders.payments.offline import OfflinePayments
from subgraphs.orders.payments.registry import PROVIDERS
from tests.subgraphs.orders.conftest import checkout, quote
from tests.subgraphs.orders.outbox import read_messages
from tests.support.providers import use_provider
from tests.support.subgraph import SubgraphClient
from tests.support.tokens import sign_token


async def read_charges(orders: SubgraphClient, quote_id: str) -> list[OfflineCharge]:
    async with orders.runtime.database.read() as session:
        rows = await session.scalars(select(OfflineCharge).where(OfflineCharge.idempotency_key == quote_id))
        return list(rows)


async def read_orders(orders: SubgraphClient, quote_id: str) -> list[Order]:
    async with orders.runtime.database.read() as session:
        return list(await session.scalars(select(Order).where(Order.quote_id == quote_id)))


async def test_a_checkout_creates_a_paid_order(orders: SubgraphClient, token: str) -> None:
    quote_id = await quote(orders, token)
    order = (await checkout(orders, token, quote_id)).ok["checkout"]
    assert order["number"].startswith("M-")
    assert order["status"] == "PAID"
    assert order["total"] == {"amount": 2600}
    assert order["payment"] == {"status": "SUCCEEDED", "provider": "offline"}
    assert [transition["status"] for transition in order["history"]] == ["AWAITING_PAYMENT", "PAID"]
    [charge] = await read_charges(orders, quote_id)
    assert (charge.amount, charge.currency, charge.order_id) == (2600, "USD", order["id"])
    assert await read_messages(orders, order["id"]) == ["orders.SettlePayment", "orders.OrderPaid"]


async def test_concurrent_checkouts_of_one_quote_charge_once_and_create_one_order(
    orders: SubgraphClient, token: str
) -> None:
    quote_id = await quote(orders, token)
    answers = await asyncio.gather(*(checkout(orders, token, quote_id) for _ in range(6)))
    again = await checkout(orders, token, quote_id)
    ids = {answer.ok["checkout"]["id"] for answer in [*answers, again]}
    assert len(ids) == 1
    assert len(await read_charges(orders, quote_id)) == 1
    assert (await read_messages(orders, ids.pop())).count("orders.OrderPaid") == 1


async def test_a_checkout_interrupted_before_the_charge_is_finished_by_the_job(
    orders: SubgraphClient, token: str
) -> None:
    order_id, quote_id = await create_unpaid_order(orders, token)
    order = await service.settle_payment(orders.runtime, order_id)
    assert order.status == "PAID"
    assert len(await read_charges(orders, quote_id)) == 1


async def test_a_checkout_interrupted_after_the_charge_does_not_charge_again(
    orders: SubgraphClient, token: str
) -> None:
    order_id, quote_id = await create_unpaid_order(orders, token)
    provider = OfflinePayments(orders.runtime.database, orders.runtime.clock)
    await provider.charge(PaymentRequest(quote_id, order_id, Money(2600, "USD"), "pm_card_visa"))
    order = (await checkout(orders, token, quote_id)).ok["checkout"]
    assert (order["id"], order["status"]) == (order_id, "PAID")
    assert len(await read_charges(orders, quote_id)) == 1


async def create_unpaid_order(orders: SubgraphClient, token: str) -> tuple[str, str]:
    """Create an order whose process ended before it called the payment provider."""

    class Gone(Exception):
        pass

    class UnreachableProvider:
        async def charge(self, request: PaymentRequest) -> Outcome:
            raise Gone

        async def refund(self, reference: str) -> None:
            raise Gone

    quote_id = await quote(orders, token)
    verifier = orders.verifier
    with use_provider(PROVIDERS, UnreachableProvider()), pytest.raises(Gone):
        await service.checkout(orders.runtime, await verifier.verify(token), quote_id, "pm_card_visa")
    [order] = await read_orders(orders, quote_id)
    assert order.status == "AWAITING_PAYMENT"
    return order.id, quote_id


@pytest.mark.parametrize(
    ("method", "code", "message"),
    [
        ("pm_card_chargeDeclined", "generic_decline", "The card was declined."),
        (
            "pm_card_chargeDeclinedInsufficientFunds",
            "insufficient_funds",
            "The card has insufficient funds.",
        ),
        ("pm_card_chargeDeclinedStolenCard", "stolen_card", "The card was declined."),
        ("pm_nobody", "resource_missing", "There is no such payment method."),
    ],
)
async def test_a_declined_payment_has_a_reason_and_prints_nothing(
    orders: SubgraphClient, token: str, method: str, code: str, message: str
) -> None:
    quote_id = await quote(orders, token)
    declined = {"__typename": "PaymentDeclined", "message": message, "declineCode": code}
    assert (await checkout(orders, token, quote_id, method)).ok["checkout"] == declined
    assert (await checkout(orders, token, quote_id)).ok["checkout"] == declined
    [order] = await read_orders(orders, quote_id)
    assert order.status == "PAYMENT_FAILED"
    assert "orders.OrderPaid" not in await read_messages(orders, order.id)


async def test_an_expired_quote_cannot_be_checked_out(orders: SubgraphClient, token: str) -> None:
    quote_id = await quote(orders, token)
    async with orders.runtime.unit_of_work() as uow:
        await uow.session.execute(
            update(Quote).where(Quote.id == quote_id).values(expires_at=utc_now() - timedelta(seconds=1))
        )
    assert (await checkout(orders, token, quote_id)).ok["checkout"] == {
        "__typename": "QuoteExpired",
        "message": "This price no longer holds; ask for a new quote.",
    }
    assert await read_orders(orders, quote_id) == []
    assert await read_charges(orders, quote_id) == []


async def test_someone_elses_quote_cannot_be_checked_out(orders: SubgraphClient, token: str) -> None:
    quote_id = await quote(orders, token)
    assert (await checkout(orders, sign_token("usr_other"), quote_id)).code == "NOT_FOUND"
    assert await read_orders(orders, quote_id) == []


@pytest.mark.parametrize("method", ["", "visa", "x" * 5000, "pm_\x00", "pm_" + "x" * 98])
async def test_an_invalid_payment_method_creates_no_order(
    orders: SubgraphClient, token: str, method: str
) -> None:
    quote_id = await quote(orders, token)
    answer = await checkout(orders, token, quote_id, method)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "paymentMethod")
    assert await read_orders(orders, quote_id) == []


async def test_an_expired_or_forged_access_token_creates_no_order(
    orders: SubgraphClient, token: str, user_id: str
) -> None:
    quote_id = await quote(orders, token)
    bad: list[Any] = [sign_token(user_id, lifetime=-5), token[:-4] + "AAAA", "nonsense", None]
    for wrong in bad:
        assert (await checkout(orders, wrong, quote_id)).code == "UNAUTHENTICATED"
    assert await read_orders(orders, quote_id) == []

"""Checkout: charged exactly once, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from subgraphs.orders import service
from subgraphs.orders.models import Order
from subgraphs.orders.payments.registry import PROVIDERS
from tests.subgraphs.orders.conftest import checkout, end_quote, quote
from tests.subgraphs.orders.outbox import read_messages
from tests.support.payments import InterruptedPayments, ProcessEnded, read_payments
from tests.support.providers import use_provider
from tests.support.subgraph import SubgraphClient
from tests.support.tokens import sign_token


async def read_orders(orders: SubgraphClient, quote_id: str) -> list[Order]:
    async with orders.runtime.database.read() as session:
        return list(await session.scalars(select(Order).where(Order.quote_id == quote_id)))


async def test_a_checkout_creates_a_paid_order(orders: SubgraphClient, token: str) -> None:
    quote_id = await quote(orders, token)
    order = (await checkout(orders, token, quote_id)).ok["checkout"]
    assert order["number"].startswith("M-")
    assert order["status"] == "PAID"
    assert order["total"] == {"amount": 2600}
    assert order["paymentAttempts"] == [{"status": "SUCCEEDED", "provider": "offline"}]
    assert [transition["status"] for transition in order["history"]] == ["AWAITING_PAYMENT", "PAID"]
    [payment] = await read_payments(orders.runtime, order["id"])
    assert (payment.amount, payment.currency, payment.method) == (2600, "USD", "pm_card_visa")
    assert await read_messages(orders, order["id"]) == ["orders.ExpireOrder", "orders.OrderPaid"]


async def test_concurrent_checkouts_of_one_quote_charge_once_and_create_one_order(
    orders: SubgraphClient, token: str
) -> None:
    quote_id = await quote(orders, token)
    answers = await asyncio.gather(*(checkout(orders, token, quote_id) for _ in range(6)))
    again = await checkout(orders, token, quote_id)
    [order_id] = {answer.ok["checkout"]["id"] for answer in [*answers, again]}
    assert len(await read_payments(orders.runtime, order_id)) == 1
    assert (await read_messages(orders, order_id)).count("orders.OrderPaid") == 1


@pytest.mark.parametrize("has_acted", [False, True])
async def test_a_checkout_that_was_interrupted_at_the_provider_is_finished_by_a_repeated_one(
    orders: SubgraphClient, token: str, has_acted: bool
) -> None:
    quote_id = await quote(orders, token)
    parent = await orders.verifier.verify(token)
    provider = InterruptedPayments(orders.runtime, has_acted=has_acted)
    with use_provider(PROVIDERS, provider), pytest.raises(ProcessEnded):
        await service.checkout(orders.runtime, parent, quote_id, "pm_card_visa", "first")
    [interrupted] = await read_orders(orders, quote_id)
    assert interrupted.status == "AWAITING_PAYMENT"
    order = (await checkout(orders, token, quote_id)).ok["checkout"]
    assert (order["id"], order["status"]) == (interrupted.id, "PAID")
    assert len(await read_payments(orders.runtime, order["id"])) == 1


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
    outcomes = [(await checkout(orders, token, quote_id, method)).ok["checkout"] for _ in range(2)]
    [order] = await read_orders(orders, quote_id)
    declined = {
        "__typename": "PaymentDeclined",
        "message": message,
        "declineCode": code,
        "order": {"id": order.id, "status": "AWAITING_PAYMENT"},
    }
    assert outcomes == [declined, declined]
    assert len(await read_payments(orders.runtime, order.id)) == 1
    assert "orders.OrderPaid" not in await read_messages(orders, order.id)


async def test_an_expired_quote_cannot_be_checked_out(orders: SubgraphClient, token: str) -> None:
    quote_id = await quote(orders, token)
    await end_quote(orders, quote_id)
    assert (await checkout(orders, token, quote_id)).ok["checkout"] == {
        "__typename": "QuoteExpired",
        "message": "The quote has expired; ask for a new one.",
    }
    assert await read_orders(orders, quote_id) == []


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


@pytest.mark.parametrize("key", ["", "   ", "x" * 65])
async def test_an_invalid_attempt_key_creates_no_order(orders: SubgraphClient, token: str, key: str) -> None:
    quote_id = await quote(orders, token)
    answer = await checkout(orders, token, quote_id, key=key)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "attemptKey")
    assert await read_orders(orders, quote_id) == []


async def test_an_expired_or_forged_access_token_creates_no_order(
    orders: SubgraphClient, token: str, user_id: str
) -> None:
    quote_id = await quote(orders, token)
    bad: list[Any] = [sign_token(user_id, lifetime=-5), token[:-4] + "AAAA", "nonsense", None]
    for wrong in bad:
        assert (await checkout(orders, wrong, quote_id)).code == "UNAUTHENTICATED"
    assert await read_orders(orders, quote_id) == []

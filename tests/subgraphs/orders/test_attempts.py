"""Payment attempts: each outcome, what follows from it, and never more than one that takes money."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from subgraphs.orders import service
from subgraphs.orders.models import PaymentAttempt
from subgraphs.orders.payments.registry import PROVIDERS
from subgraphs.orders.states import AttemptStatus
from tests.subgraphs.orders.conftest import checkout, complete_payment, end_quote, quote
from tests.subgraphs.orders.outbox import read_messages
from tests.support.payments import create_quick_payments, list_attempts, read_payments
from tests.support.providers import use_provider
from tests.support.subgraph import SubgraphClient
from tests.support.tokens import sign_token

DECLINED = "pm_card_chargeDeclined"
AUTHENTICATED = "pm_card_authenticationRequired"
SLOW = "pm_usBankAccount_success"
WATCH = """
subscription ($id: ID!) {
  order(id: $id) { status order { status paymentAttempts { status } history { status reason } } }
}
"""


async def list_states(orders: SubgraphClient, order_id: str) -> list[tuple[str, str | None]]:
    """The status and the decline code of each attempt."""
    return [
        (attempt.status.value, attempt.decline_code)
        for attempt in await list_attempts(orders.runtime, order_id)
    ]


async def settle(orders: SubgraphClient, attempt_id: str, order_id: str) -> None:
    """Run the newest job that settles an attempt, when its provider knows."""
    [check] = [
        attempt.checks
        for attempt in await list_attempts(orders.runtime, order_id)
        if attempt.id == attempt_id
    ]
    with use_provider(PROVIDERS, create_quick_payments(orders.runtime)):
        await service.settle_payment(orders.runtime, attempt_id, check)


async def test_a_declined_attempt_leaves_the_order_payable_by_another_method(
    orders: SubgraphClient, token: str
) -> None:
    quote_id = await quote(orders, token)
    declined = (await checkout(orders, token, quote_id, DECLINED, "first")).ok["checkout"]
    paid = (await checkout(orders, token, quote_id, "pm_card_visa", "second")).ok["checkout"]
    assert (paid["id"], paid["status"]) == (declined["order"]["id"], "PAID")
    assert [attempt["status"] for attempt in paid["paymentAttempts"]] == ["DECLINED", "SUCCEEDED"]
    assert [each["status"] for each in paid["history"]] == ["AWAITING_PAYMENT", "AWAITING_PAYMENT", "PAID"]
    assert (await read_messages(orders, paid["id"])).count("orders.OrderPaid") == 1


async def test_the_key_of_a_declined_attempt_gives_that_attempt_again_and_a_new_key_tries_again(
    orders: SubgraphClient, token: str
) -> None:
    quote_id = await quote(orders, token)
    first, again, other = [
        (await checkout(orders, token, quote_id, DECLINED, key)).ok["checkout"]
        for key in ("first", "first", "second")
    ]
    assert first == again == other
    assert len(await read_payments(orders.runtime, first["order"]["id"])) == 2


async def test_a_key_belongs_to_one_payment_method(orders: SubgraphClient, token: str) -> None:
    quote_id = await quote(orders, token)
    await checkout(orders, token, quote_id, DECLINED)
    answer = await checkout(orders, token, quote_id, "pm_card_visa")
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "attemptKey")


async def test_an_order_cannot_be_paid_by_another_attempt_when_its_quote_has_expired(
    orders: SubgraphClient, token: str
) -> None:
    quote_id = await quote(orders, token)
    declined = (await checkout(orders, token, quote_id, DECLINED)).ok["checkout"]
    await end_quote(orders, quote_id)
    expired = (await checkout(orders, token, quote_id, key="second")).ok["checkout"]
    assert expired["__typename"] == "QuoteExpired"
    assert len(await read_payments(orders.runtime, declined["order"]["id"])) == 1


async def test_whoever_pays_a_paid_order_by_another_key_gets_that_order(
    orders: SubgraphClient, token: str
) -> None:
    quote_id = await quote(orders, token)
    paid = (await checkout(orders, token, quote_id)).ok["checkout"]
    assert (await checkout(orders, token, quote_id, "pm_card_amex", "second")).ok["checkout"] == paid
    assert len(await read_payments(orders.runtime, paid["id"])) == 1


@pytest.mark.parametrize(
    ("method", "redirect_url"), [(AUTHENTICATED, None), ("pm_ideal", "https://bank.example/authorize")]
)
async def test_a_payment_that_requires_an_action_is_completed_after_it(
    orders: SubgraphClient, token: str, method: str, redirect_url: str | None
) -> None:
    quote_id = await quote(orders, token)
    required, again = [(await checkout(orders, token, quote_id, method)).ok["checkout"] for _ in range(2)]
    assert required == again
    assert (required["__typename"], required["attempt"]["status"]) == (
        "PaymentActionRequired",
        "REQUIRES_ACTION",
    )
    assert required["order"]["status"] == "AWAITING_PAYMENT"
    [payment] = await read_payments(orders.runtime, required["order"]["id"])
    assert required["action"] == {
        "clientSecret": f"{payment.reference}_secret_offline",
        "redirectUrl": redirect_url,
    }
    for _ in range(2):
        paid = (await complete_payment(orders, token, required["attempt"]["id"])).ok["completePayment"]
        assert (paid["__typename"], paid["status"]) == ("Order", "PAID")
    [attempt] = await list_attempts(orders.runtime, paid["id"])
    assert (attempt.action, attempt.settled_at is not None) == (None, True)
    assert (await read_messages(orders, paid["id"])).count("orders.OrderPaid") == 1


async def test_a_payment_may_be_declined_after_its_action(orders: SubgraphClient, token: str) -> None:
    quote_id = await quote(orders, token)
    method = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
    required = (await checkout(orders, token, quote_id, method)).ok["checkout"]
    declined = (await complete_payment(orders, token, required["attempt"]["id"])).ok["completePayment"]
    assert (declined["__typename"], declined["declineCode"]) == ("PaymentDeclined", "insufficient_funds")
    assert declined["order"]["status"] == "AWAITING_PAYMENT"


async def test_another_method_cancels_the_attempt_that_waits_for_the_parent(
    orders: SubgraphClient, token: str
) -> None:
    quote_id = await quote(orders, token)
    required = (await checkout(orders, token, quote_id, AUTHENTICATED, "first")).ok["checkout"]
    paid = (await checkout(orders, token, quote_id, "pm_card_visa", "second")).ok["checkout"]
    assert (paid["id"], paid["status"]) == (required["order"]["id"], "PAID")
    assert await list_states(orders, paid["id"]) == [("DECLINED", "canceled"), ("SUCCEEDED", None)]
    late = (await complete_payment(orders, token, required["attempt"]["id"])).ok["completePayment"]
    assert (late["__typename"], late["declineCode"]) == ("PaymentDeclined", "canceled")
    cancelled, _ = await read_payments(orders.runtime, paid["id"])
    assert (cancelled.acted_at, cancelled.cancelled_at is not None) == (None, True)


async def test_a_pending_payment_keeps_other_attempts_away_until_a_job_has_settled_it(
    orders: SubgraphClient, token: str
) -> None:
    quote_id = await quote(orders, token)
    pending = (await checkout(orders, token, quote_id, SLOW, "first")).ok["checkout"]
    assert (pending["__typename"], pending["attempt"]["status"]) == ("PaymentPending", "PENDING")
    assert (await checkout(orders, token, quote_id, "pm_card_visa", "second")).ok["checkout"] == pending
    order_id = pending["order"]["id"]
    assert len(await read_payments(orders.runtime, order_id)) == 1
    await settle(orders, pending["attempt"]["id"], order_id)
    paid = (await checkout(orders, token, quote_id, SLOW, "first")).ok["checkout"]
    assert (paid["id"], paid["status"]) == (order_id, "PAID")


async def test_a_pending_payment_can_be_asked_about(orders: SubgraphClient, token: str) -> None:
    pending = (await checkout(orders, token, await quote(orders, token), SLOW)).ok["checkout"]
    attempt_id = pending["attempt"]["id"]
    assert (await complete_payment(orders, token, attempt_id)).ok["completePayment"] == pending
    with use_provider(PROVIDERS, create_quick_payments(orders.runtime)):
        paid = (await complete_payment(orders, token, attempt_id)).ok["completePayment"]
    assert (paid["__typename"], paid["status"]) == ("Order", "PAID")


async def test_only_the_newest_job_settles_an_attempt(orders: SubgraphClient, token: str) -> None:
    pending = (await checkout(orders, token, await quote(orders, token), SLOW)).ok["checkout"]
    order_id, attempt_id = pending["order"]["id"], pending["attempt"]["id"]
    [attempt] = await list_attempts(orders.runtime, order_id)
    await service.settle_payment(orders.runtime, attempt_id, attempt.checks)
    with use_provider(PROVIDERS, create_quick_payments(orders.runtime)):
        await service.settle_payment(orders.runtime, attempt_id, attempt.checks)
    assert await list_states(orders, order_id) == [("PENDING", None)]
    assert await read_messages(orders, attempt_id) == ["orders.SettlePayment"] * 3
    await settle(orders, attempt_id, order_id)
    assert await list_states(orders, order_id) == [("SUCCEEDED", None)]


async def test_whoever_follows_the_order_sees_a_pending_payment_declined_and_another_succeed(
    orders: SubgraphClient, token: str
) -> None:
    quote_id = await quote(orders, token)
    pending = await checkout(orders, token, quote_id, "pm_usBankAccount_insufficientFunds", "first")
    order_id, attempt_id = (pending.ok["checkout"][name]["id"] for name in ("order", "attempt"))
    seen: list[Any] = []
    watching = aclosing(orders.subscribe(WATCH, {"id": order_id}, token))
    async with asyncio.timeout(60), watching as answers:
        async for answer in answers:
            event = answer.ok["order"]
            states = [attempt["status"] for attempt in event["order"]["paymentAttempts"]]
            seen.append((event["status"], states))
            if len(seen) == 2:
                await settle(orders, attempt_id, order_id)
            elif len(seen) == 3:
                reason = event["order"]["history"][-1]["reason"]
                await checkout(orders, token, quote_id, "pm_card_visa", "second")
            elif len(seen) == 4:
                break
    assert seen == [
        ("AWAITING_PAYMENT", ["PENDING"]),
        ("AWAITING_PAYMENT", ["PENDING"]),
        ("AWAITING_PAYMENT", ["DECLINED"]),
        ("PAID", ["DECLINED", "SUCCEEDED"]),
    ]
    assert reason == "The card has insufficient funds."


async def test_nobody_completes_someone_elses_payment(orders: SubgraphClient, token: str) -> None:
    required = (await checkout(orders, token, await quote(orders, token), AUTHENTICATED)).ok["checkout"]
    attempt_id = required["attempt"]["id"]
    assert (await complete_payment(orders, sign_token("usr_other"), attempt_id)).code == "NOT_FOUND"
    staff = sign_token("usr_staff", ["staff"])
    assert (await complete_payment(orders, staff, attempt_id)).code == "FORBIDDEN"
    assert await list_states(orders, required["order"]["id"]) == [("REQUIRES_ACTION", None)]


async def test_concurrent_checkouts_by_different_keys_and_methods_take_the_money_once(
    orders: SubgraphClient, token: str
) -> None:
    quote_id = await quote(orders, token)
    methods = ["pm_card_visa", DECLINED, AUTHENTICATED, "pm_card_amex", DECLINED, "pm_card_visa"]
    answers = await asyncio.gather(
        *(checkout(orders, token, quote_id, method, str(number)) for number, method in enumerate(methods))
    )
    assert {answer.ok["checkout"]["__typename"] for answer in answers} <= {
        "Order",
        "PaymentDeclined",
        "PaymentActionRequired",
    }
    paid = (await checkout(orders, token, quote_id, "pm_card_visa", "last")).ok["checkout"]
    assert paid["status"] == "PAID"
    states = [status for status, _ in await list_states(orders, paid["id"])]
    assert states.count("SUCCEEDED") == 1
    assert set(states) <= {"SUCCEEDED", "DECLINED"}
    assert (await read_messages(orders, paid["id"])).count("orders.OrderPaid") == 1


@pytest.mark.parametrize("method", ["pm_card_visa", AUTHENTICATED, SLOW])
async def test_the_database_refuses_a_second_attempt_that_is_open_or_has_succeeded(
    orders: SubgraphClient, token: str, method: str
) -> None:
    answer = (await checkout(orders, token, await quote(orders, token), method)).ok["checkout"]
    order_id = answer["id"] if answer["__typename"] == "Order" else answer["order"]["id"]
    with pytest.raises(IntegrityError, match="uq_payment_attempts_not_declined"):
        async with orders.runtime.unit_of_work() as uow:
            uow.session.add(
                PaymentAttempt(
                    id="pat_second",
                    order_id=order_id,
                    number=2,
                    idempotency_key="second",
                    provider="offline",
                    method=method,
                    amount=2600,
                    currency="USD",
                    status=AttemptStatus.CREATED,
                    checks=0,
                    created_at=uow.now,
                )
            )


@pytest.mark.parametrize(
    ("method", "states"),
    [(DECLINED, [("DECLINED", "generic_decline")]), (AUTHENTICATED, [("DECLINED", "canceled")])],
)
async def test_an_order_expires_with_its_quote_and_an_attempt_that_waits_for_the_parent_is_given_up(
    orders: SubgraphClient, token: str, method: str, states: list[tuple[str, str]]
) -> None:
    quote_id = await quote(orders, token)
    order_id = (await checkout(orders, token, quote_id, method)).ok["checkout"]["order"]["id"]
    for _ in range(2):
        await service.expire_order(orders.runtime, order_id)
    query = f'{{ order(id: "{order_id}") {{ status history {{ status }} }} }}'
    order = (await orders.execute(query, token=token)).ok["order"]
    assert order["status"] == "EXPIRED"
    assert [each["status"] for each in order["history"]].count("EXPIRED") == 1
    assert await list_states(orders, order_id) == states
    late = (await checkout(orders, token, quote_id, "pm_card_visa", "second")).ok["checkout"]
    assert late["__typename"] == "QuoteExpired"


async def test_a_paid_order_does_not_expire(orders: SubgraphClient, token: str) -> None:
    order_id = (await checkout(orders, token, await quote(orders, token))).ok["checkout"]["id"]
    await service.expire_order(orders.runtime, order_id)
    order = (await orders.execute(f'{{ order(id: "{order_id}") {{ status }} }}', token=token)).ok["order"]
    assert order == {"status": "PAID"}


@pytest.mark.parametrize(
    ("slow", "status"), [(SLOW, "PAID"), ("pm_usBankAccount_insufficientFunds", "EXPIRED")]
)
async def test_a_payment_that_is_pending_when_the_quote_expires_decides_about_the_order(
    orders: SubgraphClient, token: str, slow: str, status: str
) -> None:
    pending = (await checkout(orders, token, await quote(orders, token), slow)).ok["checkout"]
    order_id = pending["order"]["id"]
    await service.expire_order(orders.runtime, order_id)
    assert (await read_messages(orders, order_id)).count("orders.ExpireOrder") == 2
    await settle(orders, pending["attempt"]["id"], order_id)
    await service.expire_order(orders.runtime, order_id)
    order = (await orders.execute(f'{{ order(id: "{order_id}") {{ status }} }}', token=token)).ok["order"]
    assert order == {"status": status}


async def test_an_order_is_looked_at_when_its_quote_expires(orders: SubgraphClient, token: str) -> None:
    quote_id = await quote(orders, token)
    order_id = (await checkout(orders, token, quote_id, DECLINED)).ok["checkout"]["order"]["id"]
    outbox = orders.runtime.metadata.tables["orders.outbox"]
    async with orders.runtime.database.read() as session:
        rows = await session.execute(
            outbox.select().where(
                outbox.c.name == "orders.ExpireOrder", outbox.c.payload["order_id"].astext == order_id
            )
        )
    [row] = rows
    assert abs(row.not_before - row.created_at - timedelta(hours=24)) < timedelta(minutes=1)

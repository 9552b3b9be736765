"""Payments in any sequence of requests, jobs and crashes: money is taken once, and the order says so."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subgraphs.common.identity import Identity
from subgraphs.common.runtime import Runtime
from subgraphs.orders import repository, service
from subgraphs.orders.errors import QuoteExpired
from subgraphs.orders.models import Order
from subgraphs.orders.payments.base import Succeeded
from subgraphs.orders.payments.registry import PROVIDERS
from subgraphs.orders.states import ATTEMPT_STATES, AttemptStatus, OrderStatus
from tests.support.payments import (
    TOTAL,
    InterruptedPayments,
    ProcessEnded,
    create_parent,
    create_quick_payments,
    create_quote,
    list_attempts,
    read_payments,
)
from tests.support.providers import use_provider

METHODS = (
    "pm_card_visa",
    "pm_card_chargeDeclined",
    "pm_card_authenticationRequired",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
    "pm_usBankAccount_success",
    "pm_usBankAccount_insufficientFunds",
)
# Each attempt key goes with one method, as it does in a client.
CHECKOUTS = st.sampled_from(METHODS).map(lambda method: ("checkout", method))
OTHERS = st.sampled_from(["complete", "settle", "expire"]).map(lambda step: (step, ""))
STEPS = st.tuples(
    st.one_of(CHECKOUTS, CHECKOUTS, OTHERS), st.sampled_from(["on time", "later", "cut off", "lost"])
)


@given(st.lists(STEPS, min_size=1, max_size=10))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_money_is_taken_at_most_once_and_the_order_is_paid_exactly_when_it_is(
    runtime: Runtime, steps: list[tuple[tuple[str, str], str]]
) -> None:
    parent = create_parent()
    quote_id = await create_quote(runtime, parent)
    for (step, method), condition in steps:
        with use_condition(runtime, condition):
            await take_step(runtime, parent, quote_id, step, method)
        await check_money(runtime, quote_id)
    await settle_all(runtime, quote_id)


def use_condition(runtime: Runtime, condition: str) -> AbstractContextManager[None]:
    """Let time pass for the provider, or the process end when it calls the provider, or when that answers."""
    match condition:
        case "later":
            return use_provider(PROVIDERS, create_quick_payments(runtime))
        case "cut off":
            return use_provider(PROVIDERS, InterruptedPayments(runtime, has_acted=False))
        case "lost":
            return use_provider(PROVIDERS, InterruptedPayments(runtime, has_acted=True))
        case _:
            return nullcontext()


async def take_step(runtime: Runtime, parent: Identity, quote_id: str, step: str, method: str) -> None:
    order = await find_order(runtime, quote_id)
    attempts = await list_attempts(runtime, order.id) if order else []
    try:
        if step == "checkout":
            await service.checkout(runtime, parent, quote_id, method, method[3:])
        elif order and step == "expire":
            await service.expire_order(runtime, order.id)
        elif attempts and step == "complete":
            await service.complete_payment(runtime, parent, attempts[-1].id)
        elif attempts and step == "settle":
            await service.settle_payment(runtime, attempts[-1].id, attempts[-1].checks)
    except (ProcessEnded, QuoteExpired):
        pass


async def check_money(runtime: Runtime, quote_id: str) -> None:
    order = await find_order(runtime, quote_id)
    if order is None:
        return
    attempts = await list_attempts(runtime, order.id)
    statuses = [attempt.status for attempt in attempts]
    assert [attempt.number for attempt in attempts] == [*range(1, len(attempts) + 1)]
    assert sum(status is not AttemptStatus.DECLINED for status in statuses) <= 1
    assert (order.status is OrderStatus.PAID) == (AttemptStatus.SUCCEEDED in statuses)
    if order.status is OrderStatus.EXPIRED:
        assert not ATTEMPT_STATES.active & set(statuses)


async def settle_all(runtime: Runtime, quote_id: str) -> None:
    """When every job has run, the provider has taken what the order says."""
    order = await find_order(runtime, quote_id)
    if order is None:
        return
    provider = create_quick_payments(runtime)
    with use_provider(PROVIDERS, provider):
        for attempt in await list_attempts(runtime, order.id):
            await service.settle_payment(runtime, attempt.id, attempt.checks)
        await service.expire_order(runtime, order.id)
    await check_money(runtime, quote_id)
    order = await find_order(runtime, quote_id)
    assert order is not None
    assert order.status in {OrderStatus.PAID, OrderStatus.EXPIRED}
    taken = [
        payment.amount
        for payment in await read_payments(runtime, order.id)
        if isinstance(await provider.cancel(payment.reference), Succeeded)
    ]
    assert taken == ([TOTAL] if order.status is OrderStatus.PAID else [])


async def find_order(runtime: Runtime, quote_id: str) -> Order | None:
    async with runtime.database.read() as session:
        return await repository.find_order_of_quote(session, quote_id)

"""Refunds: never more than was paid, each given back once, by the provider that took the payment."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subgraphs.common.runtime import Runtime
from subgraphs.orders import repository, service
from subgraphs.orders.errors import RefundExceedsPayment
from subgraphs.orders.models import Order, Refund, RefundReason
from subgraphs.orders.payments.registry import PROVIDERS
from subgraphs.orders.service.refunds import request_refund
from tests.support.payments import (
    TOTAL,
    InterruptedPayments,
    ProcessEnded,
    create_parent,
    create_quote,
    list_refunds,
    read_refunds,
)
from tests.support.providers import use_provider


async def create_paid_order(runtime: Runtime, method: str = "pm_card_visa") -> Order:
    parent = create_parent()
    quote_id = await create_quote(runtime, parent)
    order = (await service.checkout(runtime, parent, quote_id, method, "first")).order
    assert (order.status, order.total) == ("PAID", TOTAL)
    return order


async def request(runtime: Runtime, order_id: str, amount: int, key: str) -> Refund:
    async with runtime.unit_of_work() as uow:
        order = await repository.lock_any_order(uow.session, order_id)
        return await request_refund(uow, order, amount, RefundReason.ORDER_CANCELLED, idempotency_key=key)


def add_up(refunds: list[Any]) -> int:
    return sum(refund.amount for refund in refunds)


REQUESTS = st.tuples(st.integers(1, 2 * TOTAL), st.sampled_from("abcd"))


@given(st.lists(REQUESTS, max_size=8), st.sampled_from(["pm_card_visa", "pm_card_refundFail"]))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_sequence_of_requests_gives_back_more_than_was_paid(
    runtime: Runtime, requests: list[tuple[int, str]], method: str
) -> None:
    order = await create_paid_order(runtime, method)
    accepted: dict[str, str] = {}
    for amount, key in requests:
        held = add_up([each for each in await list_refunds(runtime, order.id) if each.status != "FAILED"])
        try:
            refund = await request(runtime, order.id, amount, key)
        except RefundExceedsPayment:
            assert key not in accepted
            assert held + amount > TOTAL
            continue
        assert accepted.setdefault(key, refund.id) == refund.id
        await service.refund_payment(runtime, refund.id)
    refunds = await list_refunds(runtime, order.id)
    assert {refund.idempotency_key: refund.id for refund in refunds} == accepted
    given_back = await read_refunds(runtime, order.id)
    assert add_up(given_back) == add_up([each for each in refunds if each.status == "SUCCEEDED"]) <= TOTAL
    assert {each.status for each in refunds} <= {"FAILED" if method == "pm_card_refundFail" else "SUCCEEDED"}


async def test_a_refund_that_has_not_been_sent_counts(runtime: Runtime) -> None:
    order = await create_paid_order(runtime)
    await request(runtime, order.id, TOTAL - 1, "a")
    with pytest.raises(RefundExceedsPayment):
        await request(runtime, order.id, 2, "b")
    await request(runtime, order.id, 1, "c")
    assert [refund.amount for refund in await list_refunds(runtime, order.id)] == [TOTAL - 1, 1]


@pytest.mark.parametrize("has_acted", [False, True])
async def test_a_refund_that_was_interrupted_at_the_provider_is_given_back_once(
    runtime: Runtime, has_acted: bool
) -> None:
    order = await create_paid_order(runtime)
    refund = await request(runtime, order.id, 700, "a")
    provider = InterruptedPayments(runtime, has_acted=has_acted)
    with use_provider(PROVIDERS, provider), pytest.raises(ProcessEnded):
        await service.refund_payment(runtime, refund.id)
    assert [each.status for each in await list_refunds(runtime, order.id)] == ["REQUESTED"]
    for _ in range(2):
        await service.refund_payment(runtime, refund.id)
    [given_back] = await read_refunds(runtime, order.id)
    [refund] = await list_refunds(runtime, order.id)
    assert (given_back.amount, refund.reference) == (700, given_back.reference)
    assert (refund.status, refund.settled_at is not None) == ("SUCCEEDED", True)


async def test_a_failed_refund_has_a_code_and_frees_its_amount(runtime: Runtime) -> None:
    order = await create_paid_order(runtime, "pm_card_refundFail")
    refund = await request(runtime, order.id, TOTAL, "a")
    await service.refund_payment(runtime, refund.id)
    [failed] = await list_refunds(runtime, order.id)
    assert (failed.status, failed.failure_code) == ("FAILED", "expired_or_canceled_card")
    assert await read_refunds(runtime, order.id) == []
    assert (await request(runtime, order.id, TOTAL, "b")).status == "REQUESTED"

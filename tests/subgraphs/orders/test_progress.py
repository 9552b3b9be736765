"""The progress of an order: its print job, its cancellation and its subscribers."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from subgraphs.orders import service
from subgraphs.print.events import PrintJobStatusChanged
from tests.subgraphs.orders.conftest import create_paid_order
from tests.subgraphs.orders.outbox import read_messages
from tests.support.payments import list_refunds
from tests.support.subgraph import SubgraphClient
from tests.support.tokens import sign_token

WATCH = """
subscription ($id: ID!, $after: Int! = 0) {
  order(id: $id, after: $after) { sequence status order { id status lastSequence history { sequence } } }
}
"""
CANCEL = """
mutation ($id: ID!) {
  cancelOrder(id: $id) {
    __typename
    ... on Order { status }
    ... on OrderNotCancellable { status }
  }
}
"""
ORDER = """
query ($id: ID!) {
  order(id: $id) {
    status paymentAttempts { status refunds { status reason amount { amount } } } history { status reason }
  }
}
"""


async def report(orders: SubgraphClient, order_id: str, *statuses: str, message: str = "") -> None:
    for status in statuses:
        event = PrintJobStatusChanged("prj_1", order_id, status, message)
        async with orders.runtime.unit_of_work() as uow:
            await service.follow_print_job(orders.runtime, uow, event)


async def watch(
    orders: SubgraphClient, order_id: str, token: str, *, after: int = 0, until: int | None = None
) -> list[tuple[int, str]]:
    """Collect the events after a sequence number, to the end of the stream or up to `until`."""
    seen: list[tuple[int, str]] = []
    async with aclosing(orders.subscribe(WATCH, {"id": order_id, "after": after}, token)) as answers:
        async for answer in answers:
            event = answer.ok["order"]
            seen.append((event["sequence"], event["status"]))
            if event["sequence"] == until:
                break
    return seen


async def show(orders: SubgraphClient, order_id: str, token: str) -> dict[str, Any]:
    order: dict[str, Any] = (await orders.execute(ORDER, {"id": order_id}, token)).ok["order"]
    return order


async def test_an_order_follows_its_print_job_until_it_is_shipped(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    await report(orders, order_id, "CREATED", "PREFLIGHT", "SUBMITTED", "IN_PRODUCTION", "SHIPPED", "SHIPPED")
    order = await show(orders, order_id, token)
    assert [transition["status"] for transition in order["history"]] == [
        "AWAITING_PAYMENT",
        "PAID",
        "PREPARING",
        "IN_PRODUCTION",
        "SHIPPED",
    ]


async def test_a_report_that_overtakes_others_leaves_no_gap(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    await report(orders, order_id, "SHIPPED", "IN_PRODUCTION", "PREFLIGHT")
    history = (await show(orders, order_id, token))["history"]
    assert [transition["status"] for transition in history] == [
        "AWAITING_PAYMENT",
        "PAID",
        "PREPARING",
        "IN_PRODUCTION",
        "SHIPPED",
    ]


async def test_a_rejected_print_job_ends_the_order_with_its_reason(
    orders: SubgraphClient, token: str
) -> None:
    order_id = await create_paid_order(orders, token)
    await report(orders, order_id, "REJECTED", message="The cover is too small.")
    order = await show(orders, order_id, token)
    assert order["history"][-1] == {"status": "PRINT_REJECTED", "reason": "The cover is too small."}


async def test_a_subscriber_receives_past_and_new_events(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    watching = asyncio.create_task(watch(orders, order_id, token))
    await report(orders, order_id, "PREFLIGHT", "REJECTED")
    assert await watching == [
        (1, "AWAITING_PAYMENT"),
        (2, "PAID"),
        (3, "PREPARING"),
        (4, "PRINT_REJECTED"),
    ]


async def test_a_subscriber_that_returns_with_a_cursor_misses_no_event(
    orders: SubgraphClient, token: str
) -> None:
    order_id = await create_paid_order(orders, token)
    assert await watch(orders, order_id, token, until=2) == [(1, "AWAITING_PAYMENT"), (2, "PAID")]
    await report(orders, order_id, "PREFLIGHT", "IN_PRODUCTION", "ERROR")
    assert await watch(orders, order_id, token, after=2) == [
        (3, "PREPARING"),
        (4, "IN_PRODUCTION"),
        (5, "PRINT_REJECTED"),
    ]


async def test_events_are_rebuilt_from_rows_when_the_stream_is_missing(
    orders: SubgraphClient, token: str
) -> None:
    order_id = await create_paid_order(orders, token)
    await report(orders, order_id, "PREFLIGHT")
    await orders.runtime.redis.delete(f"live:order:{order_id}")
    await report(orders, order_id, "REJECTED")
    assert [sequence for sequence, _ in await watch(orders, order_id, token)] == [1, 2, 3, 4]


async def test_each_event_shows_the_order_at_that_time(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    async with aclosing(orders.subscribe(WATCH, {"id": order_id, "after": 1}, token)) as answers:
        first = (await anext(answers)).ok["order"]
        await report(orders, order_id, "PREFLIGHT")
        second = (await anext(answers)).ok["order"]
    assert first["order"] == {
        "id": order_id,
        "status": "PAID",
        "lastSequence": 2,
        "history": [{"sequence": 1}, {"sequence": 2}],
    }
    assert second["order"]["status"] == "PREPARING"
    assert second["order"]["history"] == [{"sequence": 1}, {"sequence": 2}, {"sequence": 3}]


async def test_watching_an_ended_order_completes(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    await report(orders, order_id, "REJECTED")
    assert await watch(orders, order_id, token, after=3) == []


@pytest.mark.parametrize("after", [-1, -(2**31)])
async def test_a_negative_cursor_is_refused(orders: SubgraphClient, token: str, after: int) -> None:
    order_id = await create_paid_order(orders, token)
    async with aclosing(orders.subscribe(WATCH, {"id": order_id, "after": after}, token)) as answers:
        answer = await anext(answers)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "after")


async def test_nobody_watches_someone_elses_order(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    for wrong, code in ((sign_token("usr_other"), "NOT_FOUND"), (None, "UNAUTHENTICATED")):
        async with aclosing(orders.subscribe(WATCH, {"id": order_id}, wrong)) as answers:
            assert (await anext(answers)).code == code


@pytest.mark.parametrize("reports", [[], ["PREFLIGHT"], ["PRODUCTION_DELAYED"]])
async def test_an_order_can_be_cancelled_before_printing_and_is_refunded(
    orders: SubgraphClient, token: str, reports: list[str]
) -> None:
    order_id = await create_paid_order(orders, token)
    await report(orders, order_id, *reports)
    for _ in range(2):
        answer = await orders.execute(CANCEL, {"id": order_id}, token)
        assert answer.ok["cancelOrder"] == {"__typename": "Order", "status": "CANCELLED"}
    assert (await read_messages(orders, order_id)).count("orders.OrderCancelled") == 1
    [refund] = await list_refunds(orders.runtime, order_id)
    assert await read_messages(orders, refund.id) == ["orders.RefundPayment"]
    await service.refund_payment(orders.runtime, refund.id)
    given_back = {"status": "SUCCEEDED", "reason": "ORDER_CANCELLED", "amount": {"amount": 2600}}
    assert (await show(orders, order_id, token))["paymentAttempts"] == [
        {"status": "SUCCEEDED", "refunds": [given_back]}
    ]


async def test_an_order_in_production_is_not_cancellable(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    await report(orders, order_id, "IN_PRODUCTION")
    answer = await orders.execute(CANCEL, {"id": order_id}, token)
    assert answer.ok["cancelOrder"] == {"__typename": "OrderNotCancellable", "status": "IN_PRODUCTION"}
    assert (await show(orders, order_id, token))["paymentAttempts"] == [
        {"status": "SUCCEEDED", "refunds": []}
    ]


async def test_reports_after_a_cancellation_change_nothing(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    await orders.execute(CANCEL, {"id": order_id}, token)
    await report(orders, order_id, "PREFLIGHT", "CANCELLED", "SHIPPED")
    assert (await show(orders, order_id, token))["status"] == "CANCELLED"


async def test_nobody_cancels_someone_elses_order(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    answer = await orders.execute(CANCEL, {"id": order_id}, sign_token("usr_other"))
    assert answer.code == "NOT_FOUND"
    assert (await show(orders, order_id, token))["status"] == "PAID"


async def test_staff_confirm_the_delivery_of_a_shipped_order(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    mutation = f'mutation {{ confirmDelivery(id: "{order_id}") {{ status }} }}'
    staff = sign_token("usr_staff", ["staff"])
    assert (await orders.execute(mutation, token=token)).code == "FORBIDDEN"
    assert (await orders.execute(mutation, token=staff)).code == "CONFLICT"
    await report(orders, order_id, "SHIPPED")
    assert (await orders.execute(mutation, token=staff)).ok == {"confirmDelivery": {"status": "DELIVERED"}}

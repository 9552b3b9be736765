"""Watching an order through the router in an outage of PostgreSQL or Valkey: each transition arrives once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress

import pytest
from sqlalchemy.exc import SQLAlchemyError

from subgraphs.common import live
from subgraphs.orders import service
from subgraphs.print.events import PrintJobStatusChanged
from tests.subgraphs.orders.conftest import create_paid_order
from tests.support.outages import cut_off_postgres, cut_off_valkey
from tests.support.routed import route_to
from tests.support.subgraph import SubgraphClient

WATCH = (
    "subscription ($id: ID!) { order(id: $id) { sequence status order { id status history { status } } } }"
)
TRANSITIONS = ["AWAITING_PAYMENT", "PAID", "PREPARING", "IN_PRODUCTION", "PRINT_REJECTED"]


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_CHECK_SECONDS", 0.2)


async def report(orders: SubgraphClient, order_id: str, status: str) -> None:
    async with orders.runtime.unit_of_work() as uow:
        event = PrintJobStatusChanged("prj_1", order_id, status, "")
        await service.follow_print_job(orders.runtime, uow, event)


async def watch(routed: SubgraphClient, order_id: str, token: str, seen: list[tuple[int, str]]) -> None:
    """Collect the events of an order up to the last; none may have an error."""
    async with asyncio.timeout(60), aclosing(routed.subscribe(WATCH, {"id": order_id}, token)) as answers:
        async for answer in answers:
            event = answer.ok["order"]
            assert event["order"]["id"] == order_id
            seen.append((event["sequence"], event["status"]))


async def wait_for(seen: list[tuple[int, str]], number: int) -> None:
    async with asyncio.timeout(30):
        while len(seen) < number:  # noqa: ASYNC110 - a router answers
            await asyncio.sleep(0.005)


async def test_a_transition_that_is_recorded_after_an_outage_of_postgresql_arrives(
    servers: Mapping[str, str], orders: SubgraphClient, token: str
) -> None:
    order_id = await create_paid_order(orders, token)
    seen: list[tuple[int, str]] = []
    async with route_to(orders) as routed:
        watching = asyncio.create_task(watch(routed, order_id, token, seen))
        await wait_for(seen, 2)
        await report(orders, order_id, "PREFLIGHT")
        async with cut_off_postgres(servers, "orders"):
            with suppress(OSError, SQLAlchemyError):
                await report(orders, order_id, "IN_PRODUCTION")
            await asyncio.sleep(1)
        await report(orders, order_id, "REJECTED")
        await watching
    assert seen == list(enumerate((*TRANSITIONS[:3], TRANSITIONS[4]), start=1))


async def test_a_transition_that_is_recorded_while_valkey_is_unavailable_arrives(
    servers: Mapping[str, str], orders: SubgraphClient, token: str
) -> None:
    order_id = await create_paid_order(orders, token)
    seen: list[tuple[int, str]] = []
    async with route_to(orders) as routed:
        watching = asyncio.create_task(watch(routed, order_id, token, seen))
        await wait_for(seen, 2)
        async with cut_off_valkey(servers):
            await report(orders, order_id, "PREFLIGHT")
            await report(orders, order_id, "IN_PRODUCTION")
            await asyncio.sleep(1)
        await wait_for(seen, 4)
        await report(orders, order_id, "REJECTED")
        await watching
    assert seen == list(enumerate(TRANSITIONS, start=1))


async def test_a_transition_arrives_though_valkey_has_lost_all_data(
    orders: SubgraphClient, token: str
) -> None:
    order_id = await create_paid_order(orders, token)
    seen: list[tuple[int, str]] = []
    async with route_to(orders) as routed:
        watching = asyncio.create_task(watch(routed, order_id, token, seen))
        for number, status in enumerate(("PREFLIGHT", "IN_PRODUCTION", "REJECTED"), start=2):
            await wait_for(seen, number)
            await orders.runtime.redis.flushdb()
            await report(orders, order_id, status)
        await watching
    assert seen == list(enumerate(TRANSITIONS, start=1))

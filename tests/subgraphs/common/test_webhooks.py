"""Webhooks: only what the provider has signed is accepted, and once, however often it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from subgraphs.common import webhooks
from subgraphs.common.ids import new_id
from subgraphs.common.webhooks import SIGNATURE_TOLERANCE, InvalidWebhook, verify_signature
from subgraphs.domains import DOMAINS
from tests.support.subgraph import SubgraphClient, run_subgraph
from tests.support.webhooks import build_event, sign

SECRET = "whsec_0123456789"
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
RECEIPTS = DOMAINS["orders"].get_table("webhook_receipts")
OUTBOX = DOMAINS["orders"].get_table("outbox")


@pytest.fixture
async def orders(servers: Mapping[str, str]) -> AsyncIterator[SubgraphClient]:
    environ = {**servers, "OFFLINE_PAYMENTS_WEBHOOK_SECRET": SECRET}
    async with run_subgraph("orders", environ) as client:
        yield client


async def post(orders: SubgraphClient, body: bytes, signature: str | None = None) -> httpx2.Response:
    signature = sign(body, SECRET) if signature is None else signature
    return await orders.http.post(
        "/webhooks/offline-payments", content=body, headers={"memorable-signature": signature}
    )


async def read_receipts(orders: SubgraphClient, event_id: str) -> list[Any]:
    async with orders.runtime.database.read() as session:
        return list(await session.execute(select(RECEIPTS).where(RECEIPTS.c.event_id == event_id)))


async def read_jobs(orders: SubgraphClient, receipt_id: str) -> list[str]:
    async with orders.runtime.database.read() as session:
        rows = await session.execute(
            select(OUTBOX.c.name).where(OUTBOX.c.payload["receipt_id"].astext == receipt_id)
        )
        return [row.name for row in rows]


async def test_an_event_is_stored_with_its_body_and_its_job_is_enqueued(orders: SubgraphClient) -> None:
    event_id = new_id("evt")
    body = build_event(event_id, "payment.updated", "pi_1")
    response = await post(orders, body)
    assert (response.status_code, response.json()) == (200, {"received": True})
    [receipt] = await read_receipts(orders, event_id)
    assert (receipt.source, receipt.type, bytes(receipt.body)) == (
        "offline-payments",
        "payment.updated",
        body,
    )
    assert await read_jobs(orders, receipt.id) == ["orders.HandlePaymentEvent"]


async def test_an_event_that_is_sent_again_or_twice_at_once_is_acknowledged_and_stored_once(
    orders: SubgraphClient,
) -> None:
    event_id = new_id("evt")
    body = build_event(event_id, "payment.updated", "pi_1")
    responses = await asyncio.gather(*(post(orders, body) for _ in range(5)))
    responses.append(await post(orders, body))
    assert [response.status_code for response in responses] == [200] * 6
    [receipt] = await read_receipts(orders, event_id)
    assert len(await read_jobs(orders, receipt.id)) == 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "body: Invalid JSON"),
        (b"[]", "body: "),
        (b"{}", "id: Field required; type: Field required; data: Field required"),
        (b'{"id": "", "type": "a", "data": {"reference": 7}}', "data.reference"),
        (b'{"id": "evt_\\n", "type": "a", "data": {"reference": "pi_1"}}', "id: "),
        (b'{"id": "evt_1", "type": "a", "data": {"reference": "\xff"}}', "body: "),
        (b'{"id": "evt_1", "type": "a", "data": {"reference": "pi_\\u0000"}}', "data.reference: "),
    ],
)
async def test_a_signed_body_that_is_no_event_is_refused_with_all_that_is_wrong(
    orders: SubgraphClient, body: bytes, named: str
) -> None:
    response = await post(orders, body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_WEBHOOK")
    assert named in response.json()["error"]["message"]


async def test_an_unsigned_event_stores_nothing(orders: SubgraphClient) -> None:
    event_id = new_id("evt")
    body = build_event(event_id, "payment.updated", "pi_1")
    for signature in ("", sign(body, "another secret"), sign(body + b" ", SECRET)):
        response = await post(orders, body, signature)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_WEBHOOK")
    assert await read_receipts(orders, event_id) == []


async def test_a_body_above_the_limit_is_refused(orders: SubgraphClient) -> None:
    assert (await post(orders, bytes(1024 * 1024 + 1))).status_code == 413


async def test_without_a_secret_nothing_is_accepted(servers: Mapping[str, str]) -> None:
    async with run_subgraph("orders", servers) as orders:
        body = build_event(new_id("evt"), "payment.updated", "pi_1")
        assert (await post(orders, body, sign(body, ""))).status_code == 400


@given(st.binary(max_size=50), st.integers(0, 49), st.integers(1, 255))
def test_a_signature_fits_its_body_alone(body: bytes, position: int, change: int) -> None:
    header = sign(body, SECRET, NOW)
    verify_signature(header, body, SECRET, NOW)
    changed = bytearray(body or b"\0")
    changed[position % len(changed)] ^= change
    with pytest.raises(InvalidWebhook, match="does not match the body"):
        verify_signature(header, bytes(changed), SECRET, NOW)


@pytest.mark.parametrize("direction", [-1, 1])
def test_a_signature_holds_for_five_minutes_in_both_directions(direction: int) -> None:
    second = timedelta(seconds=1)
    verify_signature(sign(b"a", SECRET, NOW + direction * SIGNATURE_TOLERANCE), b"a", SECRET, NOW)
    late = sign(b"a", SECRET, NOW + direction * (SIGNATURE_TOLERANCE + second))
    with pytest.raises(InvalidWebhook, match="too old, or from the future"):
        verify_signature(late, b"a", SECRET, NOW)


def test_one_of_several_signatures_is_enough_while_a_secret_is_replaced() -> None:
    old, new = (sign(b"a", secret, NOW) for secret in ("old secret", SECRET))
    verify_signature(f"{old},{new.partition(',')[2]}", b"a", SECRET, NOW)


@given(st.text(max_size=60))
def test_any_other_header_is_refused(header: str) -> None:
    with pytest.raises(InvalidWebhook):
        verify_signature(header, b"a", SECRET, NOW)


async def test_receipts_are_pruned_after_the_retention(orders: SubgraphClient) -> None:
    old, new = new_id("evt"), new_id("evt")
    for event_id in (old, new):
        await post(orders, build_event(event_id, "payment.updated", "pi_1"))
    async with orders.runtime.unit_of_work() as uow:
        earlier = uow.now - timedelta(days=31)
        await uow.session.execute(
            RECEIPTS.update().where(RECEIPTS.c.event_id == old).values(received_at=earlier)
        )
        assert await webhooks.prune(uow.session, RECEIPTS, timedelta(days=30), 1000) >= 1
    assert (len(await read_receipts(orders, old)), len(await read_receipts(orders, new))) == (0, 1)

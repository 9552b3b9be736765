"""Webhooks of payment providers: in any number and order, they pay an order once or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from subgraphs.common import webhooks
from subgraphs.common.ids import new_id
from subgraphs.orders import repository, service
from subgraphs.orders.models import PaymentAttempt
from subgraphs.orders.payments.registry import PROVIDERS
from subgraphs.orders.webhooks import SOURCES
from tests.subgraphs.orders.conftest import checkout, complete_payment, quote
from tests.subgraphs.orders.outbox import read_messages
from tests.support.fakes.webhooks import WebhookFaults, create_signer, open_webhooks
from tests.support.graph import FakeGraph
from tests.support.payments import InterruptedPayments, ProcessEnded, create_quick_payments, list_attempts
from tests.support.providers import use_provider
from tests.support.subgraph import SubgraphClient, run_subgraph
from tests.support.webhooks import build_event, sign

SECRET = "whsec_0123456789"
SOURCE = SOURCES["offline-payments"]


@pytest.fixture
async def orders(servers: Mapping[str, str], graph: FakeGraph) -> AsyncIterator[SubgraphClient]:
    environ = {**servers, "GRAPH_URL": graph.url, "OFFLINE_PAYMENTS_WEBHOOK_SECRET": SECRET}
    async with run_subgraph("orders", environ) as client:
        yield client


async def send_event(orders: SubgraphClient, reference: str, own_id: str | None = None) -> str:
    """Send a new event; return the id of its receipt."""
    event_id = new_id("evt")
    body = build_event(event_id, "payment.updated", reference, own_id)
    headers = {webhooks.SIGNATURE_HEADER: sign(body, SECRET)}
    await webhooks.receive(orders.runtime, SOURCE, headers, body)
    table = orders.runtime.domain.get_table("webhook_receipts")
    async with orders.runtime.database.read() as session:
        receipts = await webhooks.list_receipts(session, table, 1000)
    [receipt_id] = [receipt.id for receipt in receipts if receipt.event_id == event_id]
    return receipt_id


async def begin_payment(orders: SubgraphClient, token: str, method: str) -> PaymentAttempt:
    begun = (await checkout(orders, token, await quote(orders, token), method)).ok["checkout"]
    [attempt] = await list_attempts(orders.runtime, begun["order"]["id"])
    assert attempt.reference is not None
    return attempt


async def read_outcome(orders: SubgraphClient, attempt: PaymentAttempt) -> tuple[str, int]:
    """The status of the order's only attempt, and how often it was announced as paid."""
    [now] = await list_attempts(orders.runtime, attempt.order_id)
    return now.status.value, (await read_messages(orders, attempt.order_id)).count("orders.OrderPaid")


@pytest.mark.parametrize(
    ("method", "outcome"),
    [
        ("pm_usBankAccount_success", ("SUCCEEDED", 1)),
        ("pm_usBankAccount_insufficientFunds", ("DECLINED", 0)),
        ("pm_card_authenticationRequired", ("SUCCEEDED", 1)),
    ],
)
async def test_an_event_settles_an_open_payment_at_once(
    orders: SubgraphClient, token: str, method: str, outcome: tuple[str, int]
) -> None:
    attempt = await begin_payment(orders, token, method)
    receipt_id = await send_event(orders, attempt.reference or "")
    with use_provider(PROVIDERS, create_quick_payments(orders.runtime)):
        await service.handle_payment_event(orders.runtime, receipt_id)
    assert await read_outcome(orders, attempt) == outcome


async def test_events_in_any_order_and_number_beside_the_client_pay_once(
    orders: SubgraphClient, token: str
) -> None:
    attempt = await begin_payment(orders, token, "pm_card_authenticationRequired")
    receipts = [await send_event(orders, attempt.reference or "") for _ in range(4)]
    await asyncio.gather(
        *(service.handle_payment_event(orders.runtime, receipt) for receipt in receipts[::-1] + receipts),
        *(complete_payment(orders, token, attempt.id) for _ in range(3)),
    )
    assert await read_outcome(orders, attempt) == ("SUCCEEDED", 1)


async def test_an_event_that_overtakes_the_answer_to_the_payment_finds_it_by_our_id(
    orders: SubgraphClient, token: str
) -> None:
    """The provider has taken the money, and the process ended before it could record that."""
    parent = await orders.verifier.verify(token)
    quote_id = await quote(orders, token)
    provider = InterruptedPayments(orders.runtime, has_acted=True)
    with use_provider(PROVIDERS, provider), pytest.raises(ProcessEnded):
        await service.checkout(orders.runtime, parent, quote_id, "pm_card_visa", "first")
    async with orders.runtime.unit_of_work() as uow:
        order = await repository.find_order_of_quote(uow.session, quote_id)
    assert order is not None
    [attempt] = await list_attempts(orders.runtime, order.id)
    assert (attempt.status, attempt.reference) == ("CREATED", None)
    receipt_id = await send_event(orders, "pi_unknown_here", attempt.id)
    await service.handle_payment_event(orders.runtime, receipt_id)
    assert await read_outcome(orders, attempt) == ("SUCCEEDED", 1)


async def test_an_event_about_somebody_elses_payment_changes_nothing(orders: SubgraphClient) -> None:
    receipt_id = await send_event(orders, "pi_of_another_shop", "pay_of_another_shop")
    await service.handle_payment_event(orders.runtime, receipt_id)


async def test_a_late_event_about_a_settled_payment_changes_nothing(
    orders: SubgraphClient, token: str
) -> None:
    attempt = await begin_payment(orders, token, "pm_card_authenticationRequired")
    await complete_payment(orders, token, attempt.id)
    receipt_id = await send_event(orders, attempt.reference or "")
    before = await read_messages(orders, attempt.order_id)
    await service.handle_payment_event(orders.runtime, receipt_id)
    assert await read_messages(orders, attempt.order_id) == before


async def test_what_a_troubled_sender_sends_is_stored_once_for_each_event_and_all_of_it_acknowledged(
    orders: SubgraphClient,
) -> None:
    """Each event is sent twice, the newest first, and the first acknowledgement does not arrive."""
    ids = [new_id("evt") for _ in range(4)]
    url = f"{orders.address}/webhooks/{SOURCE.name}"
    async with open_webhooks(url, create_signer(SECRET)) as sender:
        sender.faults = WebhookFaults(duplicate=True, reorder=True, drop_after_acceptance=True)
        for event_id in ids:
            sender.send({"id": event_id, "type": "payment.updated", "data": {"reference": "pi_1"}})
        await sender.settle()
        assert {attempt.status for attempt in sender.attempts} == {200}
        assert len(sender.attempts) == 16
    table = orders.runtime.domain.get_table("webhook_receipts")
    async with orders.runtime.database.read() as session:
        receipts = await webhooks.list_receipts(session, table, 1000)
    assert sorted(each.event_id for each in receipts if each.event_id in ids) == sorted(ids)

"""Tasks of the orders domain: each is idempotent."""

import pytest
from sqlalchemy import select

from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.money import Money
from subgraphs.common.providers import ProviderNotConfigured
from subgraphs.orders import repository, service
from subgraphs.orders.addresses import Address
from subgraphs.orders.jobs import RefundPayment, SettlePayment
from subgraphs.orders.models import OfflineCharge, Order, Payment, ShippingLevel
from subgraphs.orders.payments.base import Outcome, PaymentRequest
from subgraphs.orders.payments.offline import OfflinePayments
from subgraphs.orders.payments.registry import PROVIDERS
from subgraphs.orders.service.quotes import Price, store_quote
from subgraphs.print.events import PrintJobStatusChanged
from tests.support.providers import use_provider
from tests.workers.harness import deliver_event
from workers.orders import refund_payment, settle_payment
from workers.platform import Platform

ADDRESS = Address("Ada", "1 Byron Row", None, "London", None, "N1 1AA", "GB", "+44 20 7946 0000")
PART = Money(500, "USD")


class ProcessEnded(Exception):
    """The process ended between creating the order and charging it."""


class InterruptingProvider:
    """A payment provider at which the checkout's process ends."""

    async def charge(self, request: PaymentRequest) -> Outcome:
        raise ProcessEnded

    async def refund(self, reference: str) -> None:
        raise ProcessEnded


@pytest.fixture
def parent() -> Identity:
    return Identity(new_id("usr"), "ses_1", frozenset({"parent"}), "")


async def create_quote(platform: Platform, parent: Identity) -> str:
    request = service.QuoteRequest("book_1", "casewrap-8.5-square", 1, ADDRESS, ShippingLevel.MAIL)
    async with platform.orders.unit_of_work() as uow:
        return store_quote(uow, parent, request, Price("snp_none", PART, PART, PART, PART)).id


async def pay(platform: Platform, parent: Identity, method: str = "pm_card_visa") -> Order:
    quote_id = await create_quote(platform, parent)
    return await service.checkout(platform.orders, parent, quote_id, method)


async def interrupt_checkout(platform: Platform, parent: Identity, method: str) -> str:
    quote_id = await create_quote(platform, parent)
    with use_provider(PROVIDERS, InterruptingProvider()), pytest.raises(ProcessEnded):
        await service.checkout(platform.orders, parent, quote_id, method)
    async with platform.orders.database.read() as session:
        order = await repository.find_order_of_quote(session, quote_id)
    assert order is not None
    return order.id


async def state(platform: Platform, parent: Identity, order_id: str) -> tuple[str, str, int]:
    """The order's status, its payment's status, and the number of transitions."""
    async with platform.orders.database.read() as session:
        order = await repository.get_order(session, parent.user_id, order_id)
        payment: Payment = await repository.get_payment_of_order(session, order_id)
    return order.status.value, payment.status.value, order.last_sequence


@pytest.mark.parametrize(
    ("method", "outcome"),
    [
        ("pm_card_visa", ("PAID", "SUCCEEDED", 2)),
        ("pm_card_chargeDeclined", ("PAYMENT_FAILED", "DECLINED", 2)),
    ],
)
async def test_an_interrupted_checkout_is_settled_once(
    platform: Platform, parent: Identity, method: str, outcome: tuple[str, str, int]
) -> None:
    order_id = await interrupt_checkout(platform, parent, method)
    assert await state(platform, parent, order_id) == ("AWAITING_PAYMENT", "PENDING", 1)
    for _ in range(2):
        await settle_payment(platform, SettlePayment(order_id))
    assert await state(platform, parent, order_id) == outcome


async def test_a_cancelled_order_is_refunded_once(platform: Platform, parent: Identity) -> None:
    order = await pay(platform, parent)
    await service.cancel_order(platform.orders, parent, order.id)
    await refund_payment(platform, RefundPayment(order.id))
    refunded_at = await read_refund_time(platform, order.id)
    await refund_payment(platform, RefundPayment(order.id))
    assert refunded_at is not None
    assert await read_refund_time(platform, order.id) == refunded_at
    assert await state(platform, parent, order.id) == ("CANCELLED", "REFUNDED", 3)


async def read_refund_time(platform: Platform, order_id: str) -> object:
    async with platform.orders.database.read() as session:
        charge = select(OfflineCharge).where(OfflineCharge.order_id == order_id)
        return (await session.scalars(charge)).one().refunded_at


async def test_a_refund_goes_to_the_provider_that_charged_and_waits_until_it_is_configured(
    platform: Platform, parent: Identity
) -> None:
    order = await pay(platform, parent)
    async with platform.orders.unit_of_work() as uow:
        (await repository.get_payment_of_order(uow.session, order.id)).provider = "elsewhere"
    await service.cancel_order(platform.orders, parent, order.id)

    with pytest.raises(ProviderNotConfigured, match="'elsewhere' is not configured"):
        await refund_payment(platform, RefundPayment(order.id))
    assert await state(platform, parent, order.id) == ("CANCELLED", "SUCCEEDED", 3)

    offline = OfflinePayments(platform.orders.database, platform.orders.clock)
    with use_provider(PROVIDERS, offline, "elsewhere"), use_provider(PROVIDERS, InterruptingProvider()):
        await refund_payment(platform, RefundPayment(order.id))
    assert await state(platform, parent, order.id) == ("CANCELLED", "REFUNDED", 3)


async def deliver(platform: Platform, event: PrintJobStatusChanged, message_id: str) -> None:
    """Deliver an event to the orders domain."""
    await deliver_event(platform, event, "orders.follow_print_job", message_id)


async def test_a_print_job_event_takes_effect_once(platform: Platform, parent: Identity) -> None:
    order = await pay(platform, parent)
    event = PrintJobStatusChanged("prj_1", order.id, "PREFLIGHT", "")
    for _ in range(2):
        await deliver(platform, event, f"msg_{order.id}")
    assert await state(platform, parent, order.id) == ("PREPARING", "SUCCEEDED", 3)


async def test_a_rejected_print_job_queues_one_refund(platform: Platform, parent: Identity) -> None:
    order = await pay(platform, parent)
    for number in range(2):
        event = PrintJobStatusChanged("prj_1", order.id, "REJECTED", "The cover is too small.")
        await deliver(platform, event, f"msg_{number}_{order.id}")
    assert await state(platform, parent, order.id) == ("PRINT_REJECTED", "SUCCEEDED", 3)
    assert await count_queued_refunds(platform, order.id) == 1


async def count_queued_refunds(platform: Platform, order_id: str) -> int:
    outbox = platform.orders.metadata.tables["orders.outbox"]
    async with platform.orders.database.read() as session:
        jobs = await session.scalars(select(outbox.c.payload).where(outbox.c.name == RefundPayment.name()))
        return list(jobs).count(RefundPayment(order_id).payload())

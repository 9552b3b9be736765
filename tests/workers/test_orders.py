"""Tasks of the orders domain: each is idempotent."""

import pytest
from sqlalchemy import select

from subgraphs.common.identity import Identity
from subgraphs.common.providers import ProviderNotConfigured
from subgraphs.orders import repository, service
from subgraphs.orders.jobs import ExpireOrder, RefundPayment, SettlePayment
from subgraphs.orders.models import Order
from subgraphs.orders.payments.registry import PROVIDERS
from subgraphs.print.events import PrintJobStatusChanged
from tests.support.payments import (
    InterruptedPayments,
    ProcessEnded,
    create_parent,
    create_quick_payments,
    create_quote,
    list_attempts,
    list_refunds,
    read_payments,
    read_refunds,
)
from tests.support.providers import use_provider
from tests.workers.harness import deliver_event
from workers.orders import expire_order, refund_payment, settle_payment
from workers.platform import Platform


@pytest.fixture
def parent() -> Identity:
    return create_parent()


async def pay(platform: Platform, parent: Identity, method: str = "pm_card_visa") -> Order:
    quote_id = await create_quote(platform.orders, parent)
    return (await service.checkout(platform.orders, parent, quote_id, method, "first")).order


async def interrupt_checkout(platform: Platform, parent: Identity, method: str, *, has_acted: bool) -> str:
    quote_id = await create_quote(platform.orders, parent)
    provider = InterruptedPayments(platform.orders, has_acted=has_acted)
    with use_provider(PROVIDERS, provider), pytest.raises(ProcessEnded):
        await service.checkout(platform.orders, parent, quote_id, method, "first")
    async with platform.orders.database.read() as session:
        order = await repository.find_order_of_quote(session, quote_id)
    assert order is not None
    return order.id


async def state(platform: Platform, parent: Identity, order_id: str) -> tuple[str, str, int]:
    """The order's status, its only attempt's status, and the number of transitions."""
    async with platform.orders.database.read() as session:
        order = await repository.get_order(session, parent.user_id, order_id)
    [attempt] = await list_attempts(platform.orders, order_id)
    return order.status.value, attempt.status.value, order.last_sequence


async def settle(platform: Platform, order_id: str) -> None:
    """Run the newest job that settles the order's only attempt."""
    [attempt] = await list_attempts(platform.orders, order_id)
    await settle_payment(platform, SettlePayment(attempt.id, attempt.checks))


@pytest.mark.parametrize("has_acted", [False, True])
@pytest.mark.parametrize(
    ("method", "outcome"),
    [
        ("pm_card_visa", ("PAID", "SUCCEEDED", 2)),
        ("pm_card_chargeDeclined", ("AWAITING_PAYMENT", "DECLINED", 2)),
        ("pm_card_authenticationRequired", ("AWAITING_PAYMENT", "REQUIRES_ACTION", 2)),
        ("pm_usBankAccount_success", ("AWAITING_PAYMENT", "PENDING", 2)),
    ],
)
async def test_a_checkout_interrupted_at_the_provider_is_settled_once(
    platform: Platform, parent: Identity, method: str, outcome: tuple[str, str, int], has_acted: bool
) -> None:
    order_id = await interrupt_checkout(platform, parent, method, has_acted=has_acted)
    assert await state(platform, parent, order_id) == ("AWAITING_PAYMENT", "CREATED", 1)
    for _ in range(2):
        await settle(platform, order_id)
    assert await state(platform, parent, order_id) == outcome
    assert len(await read_payments(platform.orders, order_id)) == 1


async def test_a_pending_payment_is_checked_until_its_provider_knows(
    platform: Platform, parent: Identity
) -> None:
    order = await pay(platform, parent, "pm_usBankAccount_success")
    for _ in range(3):
        await settle(platform, order.id)
    assert await state(platform, parent, order.id) == ("AWAITING_PAYMENT", "PENDING", 2)
    with use_provider(PROVIDERS, create_quick_payments(platform.orders)):
        for _ in range(2):
            await settle(platform, order.id)
    assert await state(platform, parent, order.id) == ("PAID", "SUCCEEDED", 3)


async def test_an_unpaid_order_expires_once(platform: Platform, parent: Identity) -> None:
    order = await pay(platform, parent, "pm_card_chargeDeclined")
    for _ in range(2):
        await expire_order(platform, ExpireOrder(order.id))
    assert await state(platform, parent, order.id) == ("EXPIRED", "DECLINED", 3)


async def test_a_cancelled_order_is_refunded_once(platform: Platform, parent: Identity) -> None:
    order = await pay(platform, parent)
    await service.cancel_order(platform.orders, parent, order.id)
    [requested] = await list_refunds(platform.orders, order.id)
    for _ in range(2):
        await refund_payment(platform, RefundPayment(requested.id))
    [refund] = await list_refunds(platform.orders, order.id)
    assert (refund.status, refund.reason, refund.amount) == ("SUCCEEDED", "ORDER_CANCELLED", order.total)
    assert [each.amount for each in await read_refunds(platform.orders, order.id)] == [order.total]
    assert await state(platform, parent, order.id) == ("CANCELLED", "SUCCEEDED", 3)


async def test_a_refund_goes_to_the_provider_that_was_paid_and_waits_until_it_is_configured(
    platform: Platform, parent: Identity
) -> None:
    order = await pay(platform, parent)
    [attempt] = await list_attempts(platform.orders, order.id)
    async with platform.orders.unit_of_work() as uow:
        (await repository.get_any_attempt(uow.session, attempt.id)).provider = "elsewhere"
    await service.cancel_order(platform.orders, parent, order.id)
    [refund] = await list_refunds(platform.orders, order.id)

    with pytest.raises(ProviderNotConfigured, match="'elsewhere' is not configured"):
        await refund_payment(platform, RefundPayment(refund.id))
    assert [each.status for each in await list_refunds(platform.orders, order.id)] == ["REQUESTED"]

    elsewhere = create_quick_payments(platform.orders)
    default = InterruptedPayments(platform.orders, has_acted=False)
    with use_provider(PROVIDERS, elsewhere, "elsewhere"), use_provider(PROVIDERS, default):
        await refund_payment(platform, RefundPayment(refund.id))
    assert [each.status for each in await list_refunds(platform.orders, order.id)] == ["SUCCEEDED"]


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
    [refund] = await list_refunds(platform.orders, order.id)
    assert (refund.status, refund.reason, refund.amount) == ("REQUESTED", "PRINT_REJECTED", order.total)
    assert await count_queued_refunds(platform, refund.id) == 1


async def count_queued_refunds(platform: Platform, refund_id: str) -> int:
    outbox = platform.orders.metadata.tables["orders.outbox"]
    async with platform.orders.database.read() as session:
        jobs = await session.scalars(select(outbox.c.payload).where(outbox.c.name == RefundPayment.name()))
        return list(jobs).count(RefundPayment(refund_id).to_payload())

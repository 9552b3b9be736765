"""Payment attempts: the provider is called between two transactions, and the outcome is recorded.

The attempt's state decides which call is made. An outcome is recorded only if it is ahead of that state, so
that a client and a job may call the provider at the same time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from subgraphs.common.identity import Identity
from subgraphs.common.money import Money
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.orders import repository
from subgraphs.orders.events import OrderPaid
from subgraphs.orders.jobs import SettlePayment
from subgraphs.orders.models import Order, PaymentAttempt
from subgraphs.orders.payments.base import (
    Declined,
    PaymentOutcome,
    PaymentProvider,
    PaymentRequest,
    Pending,
    RequiresAction,
    Succeeded,
)
from subgraphs.orders.payments.registry import PROVIDERS
from subgraphs.orders.service.progress import record_transition
from subgraphs.orders.states import ATTEMPT_STATES, AttemptStatus, OrderStatus

_STATUSES: Final[Mapping[type[PaymentOutcome], AttemptStatus]] = {
    Succeeded: AttemptStatus.SUCCEEDED,
    Declined: AttemptStatus.DECLINED,
    RequiresAction: AttemptStatus.REQUIRES_ACTION,
    Pending: AttemptStatus.PENDING,
}


@dataclass(frozen=True, slots=True)
class PaymentProgress:
    """A payment attempt, and its order, as they are now."""

    order: Order
    attempt: PaymentAttempt


async def submit_attempt(runtime: Runtime, attempt: PaymentAttempt) -> PaymentProgress:
    """Submit an attempt to its provider, unless that has been done."""
    return await _call_provider(runtime, attempt, {AttemptStatus.CREATED: _pay})


async def cancel_attempt(runtime: Runtime, attempt: PaymentAttempt) -> PaymentProgress:
    """Cancel an attempt that waits for the parent; one that its provider may be processing continues."""
    return await _call_provider(
        runtime, attempt, {AttemptStatus.CREATED: _pay, AttemptStatus.REQUIRES_ACTION: _cancel}
    )


async def complete_payment(runtime: Runtime, parent: Identity, attempt_id: str) -> PaymentProgress:
    """Continue an attempt when the parent has acted, or check what has become of a pending one."""
    parent.require("parent")
    async with runtime.database.read() as session:
        attempt = await repository.get_attempt(session, parent.user_id, attempt_id)
    return await check_attempt(runtime, attempt)


async def settle_payment(runtime: Runtime, attempt_id: str, check: int) -> None:
    """Settle an attempt whose process has ended, or that is pending; only the newest check acts.

    An attempt that requires an action waits for the parent, until its order expires.
    """
    async with runtime.database.read() as session:
        attempt = await repository.get_any_attempt(session, attempt_id)
    if attempt.checks == check:
        await _call_provider(runtime, attempt, {AttemptStatus.CREATED: _pay, AttemptStatus.PENDING: _check})


async def check_attempt(runtime: Runtime, attempt: PaymentAttempt) -> PaymentProgress:
    """Continue an attempt, in any state, because the parent or its provider has acted."""
    return await _call_provider(
        runtime,
        attempt,
        {
            AttemptStatus.CREATED: _pay,
            AttemptStatus.REQUIRES_ACTION: _check,
            AttemptStatus.PENDING: _check,
        },
    )


async def enqueue_check(uow: UnitOfWork, order: Order, attempt: PaymentAttempt, delay: timedelta) -> None:
    """Enqueue the job that settles an attempt; the ones before it become out of date."""
    attempt.checks += 1
    await uow.enqueue(SettlePayment(attempt.id, attempt.checks), owner_id=order.owner_id, delay=delay)


_ProviderCall = Callable[[PaymentProvider, PaymentAttempt], Awaitable[PaymentOutcome]]


async def _call_provider(
    runtime: Runtime, attempt: PaymentAttempt, calls: Mapping[AttemptStatus, _ProviderCall]
) -> PaymentProgress:
    """Call an attempt's provider as the attempt's state requires, if at all, and record the outcome."""
    call = calls.get(attempt.status)
    if call is None:
        async with runtime.database.read() as session:
            return PaymentProgress(await repository.get_any_order(session, attempt.order_id), attempt)
    async with PROVIDERS.open(runtime, attempt.provider) as provider:
        outcome = await call(provider, attempt)
    async with runtime.unit_of_work() as uow:
        order = await repository.lock_any_order(uow.session, attempt.order_id)
        attempt = await repository.get_any_attempt(uow.session, attempt.id)
        if ATTEMPT_STATES.is_ahead(attempt.status, _STATUSES[type(outcome)]):
            await _record(runtime, uow, order, attempt, outcome)
        if attempt.status is AttemptStatus.PENDING:
            await enqueue_check(uow, order, attempt, provider.poll_interval)
    return PaymentProgress(order, attempt)


async def _pay(provider: PaymentProvider, attempt: PaymentAttempt) -> PaymentOutcome:
    amount = Money(attempt.amount, attempt.currency)
    return await provider.pay(PaymentRequest(attempt.id, attempt.order_id, amount, attempt.method))


async def _check(provider: PaymentProvider, attempt: PaymentAttempt) -> PaymentOutcome:
    assert attempt.reference is not None, "its provider has answered"
    return await provider.check(attempt.reference)


async def _cancel(provider: PaymentProvider, attempt: PaymentAttempt) -> PaymentOutcome:
    assert attempt.reference is not None, "its provider has answered"
    return await provider.cancel(attempt.reference)


async def _record(
    runtime: Runtime, uow: UnitOfWork, order: Order, attempt: PaymentAttempt, outcome: PaymentOutcome
) -> None:
    """Record an outcome; the order's followers get an event, also while it still awaits payment."""
    attempt.status, attempt.reference = _STATUSES[type(outcome)], outcome.reference
    attempt.action = None
    status = OrderStatus.AWAITING_PAYMENT
    reason: str | None = None
    match outcome:
        case Succeeded():
            attempt.settled_at = order.paid_at = uow.now
            status = OrderStatus.PAID
            await uow.publish(OrderPaid(order.id))
        case Declined(code=code, message=message):
            attempt.settled_at, reason = uow.now, message
            attempt.decline_code, attempt.decline_message = code, message
        case RequiresAction(client_secret=secret, redirect_url=url):
            attempt.action = {"client_secret": secret, "redirect_url": url}
    await record_transition(uow, runtime.live, order, status, reason)

"""Submission of a print job to the print shop, at most once.

The shops' APIs have no idempotency keys, so a call with an unknown outcome must not simply be repeated.
Before each attempt, one transaction counts it, moves the job to SUBMITTING and enqueues the next attempt,
due when this one is certainly over; the pauses grow to about an hour. Whatever happens to this process, the
next attempt first searches the shop for our id, and submits the job only if the shop does not have it; if
the order has been cancelled since, the job ends there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from subgraphs.common.postal import Address, ShippingLevel
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger
from subgraphs.print import repository
from subgraphs.print.catalogue import get_product
from subgraphs.print.jobs import ReconcilePrintJob, SubmitPrintJob
from subgraphs.print.models import PrintJob
from subgraphs.print.providers.base import (
    PrintProvider,
    ShopJob,
    ShopUnreachable,
    Submission,
    SubmissionRefused,
)
from subgraphs.print.providers.registry import PROVIDERS
from subgraphs.print.service.cancellation import ORDER_CANCELLED
from subgraphs.print.service.progress import move_job
from subgraphs.print.states import PRINT_JOB_STATES, PrintJobStatus

_CALL_TIMEOUT: Final = timedelta(seconds=30)
"""How long after its transaction an attempt may call the shop."""
_ATTEMPT_INTERVAL: Final = timedelta(seconds=60)
"""Longer than a call can take, with a margin for clock skew; it doubles with each attempt."""
_MAX_DOUBLINGS: Final = 6

Answer = TypeVar("Answer")

_SUBMITTABLE: Final = frozenset({PrintJobStatus.PREFLIGHT, PrintJobStatus.SUBMITTING})


@dataclass(frozen=True, slots=True)
class ShippingDetails:
    """How and where to ship an order; they are read for each submission and not stored in this domain."""

    shipping_level: ShippingLevel
    address: Address


@dataclass(frozen=True, slots=True)
class _Attempt:
    """An attempt that has been recorded; the shop is called before the deadline or not at all."""

    job: PrintJob
    deadline: datetime


async def submit_print_job(
    runtime: Runtime, print_job_id: str, attempt: int, shipping: ShippingDetails
) -> None:
    """Submit a preflighted job to its shop, or record that an earlier attempt has done so."""
    async with runtime.database.read() as session:
        job = await repository.get_any_job(session, print_job_id)
    async with PROVIDERS.open(runtime, job.provider) as provider:
        if begun := await _begin_attempt(runtime, print_job_id, attempt):
            await _submit(runtime, provider, begun, shipping)


async def _submit(
    runtime: Runtime, provider: PrintProvider, attempt: _Attempt, shipping: ShippingDetails
) -> None:
    job, submission = attempt.job, _build_submission(runtime, attempt.job, shipping)
    accepted: ShopJob | None = None
    try:
        if job.attempts > 1:
            accepted = await _call_in_time(runtime, attempt, partial(provider.find, job.id))
        if accepted is None and job.cancel_requested:
            await _end_job(runtime, job.id, PrintJobStatus.CANCELLED, ORDER_CANCELLED)
            return
        if accepted is None:
            accepted = await _call_in_time(runtime, attempt, partial(provider.submit, submission))
    except SubmissionRefused as refusal:
        await _end_job(runtime, job.id, PrintJobStatus.REJECTED, str(refusal))
    except (ShopUnreachable, TimeoutError) as error:
        get_logger().warning(
            "Submission without a response", print_job=job.id, attempt=job.attempts, error=error
        )
    else:
        await _record_acceptance(runtime, job.id, accepted, provider.poll_interval)


async def _call_in_time(runtime: Runtime, attempt: _Attempt, call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Make a call that ends by the deadline of its attempt; TimeoutError if it would begin after it.

    The process may have been paused since it last looked at the time, and the next attempt be under way.
    """
    remaining = (attempt.deadline - runtime.clock()).total_seconds()
    if remaining <= 0:
        raise TimeoutError("It was begun too late.")
    async with asyncio.timeout(remaining):
        return await call()


async def _begin_attempt(runtime: Runtime, print_job_id: str, attempt: int) -> _Attempt | None:
    """Record an attempt before it is made; None unless it is the next one."""
    async with runtime.unit_of_work() as uow:
        job = await repository.lock_any_job(uow.session, print_job_id)
        if job.attempts != attempt - 1 or job.status not in _SUBMITTABLE:
            return None
        await move_job(uow, job, PrintJobStatus.SUBMITTING)
        job.attempts = attempt
        delay = _ATTEMPT_INTERVAL * 2 ** min(attempt - 1, _MAX_DOUBLINGS)
        await uow.enqueue(SubmitPrintJob(job.id, attempt + 1), owner_id=job.owner_id, delay=delay)
        return _Attempt(job, uow.now + _CALL_TIMEOUT)


def _build_submission(runtime: Runtime, job: PrintJob, shipping: ShippingDetails) -> Submission:
    assert job.interior_key is not None, "a job in SUBMITTING has been checked"
    assert job.cover_key is not None, "a job in SUBMITTING has been checked"
    now = runtime.clock()
    return Submission(
        external_id=job.id,
        pod_package_id=get_product(job.product_id).pod_package_id,
        quantity=job.quantity,
        shipping_level=shipping.shipping_level,
        address=shipping.address,
        interior_url=runtime.storage.sign_url(job.interior_key, now),
        cover_url=runtime.storage.sign_url(job.cover_key, now),
    )


async def _record_acceptance(
    runtime: Runtime, print_job_id: str, accepted: ShopJob, poll_interval: timedelta
) -> None:
    async with runtime.unit_of_work() as uow:
        job = await repository.lock_any_job(uow.session, print_job_id)
        if job.provider_reference is None:
            job.provider_reference = accepted.reference
            await move_job(uow, job, PrintJobStatus.SUBMITTED)
            if job.status not in PRINT_JOB_STATES.terminal:
                await uow.enqueue(
                    ReconcilePrintJob(job.id, check=1), owner_id=job.owner_id, delay=poll_interval
                )


async def _end_job(runtime: Runtime, print_job_id: str, status: PrintJobStatus, reason: str) -> None:
    async with runtime.unit_of_work() as uow:
        job = await repository.lock_any_job(uow.session, print_job_id)
        await move_job(uow, job, status, reason)

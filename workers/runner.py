"""The runner of deliveries: claims each under a lease, runs its handler, and records the outcome."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Concatenate, Final, ParamSpec

from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.common import deliveries
from subgraphs.common.deliveries import Delivery, DeliveryState
from subgraphs.common.draining import Drained
from subgraphs.common.errors import DeadlineExceeded, DependencyFailed, DomainError, Overloaded
from subgraphs.common.redaction import describe_error
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import JOB_SECONDS, JOBS, get_logger, start_trace
from subgraphs.common.tracing import open_span
from workers.platform import Platform
from workers.registry import Registry

_RENEWAL_SECONDS: Final = 3.0
_TEMPORARY: Final = (DeadlineExceeded, DependencyFailed, Overloaded)

Arguments = ParamSpec("Arguments")


class UnknownDestination(Exception):
    """This worker has no handler for a delivery; a newer one may have."""


@dataclass(eq=False, slots=True)
class _Held:
    """A delivery that this worker has claimed, and the task that handles it."""

    runtime: Runtime
    delivery: Delivery
    task: asyncio.Task[Any]
    is_lost: bool = False

    async def record(
        self,
        write: Callable[Concatenate[AsyncSession, Table, Delivery, Arguments], Awaitable[bool]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> None:
        """Write an outcome; when PostgreSQL is unavailable, the lease ends and the delivery is repeated."""
        table = self.runtime.domain.get_table("deliveries")
        try:
            async with self.runtime.database.session() as session, session.begin():
                await write(session, table, self.delivery, *args, **kwargs)
        except (OSError, SQLAlchemyError) as error:
            get_logger().warning(
                "The outcome of a job was not recorded; it will run again", error=error, **self.description
            )

    @property
    def description(self) -> dict[str, Any]:
        """The delivery in a log."""
        return {
            "job": self.delivery.destination,
            "message_id": self.delivery.message_id,
            "attempt": self.delivery.attempts,
        }


class Runner:
    """Runs deliveries; `renew_leases` must run beside it."""

    def __init__(self, platform: Platform, registry: Registry) -> None:
        self._platform = platform
        self._registry = registry
        self._held: set[_Held] = set()

    @property
    def draining(self) -> asyncio.Event:
        """Set when the worker is to end, and starts nothing more."""
        return self._platform.draining

    async def run(self, domain: str, delivery_id: str, attempts: int) -> None:
        """Claim a delivery and handle it, unless it was claimed or finished since it was queued.

        A worker that was paused finds that the lease of what it is running has ended, and may find the
        delivery on the queue again. It does not start it twice: the lease is renewed.
        """
        if self.draining.is_set() or self._is_running(delivery_id):
            return
        runtime = self._platform.runtimes[domain]
        async with runtime.database.session() as session, session.begin():
            table = runtime.domain.get_table("deliveries")
            delivery = await deliveries.claim(session, table, delivery_id, attempts)
        task = asyncio.current_task()
        if delivery is None or task is None:
            return
        held = _Held(runtime, delivery, task)
        self._held.add(held)
        try:
            start_trace(delivery.traceparent)
            with (
                JOB_SECONDS.labels(delivery.destination).time(),
                open_span(delivery.destination, "consumer", traceparent=delivery.traceparent),
            ):
                outcome = await self._handle(held)
            JOBS.labels(delivery.destination, outcome).inc()
        finally:
            self._held.discard(held)

    async def finish(self, within: float) -> None:
        """Wait until what is running has ended, for so many seconds at most."""
        if running := {held.task for held in self._held}:
            get_logger().info("Worker draining", jobs=len(running))
            await asyncio.wait(running, timeout=within)

    async def renew_leases(self) -> None:
        """Renew the leases of what is running until cancelled; cancel what another worker has claimed."""
        while True:
            by_domain: defaultdict[str, list[_Held]] = defaultdict(list)
            for held in self._held:
                by_domain[held.runtime.domain.name].append(held)
            for group in by_domain.values():
                with suppress(OSError, SQLAlchemyError):
                    await _renew(group)
            await asyncio.sleep(_RENEWAL_SECONDS)

    def _is_running(self, delivery_id: str) -> bool:
        return any(held.delivery.id == delivery_id for held in self._held)

    async def _handle(self, held: _Held) -> str:
        """Run the handler and record how it went; return the outcome for the metric."""
        destination = held.delivery.destination
        try:
            handler = self._registry.handlers.get(destination)
            if handler is None:
                raise UnknownDestination(f"This worker has no handler for {destination}.")
            await handler.handle(self._platform, held.delivery)
        except asyncio.CancelledError:
            if not held.is_lost:
                await held.record(deliveries.release)
                raise
            get_logger().warning("Job taken over by another worker", **held.description)
            return "lost"
        except Drained:
            await held.record(deliveries.release)
            return "drained"
        except DomainError as error:
            if isinstance(error, _TEMPORARY):
                return await self._fail(held, error)
            # The domain would refuse another attempt too.
            get_logger().warning("Job refused", reason=error, **held.description)
            await held.record(deliveries.finish, DeliveryState.REFUSED, describe_error(error))
            return "refused"
        except Exception as error:  # noqa: BLE001 - whatever the error, it is recorded and the job tried again
            return await self._fail(held, error)
        await held.record(deliveries.finish, DeliveryState.DONE)
        get_logger().info("Job done", **held.description)
        return "ok"

    async def _fail(self, held: _Held, error: Exception) -> str:
        get_logger().error("Job failed", exc_info=error, **held.description)
        await held.record(deliveries.fail, describe_error(error))
        return "error"


async def _renew(group: Sequence[_Held]) -> None:
    """Renew the leases of deliveries of one domain, and cancel those that are no longer held."""
    runtime = group[0].runtime
    async with runtime.database.session() as session, session.begin():
        table = runtime.domain.get_table("deliveries")
        kept = await deliveries.renew_leases(session, table, [held.delivery for held in group])
    for held in group:
        if held.delivery.id not in kept:
            held.is_lost = True
            held.task.cancel()

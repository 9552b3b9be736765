"""The metrics of the queues: what is not done, for how long, and what no relay has taken."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import Final

from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError

from subgraphs.common import deliveries, outbox
from subgraphs.common.deliveries import DeliveryState
from workers import queues
from workers.platform import Platform

DELIVERIES: Final = Gauge("deliveries", "Deliveries that are due, parked or refused.", ["queue", "state"])
OLDEST_SECONDS: Final = Gauge(
    "deliveries_oldest_seconds",
    "Age in seconds of the oldest delivery that is due, parked or refused.",
    ["queue", "state"],
)
OUTBOX_MESSAGES: Final = Gauge("outbox_messages", "Messages that no relay has taken yet.", ["domain"])
_INTERVAL_SECONDS: Final = 5.0
_STATES: Final = (DeliveryState.DUE, DeliveryState.PARKED, DeliveryState.REFUSED)


async def report_statistics(platform: Platform) -> None:
    """Update the metrics until cancelled."""
    while True:
        with suppress(OSError, SQLAlchemyError):
            await update_statistics(platform)
        await asyncio.sleep(_INTERVAL_SECONDS)


async def update_statistics(platform: Platform) -> None:
    """Count the messages and deliveries of all domains once."""
    counts: defaultdict[tuple[str, DeliveryState], int] = defaultdict(int)
    ages: defaultdict[tuple[str, DeliveryState], float] = defaultdict(float)
    for runtime in platform.runtimes.values():
        async with runtime.database.read() as session:
            table = runtime.domain.get_table("deliveries")
            for queue, state, count, age in await deliveries.count_by_queue(session, table):
                counts[queue, state] += count
                ages[queue, state] = max(ages[queue, state], age.total_seconds())
            waiting = await outbox.count_rows(session, runtime.domain.get_table("outbox"))
        OUTBOX_MESSAGES.labels(runtime.domain.name).set(waiting)
    for queue in queues.CONCURRENCY:
        for state in _STATES:
            DELIVERIES.labels(queue, state.value.lower()).set(counts[queue, state])
            OLDEST_SECONDS.labels(queue, state.value.lower()).set(ages[queue, state])

"""Retention: finished deliveries, inbox entries and webhook receipts are deleted after some days."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from subgraphs.common import deliveries, outbox, webhooks
from subgraphs.common.retention import PruneMessages
from subgraphs.domains import DOMAINS
from workers import queues
from workers.platform import Platform
from workers.registry import schedule, task

_BATCH_SIZE: Final = 1000
_INTERVAL: Final = timedelta(hours=1)


@task(PruneMessages, queue=queues.DEFAULT)
async def prune_messages(platform: Platform, job: PruneMessages) -> None:
    """Delete the finished messages that are older than the retention, in short transactions."""
    runtime = platform.runtimes[job.domain]
    retention = timedelta(days=runtime.settings.message_retention_days)
    prunings = [("deliveries", deliveries.prune), ("inbox", outbox.prune_inbox)]
    if runtime.domain.webhook_sources:
        prunings.append(("webhook_receipts", webhooks.prune))
    for name, prune in prunings:
        deleted = _BATCH_SIZE
        while deleted == _BATCH_SIZE:
            async with runtime.database.session() as session, session.begin():
                deleted = await prune(session, runtime.domain.get_table(name), retention, _BATCH_SIZE)


for _domain in DOMAINS:
    schedule(PruneMessages(_domain), domain=_domain, every=_INTERVAL)

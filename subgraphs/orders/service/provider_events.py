"""What payment providers report by webhooks."""

from __future__ import annotations

from subgraphs.common import webhooks
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger
from subgraphs.orders import repository
from subgraphs.orders.service.attempts import check_attempt
from subgraphs.orders.webhooks import SOURCES


async def handle_payment_event(runtime: Runtime, receipt_id: str) -> None:
    """Settle the payment that an event is about, as the provider reports it now.

    The event may arrive before the answer to the request that made the payment has been recorded, so the
    attempt is also found by its own id.
    """
    source, event = await webhooks.load_event(runtime, SOURCES, receipt_id)
    async with runtime.database.read() as session:
        attempt = await repository.find_any_attempt(session, source.provider, event.reference, event.own_id)
    if attempt is None:
        get_logger().warning(
            "Webhook about an unknown payment", source=source.name, reference=event.reference
        )
        return
    await check_attempt(runtime, attempt)

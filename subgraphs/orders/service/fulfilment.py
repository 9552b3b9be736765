"""Fulfilment: the data of an order that its printing and shipping need."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.postal import Address, ShippingLevel
from subgraphs.common.runtime import Runtime
from subgraphs.orders import repository


@dataclass(frozen=True, slots=True)
class FulfilmentOrder:
    """The data of an order that its printing and shipping need."""

    order_id: str
    owner_id: str
    snapshot_id: str
    product_id: str
    quantity: int
    shipping_level: ShippingLevel
    address: Address


async def get_fulfilment_order(runtime: Runtime, order_id: str) -> FulfilmentOrder:
    """Get what is needed to fulfil an order; NotFound when there is none."""
    async with runtime.database.read() as session:
        order = await repository.get_any_order(session, order_id)
    return FulfilmentOrder(
        order_id=order.id,
        owner_id=order.owner_id,
        snapshot_id=order.snapshot_id,
        product_id=order.product_id,
        quantity=order.quantity,
        shipping_level=order.shipping_level,
        address=order.address,
    )

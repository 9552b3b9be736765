"""The events of the orders domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Event


@dataclass(frozen=True, slots=True)
class OrderPaid(Event):
    """An order has been paid: its copies may be printed."""

    order_id: str


@dataclass(frozen=True, slots=True)
class OrderCancelled(Event):
    """An order has been cancelled: it must not be printed."""

    order_id: str

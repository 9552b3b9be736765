"""What orders tells the platform."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Event


@dataclass(frozen=True, slots=True)
class OrderPaid(Event):
    """The money is there: the copies may be made."""

    order_id: str


@dataclass(frozen=True, slots=True)
class OrderCancelled(Event):
    """The parent stopped the order: nothing more may be made."""

    order_id: str


@dataclass(frozen=True, slots=True)
class OrderShipped(Event):
    """The parcel is on its way."""

    order_id: str

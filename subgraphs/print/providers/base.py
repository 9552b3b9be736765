"""What a print shop can do for us, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from subgraphs.print.prices import ShippingLevel
from subgraphs.print.states import PrintJobStatus


class SubmissionRefused(Exception):
    """The shop has answered that it will not print this; nothing was accepted."""


class ShopUnreachable(Exception):
    """No answer: whether the shop has accepted what it was sent is not known."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where the parcel goes."""

    name: str
    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country_code: str
    phone: str


@dataclass(frozen=True, slots=True)
class Submission:
    """One book to print; the shop fetches the files from their addresses."""

    external_id: str
    pod_package_id: str
    quantity: int
    shipping_level: ShippingLevel
    recipient: Recipient
    interior_url: str
    cover_url: str


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel on its way."""

    carrier: str
    tracking_id: str
    tracking_url: str
    shipped_at: datetime


@dataclass(frozen=True, slots=True)
class ShopJob:
    """How a job stands at the shop, in our states; the adapter translates the shop's own."""

    reference: str
    status: PrintJobStatus
    message: str = ""
    shipment: Shipment | None = None


class PrintProvider(Protocol):
    """A print shop. Every call may raise ShopUnreachable.

    `submit` is not idempotent, since the shops' interfaces are not: after an unknown outcome the caller
    must `find` before it submits again.
    """

    poll_interval: timedelta

    async def submit(self, submission: Submission) -> ShopJob:
        """Have a book printed; SubmissionRefused when the shop will not."""

    async def find(self, external_id: str) -> ShopJob | None:
        """The job that was accepted under our id."""

    async def get(self, reference: str) -> ShopJob:
        """How a job stands now."""

    async def cancel(self, reference: str) -> ShopJob:
        """Stop a job where that is still possible; how it stands then."""

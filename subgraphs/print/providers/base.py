"""The port of print shops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from subgraphs.print.prices import ShippingLevel
from subgraphs.print.states import PrintJobStatus


class SubmissionRefused(Exception):
    """The shop refused the submission; nothing was accepted."""


class ShopUnreachable(Exception):
    """The shop did not answer: whether it accepted anything is unknown."""


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
    """A job at the shop, in our states; the adapter translates the shop's own."""

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
        """Submit a book for printing."""

    async def find(self, external_id: str) -> ShopJob | None:
        """Find the job that was accepted under our id."""

    async def get(self, reference: str) -> ShopJob:
        """Read a job."""

    async def cancel(self, reference: str) -> ShopJob:
        """Cancel a job where that is still possible; return its state."""

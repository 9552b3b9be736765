"""The protocol of print shops: its submissions, answers and errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from subgraphs.common.postal import Address, ShippingLevel
from subgraphs.print.states import PrintJobStatus


class SubmissionRefused(Exception):
    """The shop refused the submission and has accepted nothing."""


class ShopUnreachable(Exception):
    """The shop did not answer: whether it accepted anything is unknown."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A book to print; the shop downloads the files from their URLs."""

    external_id: str
    pod_package_id: str
    quantity: int
    shipping_level: ShippingLevel
    address: Address
    interior_url: str
    cover_url: str


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel that has been sent."""

    carrier: str
    tracking_id: str
    tracking_url: str
    shipped_at: datetime


@dataclass(frozen=True, slots=True)
class ShopJob:
    """A print job as the shop reports it; a provider translates the shop's states into ours."""

    reference: str
    status: PrintJobStatus
    message: str = ""
    shipment: Shipment | None = None


class PrintProvider(Protocol):
    """A print shop. Every call may raise ShopUnreachable.

    `submit` is not idempotent, because the shops' APIs are not: after an unknown outcome the caller must
    `find` the job before it submits again.
    """

    poll_interval: timedelta

    async def submit(self, submission: Submission) -> ShopJob:
        """Submit a book; SubmissionRefused when the shop does not accept it."""

    async def find(self, external_id: str) -> ShopJob | None:
        """Find the job that the shop accepted under our id; None when there is none."""

    async def get(self, reference: str) -> ShopJob:
        """Get a job by the shop's reference."""

    async def cancel(self, reference: str) -> ShopJob:
        """Cancel a job if that is still possible; return the job as it is then."""

"""The offline print shop: jobs in the database, whose states depend on the time alone."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import Final

from subgraphs.common.clock import Clock
from subgraphs.common.database import Database
from subgraphs.common.ids import new_id
from subgraphs.print import repository
from subgraphs.print.models import OfflineShopJob
from subgraphs.print.providers.base import Shipment, ShopJob, ShopUnreachable, Submission
from subgraphs.print.states import CANCELLABLE, PrintJobStatus

_TIMELINE: Final = (
    PrintJobStatus.SUBMITTED,
    PrintJobStatus.PRODUCTION_DELAYED,
    PrintJobStatus.PRODUCTION_READY,
    PrintJobStatus.IN_PRODUCTION,
    PrintJobStatus.SHIPPED,
)
"""The states of a job, in their order; it can be cancelled up to PRODUCTION_DELAYED."""


class OfflinePrintShop:
    """A print shop in the database, which commits its writes in transactions of its own."""

    def __init__(self, database: Database, clock: Clock, step: timedelta) -> None:
        self.poll_interval = step
        self._database = database
        self._clock = clock
        self._step = step

    async def submit(self, submission: Submission) -> ShopJob:
        """Accept any book, as often as it is submitted."""
        job = OfflineShopJob(
            reference=new_id("shop"),
            external_id=submission.external_id,
            pod_package_id=submission.pod_package_id,
            quantity=submission.quantity,
            shipping_level=submission.shipping_level,
            accepted_at=self._clock(),
            cancelled_at=None,
        )
        async with self._database.session() as session, session.begin():
            session.add(job)
        return self._build_report(job)

    async def find(self, external_id: str) -> ShopJob | None:
        """Find a job by our id."""
        async with self._database.read() as session:
            job = await repository.find_shop_job_by_external_id(session, external_id)
        return self._build_report(job) if job else None

    async def get(self, reference: str) -> ShopJob:
        """Get a job by the shop's reference."""
        async with self._database.read() as session:
            return self._build_report(
                _require_job(await repository.find_shop_job(session, reference), reference)
            )

    async def cancel(self, reference: str) -> ShopJob:
        """Cancel a job that is not yet ready for production."""
        async with self._database.session() as session, session.begin():
            job = _require_job(await repository.find_shop_job(session, reference), reference)
            if self._build_report(job).status in CANCELLABLE:
                job.cancelled_at = self._clock()
        return self._build_report(job)

    def _build_report(self, job: OfflineShopJob) -> ShopJob:
        if job.cancelled_at is not None:
            return ShopJob(job.reference, PrintJobStatus.CANCELLED, "Cancelled before production.")
        last = len(_TIMELINE) - 1
        steps = int((self._clock() - job.accepted_at) / self._step) if self._step else last
        # Another process's clock may be ahead of ours.
        status = _TIMELINE[max(0, min(steps, last))]
        return ShopJob(
            job.reference,
            status,
            shipment=self._build_shipment(job) if status is PrintJobStatus.SHIPPED else None,
        )

    def _build_shipment(self, job: OfflineShopJob) -> Shipment:
        tracking_id = f"OFF{zlib.crc32(job.reference.encode()):010}"
        return Shipment(
            carrier="Offline Parcel",
            tracking_id=tracking_id,
            tracking_url=f"https://parcel.example/{tracking_id}",
            shipped_at=job.accepted_at + (len(_TIMELINE) - 1) * self._step,
        )


def _require_job(job: OfflineShopJob | None, reference: str) -> OfflineShopJob:
    if job is None:
        raise ShopUnreachable(f"the offline shop has no job {reference}")
    return job

"""The jobs of the print domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class PreflightPrintJob(Job):
    """Make and check the files of a print job."""

    print_job_id: str


@dataclass(frozen=True, slots=True)
class SubmitPrintJob(Job):
    """Submit a print job, or search for the submission of an earlier attempt."""

    print_job_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class ReconcilePrintJob(Job):
    """Ask the print shop for the state of a print job; `check` counts these jobs."""

    print_job_id: str
    check: int


@dataclass(frozen=True, slots=True)
class HandleShopEvent(Job):
    """Reconcile the print job that a shop's webhook is about at once."""

    receipt_id: str

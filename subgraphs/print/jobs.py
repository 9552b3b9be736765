"""What print has to get done."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Job


@dataclass(frozen=True, slots=True)
class PreflightPrintJob(Job):
    """Have the files of a print job made, and check them."""

    print_job_id: str


@dataclass(frozen=True, slots=True)
class SubmitPrintJob(Job):
    """Hand a print job to the print shop, or find out what became of the attempt before."""

    print_job_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class ReconcilePrintJob(Job):
    """Ask the print shop how a print job stands, for the time that `check` counts."""

    print_job_id: str
    check: int

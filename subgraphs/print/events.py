"""The events of the print domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Event


@dataclass(frozen=True, slots=True)
class PrintJobStatusChanged(Event):
    """A print job has changed its state to `status`, a name of PrintJobStatus; `message` may be empty."""

    print_job_id: str
    order_id: str
    status: str
    message: str

"""The use cases of print: a job is created, checked, submitted, followed and perhaps cancelled."""

from subgraphs.print.service.cancellation import cancel_print_job
from subgraphs.print.service.checking import FileToPrint, begin_preflight, check_files, reject_print_job
from subgraphs.print.service.creation import NewPrintJob, create_print_job, order_of
from subgraphs.print.service.reconciliation import reconcile_print_job
from subgraphs.print.service.submission import Delivery, submit_print_job

__all__ = [
    "Delivery",
    "FileToPrint",
    "NewPrintJob",
    "begin_preflight",
    "cancel_print_job",
    "check_files",
    "create_print_job",
    "order_of",
    "reconcile_print_job",
    "reject_print_job",
    "submit_print_job",
]

"""The use cases of the print domain."""

from __future__ import annotations

from subgraphs.print.catalogue import get_product, list_products
from subgraphs.print.geometry import BookFormat
from subgraphs.print.service.cancellation import cancel_print_job
from subgraphs.print.service.creation import NewPrintJob, create_print_job, get_order_id
from subgraphs.print.service.jobs import list_print_jobs
from subgraphs.print.service.preflight import FileToPrint, begin_preflight, check_files, reject_print_job
from subgraphs.print.service.reconciliation import reconcile_print_job
from subgraphs.print.service.shop_events import handle_shop_event
from subgraphs.print.service.submission import ShippingDetails, submit_print_job

__all__ = [
    "BookFormat",
    "FileToPrint",
    "NewPrintJob",
    "ShippingDetails",
    "begin_preflight",
    "cancel_print_job",
    "check_files",
    "create_print_job",
    "get_order_id",
    "get_product",
    "handle_shop_event",
    "list_print_jobs",
    "list_products",
    "reconcile_print_job",
    "reject_print_job",
    "submit_print_job",
]

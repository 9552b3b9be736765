"""The list of print jobs, for staff."""

from __future__ import annotations

from subgraphs.common.identity import Identity
from subgraphs.common.pagination import Page, PageRequest
from subgraphs.common.runtime import Runtime
from subgraphs.print import repository
from subgraphs.print.models import PrintJob


async def list_print_jobs(runtime: Runtime, staff: Identity, request: PageRequest) -> Page[PrintJob]:
    """List a page of the print jobs of all parents, newest first."""
    staff.require("staff")
    async with runtime.database.read() as session:
        return await repository.list_jobs(session, request)

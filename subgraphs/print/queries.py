"""The queries of the print domain."""

from __future__ import annotations

import strawberry

from subgraphs.common.pagination import PageRequest
from subgraphs.common.types import PAGED, After, Connection, First, sized
from subgraphs.print import service
from subgraphs.print.types import Info, PrintJob, PrintProduct

STAFF = [["staff"]]


@strawberry.type
class Query:
    """The root query fields."""

    @strawberry.field(directives=[sized(10)], description="The products that a book can be printed as.")
    def print_products(self) -> list[PrintProduct]:
        """List the catalogue."""
        return [PrintProduct.of(product) for product in service.list_products()]

    @strawberry.field(description="A product by its id, such as `casewrap-8.5-square`.")
    def print_product(self, id: strawberry.ID) -> PrintProduct:
        """Look up a product; NotFound when there is none."""
        return PrintProduct.of(service.get_product(id))

    @strawberry.federation.field(
        requires_scopes=STAFF, directives=[PAGED], description="The print jobs of all parents."
    )
    async def print_jobs(self, info: Info, first: First = 20, after: After = None) -> Connection[PrintJob]:
        """List the print jobs of all parents, for staff."""
        context = info.context
        page = await service.list_print_jobs(context.runtime, context.identity, PageRequest.of(first, after))
        return Connection.of(page, [PrintJob.of(row) for row in page.rows])

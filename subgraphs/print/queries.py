"""What can be asked of print."""

import strawberry

from subgraphs.common.pagination import PageRequest
from subgraphs.common.types import PAGED, After, Connection, First, sized
from subgraphs.print import catalogue, repository
from subgraphs.print.loaders import Info
from subgraphs.print.types import PrintJob, PrintProduct


@strawberry.type
class Query:
    """The root fields of print."""

    @strawberry.field(directives=[sized(10)], description="Everything that a book can be printed as.")
    def print_products(self) -> list[PrintProduct]:
        """List the catalogue."""
        return [PrintProduct.of(product) for product in catalogue.products()]

    @strawberry.field(description="A product by its id, such as `casewrap-8.5-square`.")
    def print_product(self, id: strawberry.ID) -> PrintProduct:
        """Look a product up."""
        return PrintProduct.of(catalogue.product(id))

    @strawberry.federation.field(
        requires_scopes=[["staff"]], directives=[PAGED], description="Everybody's print jobs."
    )
    async def print_jobs(self, info: Info, first: First = 20, after: After = None) -> Connection[PrintJob]:
        """List the jobs, for staff."""
        info.context.identity.require("staff")
        request = PageRequest.of(first, after)
        async with info.context.runtime.database.read() as session:
            page = await repository.newest_jobs(session, request)
        return Connection.of(page, [PrintJob.of(row) for row in page.rows])

"""The print domain's part of the graph."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

import strawberry

from subgraphs.common.context import Context
from subgraphs.common.postal import ShippingLevel
from subgraphs.common.types import Money, sized
from subgraphs.print import catalogue, models, preflight, prices
from subgraphs.print.catalogue import Binding
from subgraphs.print.loaders import Loaders
from subgraphs.print.preflight import PreflightCode
from subgraphs.print.states import PrintJobStatus

Info = strawberry.Info[Context[Loaders], None]

strawberry.enum(Binding, description="The binding of a book.")
strawberry.enum(PreflightCode, description="The kinds of issues that preflight finds.")
strawberry.enum(
    PrintJobStatus,
    description=(
        "Up to SUBMITTING the platform's own states: created, files checked or rejected, being submitted. "
        "From SUBMITTED on those of the print shop. SHIPPED, REJECTED, CANCELLED and ERROR are final."
    ),
)


@strawberry.type(description="The cost of printing and shipping.")
class PrintCost:
    """The parts of a price."""

    items: Money = strawberry.field(description="The price of all copies.")
    shipping: Money = strawberry.field(description="One parcel with all copies.")
    fulfilment: Money = strawberry.field(description="The fee for handling the order.")
    tax: Money = strawberry.field(description="What the print shop adds for the destination.")
    total: Money

    @classmethod
    def of(cls, cost: prices.Cost) -> Self:
        """Convert a cost."""
        return cls(
            items=Money.of(cost.items),
            shipping=Money.of(cost.shipping),
            fulfilment=Money.of(cost.fulfilment),
            tax=Money.of(cost.tax),
            total=Money.of(cost.total),
        )


@strawberry.federation.type(keys=["id"], description="A product that a book can be printed as.")
class PrintProduct:
    """A product of the catalogue."""

    id: strawberry.ID
    name: str
    description: str
    pod_package_id: str = strawberry.field(description="The product's code at the print shop, with dots.")
    format: Annotated[BookFormat, strawberry.lazy(__name__)] = strawberry.field(
        description="The format of the books that it is made of."
    )
    trim_width: float = strawberry.field(description="Trim width in inches.")
    trim_height: float = strawberry.field(description="Trim height in inches.")
    binding: Binding
    minimum_pages: int
    maximum_pages: int

    @classmethod
    def of(cls, product: catalogue.Product) -> Self:
        """Convert a product."""
        return cls(
            id=strawberry.ID(product.id),
            name=product.name,
            description=product.description,
            pod_package_id=product.pod_package_id,
            format=BookFormat(id=strawberry.ID(product.format_id)),
            trim_width=float(product.trim_width),
            trim_height=float(product.trim_height),
            binding=product.binding,
            minimum_pages=product.minimum_pages,
            maximum_pages=product.maximum_pages,
        )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Self:
        """Find a product of the catalogue; NotFound when there is none."""
        return cls.of(catalogue.get_product(id))

    @strawberry.field(description="The cost of copies of a book as this product, before sales tax.")
    def cost(
        self,
        page_count: Annotated[int, strawberry.argument(description="An even number of interior pages.")],
        country_code: Annotated[str, strawberry.argument(description="ISO 3166-1, two capital letters.")],
        shipping_level: ShippingLevel,
        quantity: Annotated[int, strawberry.argument(description="From 1 to 100.")] = 1,
    ) -> PrintCost:
        """Compute the cost from the price tables."""
        product = catalogue.get_product(self.id)
        return PrintCost.of(prices.compute_cost(product, page_count, quantity, country_code, shipping_level))


@strawberry.federation.type(keys=["id"])
class BookFormat:
    """What the print domain adds to a format of books."""

    id: strawberry.ID

    @strawberry.field(
        directives=[sized(10)], description="The products that books of this format can be printed as."
    )
    def print_products(self) -> list[PrintProduct]:
        """List the products of the catalogue."""
        return [PrintProduct.of(product) for product in catalogue.list_products_of_format(self.id)]


@strawberry.type(description="One reason why a file cannot be printed.")
class PreflightIssue:
    """An issue of a report."""

    code: PreflightCode
    page: int | None = strawberry.field(
        description="The page of the interior; null for the cover and for the whole file."
    )
    message: str


@strawberry.type(description="The preflight of a job's files, before they go to the print shop.")
class PreflightReport:
    """A report."""

    passed: bool
    issues: list[PreflightIssue] = strawberry.field(directives=[sized(20)])
    checked_at: datetime
    effective_ppi: int | None = strawberry.field(
        description="Pixels per inch of the coarsest picture at its printed size."
    )

    @classmethod
    def of(cls, report: preflight.PreflightReport) -> Self:
        """Convert a report."""
        return cls(
            passed=report.passed,
            issues=[PreflightIssue(code=i.code, page=i.page, message=i.message) for i in report.issues],
            checked_at=report.checked_at,
            effective_ppi=report.effective_ppi,
        )


@strawberry.type(description="A parcel on its way.")
class Shipment:
    """A shipment."""

    carrier: str
    tracking_id: str
    tracking_url: str
    shipped_at: datetime


@strawberry.type(description="A transition of a print job into a state.")
class PrintJobTransition:
    """A transition."""

    sequence: int = strawberry.field(description="From 1, without gaps.")
    status: PrintJobStatus
    at: datetime
    message: str = strawberry.field(description="The reason in words; often empty.")

    @classmethod
    def of(cls, row: models.PrintJobTransition) -> Self:
        """Convert a row."""
        return cls(sequence=row.sequence, status=row.status, at=row.at, message=row.message)


@strawberry.federation.type(keys=["id"], description="The print job of an order.")
class PrintJob:
    """A print job."""

    id: strawberry.ID
    status: PrintJobStatus
    provider_reference: str | None = strawberry.field(description="The job's id at the print shop.")
    preflight: PreflightReport | None = strawberry.field(description="Null until the files are checked.")
    shipment: Shipment | None = strawberry.field(description="Null until the books are sent.")
    created_at: datetime
    order_id: strawberry.Private[str]
    product_id: strawberry.Private[str]

    @classmethod
    def of(cls, row: models.PrintJob) -> Self:
        """Convert a row."""
        report = preflight.PreflightReport.from_json(row.preflight) if row.preflight else None
        return cls(
            id=strawberry.ID(row.id),
            status=row.status,
            provider_reference=row.provider_reference,
            preflight=PreflightReport.of(report) if report else None,
            shipment=_convert_shipment(row),
            created_at=row.created_at,
            order_id=row.order_id,
            product_id=row.product_id,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find a print job of the caller's."""
        row = await info.context.loaders.job.load(id)
        return cls.of(row) if row else None

    @strawberry.field(description="The order that is printed.")
    def order(self) -> Order | None:
        """Refer to the order, which the orders domain resolves."""
        return Order(id=strawberry.ID(self.order_id))

    @strawberry.field
    def product(self) -> PrintProduct:
        """Look up the product."""
        return PrintProduct.of(catalogue.get_product(self.product_id))

    @strawberry.field(directives=[sized(20)], description="Every transition of the job, oldest first.")
    async def history(self, info: Info) -> list[PrintJobTransition]:
        """Load the transitions."""
        return [
            PrintJobTransition.of(row) for row in await info.context.loaders.transitions_of_job.load(self.id)
        ]


@strawberry.federation.type(keys=["id"])
class Order:
    """What the print domain adds to an order."""

    id: strawberry.ID

    @strawberry.field(description="The order's print job; null before it is paid.")
    async def print_job(self, info: Info) -> PrintJob | None:
        """Load the print job, if it is the caller's."""
        row = await info.context.loaders.job_of_order.load(self.id)
        return PrintJob.of(row) if row else None


def _convert_shipment(row: models.PrintJob) -> Shipment | None:
    if row.shipment is None:
        return None
    return Shipment(
        carrier=row.shipment["carrier"],
        tracking_id=row.shipment["tracking_id"],
        tracking_url=row.shipment["tracking_url"],
        shipped_at=datetime.fromisoformat(row.shipment["shipped_at"]),
    )

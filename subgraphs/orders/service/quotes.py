"""Quotes: prices of copies of an approved book, which hold for 24 hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from subgraphs.common.graph import GraphClient
from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.money import Money
from subgraphs.common.postal import Address, ShippingLevel
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.common.validation import require_in_range
from subgraphs.orders.errors import BookNotApproved, ProductDoesNotFit
from subgraphs.orders.models import Quote

QUOTE_LIFETIME = timedelta(hours=24)
_MAX_COPIES = 100

_BOOK = """
query BookToPrint($bookId: ID!, $productId: ID!) {
  book(id: $bookId) { snapshot { id pageCount format { id } } }
  printProduct(id: $productId) { format { id } minimumPages maximumPages }
}
"""
_COST = """
query CostOfPrinting(
  $productId: ID!, $pageCount: Int!, $quantity: Int!, $countryCode: String!, $shippingLevel: ShippingLevel!
) {
  printProduct(id: $productId) {
    cost(
      pageCount: $pageCount, quantity: $quantity, countryCode: $countryCode, shippingLevel: $shippingLevel
    ) {
      items { amount currency }
      shipping { amount currency }
      fulfilment { amount currency }
      tax { amount currency }
    }
  }
}
"""


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """The copies to quote a price for."""

    book_id: str
    product_id: str
    quantity: int
    shipping_address: Address
    shipping_level: ShippingLevel

    def normalize(self) -> QuoteRequest:
        """Normalise the request; BadUserInput when it cannot be ordered."""
        require_in_range("quantity", self.quantity, 1, _MAX_COPIES)
        address = self.shipping_address.normalize("shippingAddress")
        return QuoteRequest(self.book_id, self.product_id, self.quantity, address, self.shipping_level)


@dataclass(frozen=True, slots=True)
class Price:
    """The snapshot to print, and the parts of its price."""

    snapshot_id: str
    items: Money
    shipping: Money
    fulfilment: Money
    tax: Money

    @property
    def total(self) -> Money:
        """The amount to pay."""
        return self.items + self.shipping + self.fulfilment + self.tax


async def create_quote(runtime: Runtime, parent: Identity, request: QuoteRequest) -> Quote:
    """Query the price and store it as a quote.

    BadUserInput when the request cannot be ordered, BookNotApproved when the book has no snapshot,
    ProductDoesNotFit when it cannot be printed as the product.
    """
    parent.require("parent")
    request = request.normalize()
    price = await _fetch_price(runtime.graph, parent, request)
    async with runtime.unit_of_work() as uow:
        return store_quote(uow, parent, request, price)


def store_quote(uow: UnitOfWork, parent: Identity, request: QuoteRequest, price: Price) -> Quote:
    """Store a quote for the parent."""
    quote = Quote(
        id=new_id("quo"),
        owner_id=parent.user_id,
        book_id=request.book_id,
        snapshot_id=price.snapshot_id,
        product_id=request.product_id,
        quantity=request.quantity,
        shipping_level=request.shipping_level,
        shipping_address=request.shipping_address.as_json(),
        currency=price.total.currency,
        items=price.items.amount,
        shipping=price.shipping.amount,
        fulfilment=price.fulfilment.amount,
        tax=price.tax.amount,
        created_at=uow.now,
        expires_at=uow.now + QUOTE_LIFETIME,
    )
    uow.session.add(quote)
    return quote


async def _fetch_price(graph: GraphClient, parent: Identity, request: QuoteRequest) -> Price:
    """Query the snapshot to print and its price."""
    ids = {"bookId": request.book_id, "productId": request.product_id}
    data = await graph.query(parent, _BOOK, ids)
    snapshot, product = data["book"]["snapshot"], data["printProduct"]
    if snapshot is None:
        raise BookNotApproved
    if not _fits(snapshot, product):
        raise ProductDoesNotFit
    variables = {
        "productId": request.product_id,
        "pageCount": snapshot["pageCount"],
        "quantity": request.quantity,
        "countryCode": request.shipping_address.country_code,
        "shippingLevel": request.shipping_level.value,
    }
    cost = (await graph.query(parent, _COST, variables))["printProduct"]["cost"]
    parts = {part: _parse_money(cost[part]) for part in ("items", "shipping", "fulfilment", "tax")}
    return Price(snapshot_id=snapshot["id"], **parts)


def _fits(snapshot: dict[str, Any], product: dict[str, Any]) -> bool:
    has_bindable_length = product["minimumPages"] <= snapshot["pageCount"] <= product["maximumPages"]
    return bool(snapshot["format"] == product["format"] and has_bindable_length)


def _parse_money(value: dict[str, Any]) -> Money:
    return Money(value["amount"], value["currency"])

"""The cost of printing and shipping: the shop's price of a copy, and our own table of shipping prices.

All amounts are exact, in US dollars. The price of a copy is rounded to the cent, half up, before it is
multiplied, so that the cost of the items is the displayed price of one copy times the quantity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from subgraphs.common.errors import BadUserInput
from subgraphs.common.money import Money, Rounding
from subgraphs.common.postal import ShippingLevel
from subgraphs.common.validation import require_in_range
from subgraphs.print.catalogue import Product
from subgraphs.print.countries import Zone, find_zone

CURRENCY: Final = "USD"
MAX_COPIES: Final = 100
_FULFILMENT: Final = 175
"""Cents for handling an order of any quantity."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The parts of a price; `tax` is what the shop adds for the destination."""

    items: Money
    shipping: Money
    fulfilment: Money
    tax: Money

    @property
    def total(self) -> Money:
        """The sum of the parts."""
        return self.items + self.shipping + self.fulfilment + self.tax


# Cents for the first copy of a parcel and for each further one. The table is an estimate: it extrapolates
# from one known price (5.69 by mail within the United States) by distance and speed.
_SHIPPING: Final[dict[ShippingLevel, dict[Zone, tuple[int, int]]]] = {
    ShippingLevel.MAIL: {
        Zone.UNITED_STATES: (569, 100), Zone.NEAR: (799, 150), Zone.FAR: (1099, 250),
    },
    ShippingLevel.PRIORITY_MAIL: {
        Zone.UNITED_STATES: (799, 125), Zone.NEAR: (1199, 200), Zone.FAR: (1599, 350),
    },
    ShippingLevel.GROUND: {
        Zone.UNITED_STATES: (1099, 125), Zone.NEAR: (1499, 200), Zone.FAR: (2199, 400),
    },
    ShippingLevel.EXPEDITED: {
        Zone.UNITED_STATES: (1799, 200), Zone.NEAR: (2299, 350), Zone.FAR: (3299, 600),
    },
    ShippingLevel.EXPRESS: {
        Zone.UNITED_STATES: (2799, 300), Zone.NEAR: (3499, 500), Zone.FAR: (4999, 900),
    },
}  # fmt: skip


def compute_copy_price(product: Product, page_count: int) -> Money:
    """Compute the price of one copy: a base price and a price for each page."""
    dollars = product.base_price + page_count * product.page_price
    return Money.of_decimal(dollars, CURRENCY, Rounding.HALF_UP)


def compute_cost(
    product: Product, page_count: int, quantity: int, country_code: str, shipping_level: ShippingLevel
) -> Cost:
    """Compute the cost of copies of a book; BadUserInput when they cannot be printed or shipped."""
    require_in_range("pageCount", page_count, product.minimum_pages, product.maximum_pages)
    if page_count % product.page_multiple:
        raise BadUserInput("pageCount", f"pageCount must be a multiple of {product.page_multiple}.")
    require_in_range("quantity", quantity, 1, MAX_COPIES)
    table = _SHIPPING[shipping_level][find_zone(country_code)]
    first_copy, further_copy = (Money(cents, CURRENCY) for cents in table)
    return Cost(
        items=compute_copy_price(product, page_count) * quantity,
        shipping=first_copy + further_copy * (quantity - 1),
        fulfilment=Money(_FULFILMENT, CURRENCY),
        tax=Money.zero(CURRENCY),
    )

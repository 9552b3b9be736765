"""The catalogue: the products that a book can be printed as."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from subgraphs.common.errors import NotFound


class Binding(StrEnum):
    """The binding of a book."""

    CASEWRAP = "CASEWRAP"


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the print shop; sizes are in inches, prices in US dollars."""

    id: str
    name: str
    description: str
    pod_package_id: str
    trim_width: Decimal
    trim_height: Decimal
    binding: Binding
    minimum_pages: int
    maximum_pages: int
    page_multiple: int
    minimum_ppi: int
    base_price: Decimal
    page_price: Decimal


_PRODUCTS: Final = (
    Product(
        id="casewrap-8.5-square",
        name="Square hardcover picture book",
        description=(
            "8.5 by 8.5 inches, printed hard cover with a matte finish, premium colour on coated paper."
        ),
        pod_package_id="0850X0850.FC.PRE.CW.080CW444.MXX",
        trim_width=Decimal("8.5"),
        trim_height=Decimal("8.5"),
        binding=Binding.CASEWRAP,
        minimum_pages=24,
        maximum_pages=800,
        page_multiple=2,
        minimum_ppi=200,
        base_price=Decimal("10.55"),
        page_price=Decimal("0.2065"),
    ),
)
_BY_ID: Final = {product.id: product for product in _PRODUCTS}


def list_products() -> tuple[Product, ...]:
    """List all products."""
    return _PRODUCTS


def get_product(product_id: str) -> Product:
    """Get a product by its id; NotFound when there is none."""
    if product_id not in _BY_ID:
        raise NotFound("PrintProduct", product_id)
    return _BY_ID[product_id]

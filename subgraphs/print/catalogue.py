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
    """A product of the print shop for books of one format; lengths are in inches, prices in US dollars."""

    id: str
    name: str
    description: str
    pod_package_id: str
    format_id: str
    trim_width: Decimal
    trim_height: Decimal
    bleed: Decimal
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
        format_id="square-8.5",
        trim_width=Decimal("8.5"),
        trim_height=Decimal("8.5"),
        bleed=Decimal("0.125"),
        binding=Binding.CASEWRAP,
        minimum_pages=24,
        maximum_pages=800,
        page_multiple=2,
        minimum_ppi=200,
        base_price=Decimal("10.55"),
        page_price=Decimal("0.2065"),
    ),
    Product(
        id="casewrap-7.5-square",
        name="Small square hardcover picture book",
        description=(
            "7.5 by 7.5 inches, printed hard cover with a matte finish, premium colour on coated paper."
        ),
        pod_package_id="0750X0750.FC.PRE.CW.080CW444.MXX",
        format_id="square-7.5",
        trim_width=Decimal("7.5"),
        trim_height=Decimal("7.5"),
        bleed=Decimal("0.125"),
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


def list_products_of_format(format_id: str) -> tuple[Product, ...]:
    """List the products that books of a format can be printed as."""
    return tuple(product for product in _PRODUCTS if product.format_id == format_id)


def get_product(product_id: str) -> Product:
    """Get a product by its id; NotFound when there is none."""
    if product_id not in _BY_ID:
        raise NotFound("PrintProduct", product_id)
    return _BY_ID[product_id]

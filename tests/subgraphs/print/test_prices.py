"""Print prices, compared with vectors from the print shop's price sheet."""

from dataclasses import replace
from decimal import Decimal

import pytest

from subgraphs.common.errors import BadUserInput, NotFound
from subgraphs.common.money import Money
from subgraphs.common.postal import ShippingLevel
from subgraphs.print.catalogue import get_product, list_products
from subgraphs.print.countries import Zone, find_zone
from subgraphs.print.prices import compute_copy_price, compute_cost

CASEWRAP = get_product("casewrap-8.5-square")


def test_a_32_page_casewrap_costs_base_and_pages() -> None:
    # 10.55 + 32 x 0.2065 = 17.158
    assert compute_copy_price(CASEWRAP, 32) == Money(1716, "USD")


def test_the_price_agrees_with_the_one_known_answer_of_the_print_shop() -> None:
    paperback = replace(CASEWRAP, base_price=Decimal("2.07"))
    assert compute_copy_price(paperback, 32) == Money(868, "USD")


def test_half_cents_are_rounded_up() -> None:
    # 10.55 + 30 x 0.2065 = 16.745
    assert compute_copy_price(CASEWRAP, 30) == Money(1675, "USD")


def test_every_part_of_the_cost_is_exact() -> None:
    parts = compute_cost(CASEWRAP, 32, 3, "US", ShippingLevel.MAIL)
    assert parts.items == Money(5148, "USD")
    assert parts.shipping == Money(769, "USD")
    assert parts.fulfilment == Money(175, "USD")
    assert parts.tax == Money(0, "USD")
    assert parts.total == Money(6092, "USD")


def test_shipping_grows_with_speed_and_with_distance() -> None:
    table = [
        [compute_cost(CASEWRAP, 32, 1, country, level).shipping.amount for country in ("US", "DE", "JP")]
        for level in ShippingLevel
    ]
    assert table[0] == [569, 799, 1099]
    assert all(row == sorted(set(row)) for row in table)
    assert all(list(column) == sorted(set(column)) for column in zip(*table, strict=True))


@pytest.mark.parametrize(
    ("field", "pages", "quantity", "country"),
    [
        ("pageCount", 22, 1, "US"),
        ("pageCount", 802, 1, "US"),
        ("pageCount", 33, 1, "US"),
        ("pageCount", -2, 1, "US"),
        ("quantity", 32, 0, "US"),
        ("quantity", 32, 101, "US"),
        ("countryCode", 32, 1, "XX"),
        ("countryCode", 32, 1, "us"),
        ("countryCode", 32, 1, ""),
    ],
)
def test_an_unprintable_or_undeliverable_product_is_refused_by_field(
    field: str, pages: int, quantity: int, country: str
) -> None:
    with pytest.raises(BadUserInput) as refusal:
        compute_cost(CASEWRAP, pages, quantity, country, ShippingLevel.MAIL)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("code", "expected"), [("US", Zone.UNITED_STATES), ("GB", Zone.NEAR), ("NZ", Zone.FAR)]
)
def test_countries_belong_to_zones(code: str, expected: Zone) -> None:
    assert find_zone(code) is expected


def test_package_ids_have_the_dotted_form_of_27_characters() -> None:
    for item in list_products():
        trim, ink, quality, binding, paper, finish = item.pod_package_id.split(".")
        assert trim == f"{int(item.trim_width * 100):04}X{int(item.trim_height * 100):04}"
        assert (ink, quality, binding) == ("FC", "PRE", "CW")
        assert len(trim + ink + quality + binding + paper + finish) == 27


def test_an_unknown_product_is_not_found() -> None:
    with pytest.raises(NotFound):
        get_product("saddle-stitch")

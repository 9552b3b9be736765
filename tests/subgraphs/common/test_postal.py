"""Postal addresses: normalised, or refused with the name of the invalid part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from subgraphs.common.errors import BadUserInput
from subgraphs.common.postal import COUNTRIES, Address, check_country

ADDRESS = Address("Ada", "1 Byron Row", None, "London", None, "N1 1AA", "GB", "+44 20 7946 0000")
MAX_LENGTHS = {"name": 80, "line1": 100, "line2": 100, "city": 60, "region": 60, "postal_code": 20}


def test_an_address_is_trimmed_and_its_country_capitalised() -> None:
    typed = replace(ADDRESS, name=" Ada ", line2="  ", country_code=" gb ", phone=" +44 20 7946 0000\n")
    assert typed.normalize("address") == ADDRESS


def test_a_normal_address_stays_as_it_is() -> None:
    assert ADDRESS.normalize("address") == ADDRESS
    assert Address(**ADDRESS.as_json()) == ADDRESS


@pytest.mark.parametrize(("part", "length"), MAX_LENGTHS.items())
def test_each_part_has_a_maximum_length(part: str, length: int) -> None:
    longest = replace(ADDRESS, **{part: "x" * length})
    assert longest.normalize("address") == longest
    with pytest.raises(BadUserInput, match=f"at most {length} characters"):
        replace(ADDRESS, **{part: "x" * (length + 1)}).normalize("address")


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ("name", "address.name"),
        ("line1", "address.line1"),
        ("city", "address.city"),
        ("postal_code", "address.postalCode"),
        ("country_code", "address.countryCode"),
        ("phone", "address.phone"),
    ],
)
def test_a_required_part_is_named_when_it_is_empty(part: str, field: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        replace(ADDRESS, **{part: " "}).normalize("address")
    assert refused.value.field == field


@pytest.mark.parametrize("part", MAX_LENGTHS)
def test_no_part_of_an_address_keeps_invisible_characters(part: str) -> None:
    typed = replace(ADDRESS, **{part: "N1\u202e 1\u200bA\u2066A\u00ad"})
    assert typed.normalize("address") == replace(ADDRESS, **{part: "N1 1AA"})


@pytest.mark.parametrize(("part", "field"), [("phone", "phone"), ("country_code", "countryCode")])
def test_invisible_characters_are_no_part_of_a_code_or_a_number(part: str, field: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        replace(ADDRESS, **{part: f"{getattr(ADDRESS, part)}\u202e"}).normalize("address")
    assert refused.value.field == f"address.{field}"


@pytest.mark.parametrize("code", ["", "de", "ZZ", "DEU", "DE ", "EU"])
def test_only_the_codes_of_iso_3166_are_accepted(code: str) -> None:
    assert check_country("country", "DE") == "DE"
    assert len(COUNTRIES) == 249
    with pytest.raises(BadUserInput) as refused:
        check_country("country", code)
    assert refused.value.field == "country"

"""Postal addresses."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from subgraphs.common.errors import BadUserInput
from subgraphs.common.validation import clean_text

_FIELD = "shippingAddress"
_PHONE = re.compile(r"\+?[0-9 ().-]{5,24}")


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; `country_code` has the two letters of ISO 3166-1."""

    name: str
    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country_code: str
    phone: str

    def normalize(self) -> Address:
        """Normalise the address; BadUserInput for the first field that is not valid."""
        return Address(
            name=_clean("name", self.name, 80),
            line1=_clean("line1", self.line1, 100),
            line2=_clean_optional("line2", self.line2, 100),
            city=_clean("city", self.city, 60),
            region=_clean_optional("region", self.region, 60),
            postal_code=_clean("postalCode", self.postal_code, 20),
            country_code=_check_country(self.country_code),
            phone=_check_phone(self.phone),
        )

    def as_json(self) -> dict[str, Any]:
        """Convert to the JSON object that is stored."""
        return asdict(self)


def _clean(name: str, value: str, max_length: int) -> str:
    return clean_text(f"{_FIELD}.{name}", value, max_length=max_length)


def _clean_optional(name: str, value: str | None, max_length: int) -> str | None:
    return clean_text(f"{_FIELD}.{name}", value or "", min_length=0, max_length=max_length) or None


def _check_country(value: str) -> str:
    code = value.strip().upper()
    if not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise BadUserInput(f"{_FIELD}.countryCode", "countryCode must have two letters, such as DE.")
    return code


def _check_phone(value: str) -> str:
    phone = value.strip()
    if not _PHONE.fullmatch(phone) or sum(char.isdecimal() for char in phone) < 5:
        raise BadUserInput(f"{_FIELD}.phone", "phone must be a telephone number, such as +49 30 1234567.")
    return phone

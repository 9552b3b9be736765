"""Postal addresses and shipping levels."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from subgraphs.common.errors import BadUserInput
from subgraphs.common.validation import clean_text

# ISO 3166-1, alpha-2.
_COUNTRY_CODES: Final = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW
BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI
FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN
IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME
MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF
PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE
YT ZA ZM ZW
"""
COUNTRIES: Final = frozenset(_COUNTRY_CODES.split())
_PHONE: Final = re.compile(r"\+?[0-9 ().-]{5,24}")


class ShippingLevel(StrEnum):
    """Shipping levels, named as in Lulu's API."""

    MAIL = "MAIL"
    PRIORITY_MAIL = "PRIORITY_MAIL"
    GROUND = "GROUND"
    EXPEDITED = "EXPEDITED"
    EXPRESS = "EXPRESS"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address with its recipient; `country_code` is one of COUNTRIES."""

    name: str
    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country_code: str
    phone: str

    def normalize(self, field: str) -> Address:
        """Normalise the address of an input field; BadUserInput for its first part that is not valid."""

        def clean(part: str, value: str, max_length: int) -> str:
            return clean_text(f"{field}.{part}", value, max_length=max_length)

        def clean_optional(part: str, value: str | None, max_length: int) -> str | None:
            return clean_text(f"{field}.{part}", value or "", min_length=0, max_length=max_length) or None

        return Address(
            name=clean("name", self.name, 80),
            line1=clean("line1", self.line1, 100),
            line2=clean_optional("line2", self.line2, 100),
            city=clean("city", self.city, 60),
            region=clean_optional("region", self.region, 60),
            postal_code=clean("postalCode", self.postal_code, 20),
            country_code=check_country(f"{field}.countryCode", self.country_code.strip().upper()),
            phone=_check_phone(f"{field}.phone", self.phone.strip()),
        )

    def as_json(self) -> dict[str, Any]:
        """Convert to the JSON object that is stored."""
        return asdict(self)


def check_country(field: str, code: str) -> str:
    """Return the code of a country; BadUserInput for any other text."""
    if code not in COUNTRIES:
        raise BadUserInput(field, f"{field} must be a country's two-letter code of ISO 3166-1, such as DE.")
    return code


def _check_phone(field: str, phone: str) -> str:
    if not _PHONE.fullmatch(phone) or sum(char.isdecimal() for char in phone) < 5:
        raise BadUserInput(field, f"{field} must be a telephone number, such as +49 30 1234567.")
    return phone

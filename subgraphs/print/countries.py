"""The three zones of our shipping prices, by country."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from subgraphs.common.postal import check_country


class Zone(Enum):
    """A shipping zone."""

    UNITED_STATES = auto()
    NEAR = auto()
    FAR = auto()


# North America and Europe: the shop prints on both sides of the Atlantic.
_NEAR: Final = """
AD AL AT AX BA BE BG BY CA CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU
LV MC MD ME MK MT MX NL NO PL PM PR PT RO RS SE SI SJ SK SM UA VA
"""

_ZONES: Final = {"US": Zone.UNITED_STATES} | dict.fromkeys(_NEAR.split(), Zone.NEAR)


def find_zone(country_code: str) -> Zone:
    """Find the zone of a country; BadUserInput when no country has this code."""
    return _ZONES.get(check_country("countryCode", country_code), Zone.FAR)

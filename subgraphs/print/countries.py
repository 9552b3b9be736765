"""The countries of ISO 3166-1, in the three zones of our shipping prices."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from subgraphs.common.errors import BadUserInput


class Zone(Enum):
    """A shipping zone."""

    UNITED_STATES = auto()
    NEAR = auto()
    FAR = auto()


_UNITED_STATES: Final = "US"

# North America and Europe: the shop prints on both sides of the Atlantic.
_NEAR: Final = """
AD AL AT AX BA BE BG BY CA CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU
LV MC MD ME MK MT MX NL NO PL PM PR PT RO RS SE SI SJ SK SM UA VA
"""

_FAR: Final = """
AE AF AG AI AM AO AQ AR AS AU AW AZ BB BD BF BH BI BJ BL BM BN BO BQ BR BS BT BV BW BZ CC CD CF CG
CI CK CL CM CN CO CR CU CV CW CX DJ DM DO DZ EC EG EH ER ET FJ FK FM GA GD GE GF GH GL GM GN GP GQ
GS GT GU GW GY HK HM HN HT ID IL IN IO IQ IR JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LK
LR LS LY MA MF MG MH ML MM MN MO MP MQ MR MS MU MV MW MY MZ NA NC NE NF NG NI NP NR NU NZ OM PA PE
PF PG PH PK PN PS PW PY QA RE RU RW SA SB SC SD SG SH SL SN SO SR SS ST SV SX SY SZ TC TD TF TG TH
TJ TK TL TM TN TO TR TT TV TW TZ UG UM UY UZ VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""


_ZONES: Final = {
    code: zone
    for codes, zone in ((_UNITED_STATES, Zone.UNITED_STATES), (_NEAR, Zone.NEAR), (_FAR, Zone.FAR))
    for code in codes.split()
}


def find_zone(country_code: str) -> Zone:
    """Find the zone of a two-letter country code; BadUserInput when no country has it."""
    if country_code in _ZONES:
        return _ZONES[country_code]
    raise BadUserInput("countryCode", "countryCode must be a country's two-letter code of ISO 3166-1.")

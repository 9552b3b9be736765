"""The pronouns of a child."""

from __future__ import annotations

from enum import StrEnum


class Pronouns(StrEnum):
    """The pronouns that a story uses for a child."""

    SHE = "SHE"
    HE = "HE"
    THEY = "THEY"

"""The beats of a story: the grammar and the painter know fourteen, and a shorter story leaves some out."""

from __future__ import annotations

from typing import Final

_ALL: Final = range(1, 15)
_EXPENDABLE: Final = (10, 5, 12, 3)
"""Comfort, the land, success and the sign: the beats that a shorter story leaves out, in this order."""


def choose_beats(scenes: int) -> tuple[int, ...]:
    """Choose the beat of each scene of a story, from 1; ValueError for a length that is not supported."""
    left_out = len(_ALL) - scenes
    if not 0 <= left_out <= len(_EXPENDABLE):
        raise ValueError(f"a story of {scenes} scenes cannot be told")
    return tuple(beat for beat in _ALL if beat not in _EXPENDABLE[:left_out])

"""Ids: TypeIDs, with a prefix for the type and a UUIDv7, by which they sort in the order of creation."""

from __future__ import annotations

import re
from typing import Final

from typeid import TypeID

_SHAPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def new_id(prefix: str) -> str:
    """Create an id such as `book_01k…`; later ids sort after earlier ones."""
    return str(TypeID(prefix=prefix))


def is_id(text: str) -> bool:
    """Whether a text has the form of an id.

    Most are TypeIDs of at most 40 characters. A product's id is a name, such as `casewrap-8.5-square`.
    """
    return _SHAPE.fullmatch(text) is not None

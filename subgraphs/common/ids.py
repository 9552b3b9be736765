"""Opaque ids: prefixed by what they name and sortable by when they were made (TypeID, UUIDv7 inside)."""

from __future__ import annotations

from typeid import TypeID


def new_id(prefix: str) -> str:
    """Make an id such as `book_01k…`; later ids sort after earlier ones."""
    return str(TypeID(prefix=prefix))

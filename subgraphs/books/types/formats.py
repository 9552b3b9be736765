"""The formats of the catalogue."""

from __future__ import annotations

from typing import Self

import strawberry

from subgraphs.books import formats
from subgraphs.books.formats import get_format
from subgraphs.books.layouts import Layout
from subgraphs.common.types import sized

strawberry.enum(Layout, description="How a page is set.")


@strawberry.federation.type(
    keys=["id"], description="A format that books are made in; lengths are in inches."
)
class BookFormat:
    """A format of the catalogue."""

    id: strawberry.ID
    name: str
    trim_width: float = strawberry.field(description="Width of a page after it has been cut.")
    trim_height: float
    bleed: float = strawberry.field(description="What is printed beyond each edge of a page and cut off.")
    safety_margin: float = strawberry.field(description="The distance that texts keep from the cut edges.")
    page_counts: list[int] = strawberry.field(
        directives=[sized(5)], description="The page counts that a book can have; the first is the usual one."
    )
    layouts: list[Layout] = strawberry.field(
        directives=[sized(5)], description="The layouts that the pages of a scene can have."
    )

    @classmethod
    def of(cls, book_format: formats.BookFormat) -> Self:
        """Convert a format."""
        return cls(
            id=strawberry.ID(book_format.id),
            name=book_format.name,
            trim_width=book_format.trim_width,
            trim_height=book_format.trim_height,
            bleed=book_format.bleed,
            safety_margin=book_format.safety_margin,
            page_counts=list(book_format.page_counts),
            layouts=sorted(book_format.scene_layouts),
        )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Self:
        """Find a format of the catalogue; NotFound when there is none."""
        return cls.of(get_format(id))

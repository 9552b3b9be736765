"""The inputs of the ai domain's mutations."""

from __future__ import annotations

import strawberry

from subgraphs.ai.service import PagePart

strawberry.enum(PagePart, description="A part of a page that can be regenerated.")


@strawberry.input
class GenerateBookInput:
    """The input of generateBook."""

    book_id: strawberry.ID


@strawberry.input
class RegeneratePageInput:
    """The input of regeneratePage."""

    page_id: strawberry.ID
    parts: list[PagePart]
    instruction: str | None = strawberry.field(
        default=None, description="What to change, in at most 500 characters."
    )

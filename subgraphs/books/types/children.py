"""Children, whom books are made for."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import strawberry

from subgraphs.books import models
from subgraphs.books.service.children import MAX_INTERESTS
from subgraphs.books.types.info import Info
from subgraphs.common.pronouns import Pronouns
from subgraphs.common.types import sized

strawberry.enum(Pronouns, description="The pronouns that the story uses for the child.")


@strawberry.federation.type(keys=["id"], description="A child that books are made for.")
class Child:
    """A child, as its parent described it."""

    id: strawberry.ID
    name: str
    birth_month: str = strawberry.field(description="Year and month, such as 2020-05.")
    pronouns: Pronouns
    appearance: str = strawberry.field(description="The child's appearance, in the parent's words.")
    interests: list[str] = strawberry.field(directives=[sized(MAX_INTERESTS)])
    created_at: datetime

    @classmethod
    def of(cls, row: models.Child) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            name=row.name,
            birth_month=row.birth_month,
            pronouns=row.pronouns,
            appearance=row.appearance,
            interests=row.interests,
            created_at=row.created_at,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find a child of the caller's."""
        row = await info.context.loaders.child.load(id)
        return cls.of(row) if row else None

"""Files of the object store: the pictures of a book, and what is printed."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import strawberry
from strawberry.federation.schema_directives import Cost

from subgraphs.books import models
from subgraphs.books.types.info import Info

_SIGNING = Cost(weight=1)


@strawberry.federation.type(keys=["id"], description="A picture of a book.")
class Illustration:
    """A picture in the object store."""

    id: strawberry.ID
    width: int = strawberry.field(description="In pixels.")
    height: int = strawberry.field(description="In pixels.")
    sha256: str
    alt_text: str = strawberry.field(description="Alternative text.")
    created_at: datetime
    storage_key: strawberry.Private[str]

    @classmethod
    def of(cls, row: models.Illustration) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            width=row.width,
            height=row.height,
            sha256=row.sha256,
            alt_text=row.alt_text,
            created_at=row.created_at,
            storage_key=row.storage_key,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find an illustration of one of the caller's books."""
        row = await info.context.loaders.illustration.load(id)
        return cls.of(row) if row else None

    @strawberry.field(
        directives=[_SIGNING],
        description="A signed URL that serves the picture for an hour.",
    )
    def url(self, info: Info) -> str:
        """Sign the URL."""
        return _sign_url(info, self.storage_key)


async def load_illustration(info: Info, illustration_id: str | None) -> Illustration | None:
    """Load an illustration; None without an id."""
    if illustration_id is None:
        return None
    row = await info.context.loaders.illustration.load(illustration_id)
    return Illustration.of(row) if row else None


@strawberry.type(description="A PDF that is ready for the printer.")
class PrintFile:
    """A typeset file."""

    sha256: str
    page_count: int
    width_points: float = strawberry.field(
        description="Width of a page with bleed in points, 72 to the inch."
    )
    height_points: float
    bytes: int
    storage_key: strawberry.Private[str]

    @classmethod
    def of(cls, row: models.Rendition) -> Self:
        """Convert a row."""
        return cls(
            sha256=row.sha256,
            page_count=row.page_count,
            width_points=row.width_points,
            height_points=row.height_points,
            bytes=row.size,
            storage_key=row.storage_key,
        )

    @strawberry.field(directives=[_SIGNING], description="A signed URL that serves the file for an hour.")
    def url(self, info: Info) -> str:
        """Sign the URL."""
        return _sign_url(info, self.storage_key)


def _sign_url(info: Info, key: str) -> str:
    runtime = info.context.runtime
    return runtime.storage.sign_url(key, runtime.clock())

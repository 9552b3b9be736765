"""The loaders of one request: one statement for each kind of thing that it asks for side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from subgraphs.ai import repository
from subgraphs.ai.models import Generation, GenerationStep
from subgraphs.common.identity import Identity
from subgraphs.common.loaders import loader
from subgraphs.common.pagination import EMPTY, Page, PageRequest
from subgraphs.common.runtime import Runtime

Row = TypeVar("Row")
ListKey = tuple[str, PageRequest]


class Loaders:
    """The loaders of one request; whatever is not the caller's is as if it were not there."""

    def __init__(self, runtime: Runtime, caller: Identity | None) -> None:
        database, owner_id = runtime.database, caller.user_id if caller else ""

        def owned(
            fetch: Callable[[AsyncSession, str, Sequence[str]], Awaitable[Mapping[str, Row]]],
        ) -> DataLoader[str, Row | None]:
            async def of_owner(session: AsyncSession, ids: list[str]) -> Mapping[str, Row | None]:
                return dict(await fetch(session, owner_id, ids))

            return loader(database, of_owner, None)

        async def lists(session: AsyncSession, keys: list[ListKey]) -> Mapping[ListKey, Page[Generation]]:
            books: defaultdict[PageRequest, list[str]] = defaultdict(list)
            for book_id, request in keys:
                books[request].append(book_id)
            found: dict[ListKey, Page[Generation]] = {}
            for request, ids in books.items():
                rows = await repository.generations_of_books(session, owner_id, ids, request)
                found |= {(book_id, request): page for book_id, page in rows.items()}
            return found

        self.generation: DataLoader[str, Generation | None] = owned(repository.generations_by_id)
        self.newest_of_book: DataLoader[str, Generation | None] = owned(repository.newest_of_books)
        self.step: DataLoader[str, GenerationStep | None] = owned(repository.steps_by_id)
        self.generations_of_book: DataLoader[ListKey, Page[Generation]] = loader(database, lists, EMPTY)
        self.steps: DataLoader[str, list[GenerationStep]] = loader(database, repository.steps_of, [])

"""The loaders of one request: one statement for each kind of thing that it asks for side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from subgraphs.books import repository
from subgraphs.books.models import (
    Book,
    Child,
    Illustration,
    Page,
    PageVersion,
    PrintFile,
    PrintPart,
    Snapshot,
)
from subgraphs.common.identity import Identity
from subgraphs.common.loaders import loader
from subgraphs.common.pagination import EMPTY, PageRequest
from subgraphs.common.pagination import Page as ConnectionPage
from subgraphs.common.runtime import Runtime

Row = TypeVar("Row")
ListKey = tuple[str, PageRequest]
"""A parent's id, and which page of its list."""


class Loaders:
    """The loaders of one request; whatever is not the caller's is as if it were not there."""

    def __init__(self, runtime: Runtime, caller: Identity | None) -> None:
        database = runtime.database
        owner = caller.user_id if caller else ""

        def owned(entity: type[Row]) -> DataLoader[str, Row | None]:
            async def fetch(session: AsyncSession, ids: list[str]) -> Mapping[str, Row | None]:
                return await repository.owned_by_id(session, entity, owner, ids)

            return loader(database, fetch, None)

        self.child: DataLoader[str, Child | None] = owned(Child)
        self.book: DataLoader[str, Book | None] = owned(Book)
        self.page: DataLoader[str, Page | None] = owned(Page)
        self.version: DataLoader[str, PageVersion | None] = owned(PageVersion)
        self.illustration: DataLoader[str, Illustration | None] = owned(Illustration)
        self.snapshot: DataLoader[str, Snapshot | None] = owned(Snapshot)

        self.pages: DataLoader[str, Sequence[Page]] = loader(database, repository.pages_of, ())
        self.children: DataLoader[str, Sequence[Child]] = loader(database, repository.children_of, ())
        self.books: DataLoader[ListKey, ConnectionPage[Book]] = loader(
            database, _by_request(repository.books_of), EMPTY
        )
        self.versions: DataLoader[ListKey, ConnectionPage[PageVersion]] = loader(
            database, _by_request(repository.versions_of), EMPTY
        )
        self.print_files: DataLoader[str, Mapping[PrintPart, PrintFile]] = loader(
            database, repository.print_files_of, {}
        )


def _by_request(
    fetch: Callable[[AsyncSession, Sequence[str], PageRequest], Awaitable[Mapping[str, Any]]],
) -> Callable[[AsyncSession, list[ListKey]], Awaitable[Mapping[ListKey, Any]]]:
    """Batch lists by page request: parents with the same request share a statement."""

    async def fetch_all(session: AsyncSession, keys: list[ListKey]) -> Mapping[ListKey, Any]:
        parents: defaultdict[PageRequest, list[str]] = defaultdict(list)
        for parent_id, request in keys:
            parents[request].append(parent_id)
        found: dict[ListKey, Any] = {}
        for request, parent_ids in parents.items():
            for parent_id, page in (await fetch(session, parent_ids, request)).items():
                found[parent_id, request] = page
        return found

    return fetch_all

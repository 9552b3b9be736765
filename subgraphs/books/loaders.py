"""The DataLoaders of one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

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
from subgraphs.common.loaders import PageKey, create_loader, create_page_loader
from subgraphs.common.pagination import Page as ConnectionPage
from subgraphs.common.runtime import Runtime

Row = TypeVar("Row")


class Loaders:
    """The loaders of one request; they do not find what belongs to anyone but the caller."""

    def __init__(self, runtime: Runtime, caller: Identity | None) -> None:
        database = runtime.database
        owner_id = caller.user_id if caller else ""

        def create_owned_loader(entity: type[Row]) -> DataLoader[str, Row | None]:
            async def load(session: AsyncSession, ids: list[str]) -> Mapping[str, Row | None]:
                return await repository.load_owned(session, owner_id, entity, ids)

            return create_loader(database, load, None)

        self.child: DataLoader[str, Child | None] = create_owned_loader(Child)
        self.book: DataLoader[str, Book | None] = create_owned_loader(Book)
        self.page: DataLoader[str, Page | None] = create_owned_loader(Page)
        self.version: DataLoader[str, PageVersion | None] = create_owned_loader(PageVersion)
        self.illustration: DataLoader[str, Illustration | None] = create_owned_loader(Illustration)
        self.snapshot: DataLoader[str, Snapshot | None] = create_owned_loader(Snapshot)
        self.children_of_user: DataLoader[str, Sequence[Child]] = create_loader(
            database, repository.load_children_of_users, ()
        )
        self.books_of_user: DataLoader[PageKey, ConnectionPage[Book]] = create_page_loader(
            database, repository.load_books_of_users
        )
        self.pages_of_book: DataLoader[str, Sequence[Page]] = create_loader(
            database, repository.load_pages_of_books, ()
        )
        self.versions_of_page: DataLoader[PageKey, ConnectionPage[PageVersion]] = create_page_loader(
            database, repository.load_versions_of_pages
        )
        self.print_files_of_snapshot: DataLoader[str, Mapping[PrintPart, PrintFile]] = create_loader(
            database, repository.load_print_files_of_snapshots, {}
        )

"""The DataLoaders of one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from strawberry.dataloader import DataLoader

from subgraphs.books import repository
from subgraphs.books.models import (
    Book,
    Child,
    Illustration,
    Page,
    PageVersion,
    Rendition,
    RenditionKind,
    Snapshot,
)
from subgraphs.common.identity import Identity
from subgraphs.common.loaders import PageKey, bind_owner, create_loader, create_page_loader
from subgraphs.common.pagination import Page as ConnectionPage
from subgraphs.common.runtime import Runtime


class Loaders:
    """The loaders of one request; they do not find what belongs to anyone but the caller."""

    def __init__(self, runtime: Runtime, caller: Identity | None) -> None:
        database = runtime.database
        owner_id = caller.user_id if caller else ""

        self.child: DataLoader[str, Child | None] = create_loader(
            database, bind_owner(repository.load_children, owner_id), None
        )
        self.book: DataLoader[str, Book | None] = create_loader(
            database, bind_owner(repository.load_books, owner_id), None
        )
        self.page: DataLoader[str, Page | None] = create_loader(
            database, bind_owner(repository.load_pages, owner_id), None
        )
        self.version: DataLoader[str, PageVersion | None] = create_loader(
            database, bind_owner(repository.load_versions, owner_id), None
        )
        self.illustration: DataLoader[str, Illustration | None] = create_loader(
            database, bind_owner(repository.load_illustrations, owner_id), None
        )
        self.snapshot: DataLoader[str, Snapshot | None] = create_loader(
            database, bind_owner(repository.load_snapshots, owner_id), None
        )
        self.children_of_user: DataLoader[str, Sequence[Child]] = create_loader(
            database, bind_owner(repository.load_children_of_users, owner_id), ()
        )
        self.books_of_user: DataLoader[PageKey, ConnectionPage[Book]] = create_page_loader(
            database, bind_owner(repository.load_books_of_users, owner_id)
        )
        self.pages_of_book: DataLoader[str, Sequence[Page]] = create_loader(
            database, repository.load_pages_of_books, ()
        )
        self.versions_of_page: DataLoader[PageKey, ConnectionPage[PageVersion]] = create_page_loader(
            database, repository.load_versions_of_pages
        )
        self.renditions_of_snapshot: DataLoader[str, Mapping[RenditionKind, Rendition]] = create_loader(
            database, repository.load_renditions_of_snapshots, {}
        )

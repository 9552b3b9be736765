"""The DataLoaders of one request."""

from __future__ import annotations

from collections.abc import Sequence

from strawberry.dataloader import DataLoader

from subgraphs.ai import repository
from subgraphs.ai.models import Generation, GenerationStep
from subgraphs.common.identity import Identity
from subgraphs.common.loaders import PageKey, bind_owner, create_loader, create_page_loader
from subgraphs.common.pagination import Page
from subgraphs.common.runtime import Runtime


class Loaders:
    """The loaders of one request; they do not find what belongs to anyone but the caller."""

    def __init__(self, runtime: Runtime, caller: Identity | None) -> None:
        database = runtime.database
        owner_id = caller.user_id if caller else ""

        self.generation: DataLoader[str, Generation | None] = create_loader(
            database, bind_owner(repository.load_generations, owner_id), None
        )
        self.step: DataLoader[str, GenerationStep | None] = create_loader(
            database, bind_owner(repository.load_steps, owner_id), None
        )
        self.steps_of_generation: DataLoader[str, Sequence[GenerationStep]] = create_loader(
            database, repository.load_steps_of_generations, ()
        )
        self.newest_generation_of_book: DataLoader[str, Generation | None] = create_loader(
            database, bind_owner(repository.load_newest_generations_of_books, owner_id), None
        )
        self.generations_of_book: DataLoader[PageKey, Page[Generation]] = create_page_loader(
            database, bind_owner(repository.load_generations_of_books, owner_id)
        )

"""DataLoaders, which read in short sessions and schedule their batches."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Handle
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from subgraphs.common.budget import get_budget
from subgraphs.common.database import Database
from subgraphs.common.pagination import EMPTY, Page, PageRequest
from subgraphs.common.scheduling import LazyAwaitable

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Row = TypeVar("Row")
Arguments = ParamSpec("Arguments")

PageKey = tuple[str, PageRequest]
"""The id of the object that a list belongs to, and which page of the list is wanted."""


def create_loader(
    database: Database,
    fetch: Callable[[AsyncSession, list[Key]], Awaitable[Mapping[Key, Value]]],
    missing: Value,
) -> DataLoader[Key, Value]:
    """Create a loader that fetches the keys of sibling fields with one call of `fetch`.

    Each call has a read session of its own. Keys that `fetch` leaves out get `missing`.
    """

    async def load(keys: list[Key]) -> list[Value]:
        async with database.read() as session:
            found = await fetch(session, keys)
        return [found.get(key, missing) for key in keys]

    return _ScheduledLoader(load_fn=load)


def create_page_loader(
    database: Database,
    fetch: Callable[[AsyncSession, list[str], PageRequest], Awaitable[Mapping[str, Page[Row]]]],
) -> DataLoader[PageKey, Page[Row]]:
    """Create a loader of pages of lists; lists with the same page request share one call of `fetch`."""

    async def fetch_pages(session: AsyncSession, keys: list[PageKey]) -> dict[PageKey, Page[Row]]:
        parents: defaultdict[PageRequest, list[str]] = defaultdict(list)
        for parent_id, request in keys:
            parents[request].append(parent_id)
        return {
            (parent_id, request): page
            for request, parent_ids in parents.items()
            for parent_id, page in (await fetch(session, parent_ids, request)).items()
        }

    return create_loader(database, fetch_pages, EMPTY)


def bind_owner(
    fetch: Callable[Concatenate[AsyncSession, str, Arguments], Awaitable[Value]], owner_id: str
) -> Callable[Concatenate[AsyncSession, Arguments], Awaitable[Value]]:
    """Fix the owner of a repository's function that reads only rows of one owner."""

    def fetch_owned(
        session: AsyncSession, /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Awaitable[Value]:
        return fetch(session, owner_id, *args, **kwargs)

    return fetch_owned


class _ScheduledLoader(DataLoader[Key, Value]):
    """A loader that sends a batch when its operation is idle, and returns values in time slices.

    A large answer requests its keys over several iterations of the event loop, and Strawberry's own loader
    would send a batch in each.
    """

    def load(self, key: Key) -> Awaitable[Value]:
        """Load the value of a key; it is returned in a time slice that has time left."""
        get_budget().scheduler.has_time()
        return LazyAwaitable(partial(_return_in_slice, super().load(key)))

    @property
    def loop(self) -> AbstractEventLoop:
        """The event loop that batches are scheduled on."""
        return cast("AbstractEventLoop", _IdleLoop(super().loop))


async def _return_in_slice(loading: Awaitable[Value]) -> Value:
    value = await loading
    await get_budget().scheduler.wait()
    return value


class _IdleLoop:
    """An event loop whose `call_soon` waits until the current operation is idle."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def call_soon(self, callback: Callable[[], object]) -> Handle:
        """Call back once the operation is idle."""
        return self._loop.call_soon(get_budget().scheduler.call_when_idle, callback)

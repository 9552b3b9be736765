"""DataLoaders over short read sessions."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Handle
from collections.abc import Awaitable, Callable, Hashable, Mapping
from functools import partial
from typing import Any, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from subgraphs.common.budget import current
from subgraphs.common.database import Database
from subgraphs.common.scheduling import LazyAwaitable

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def loader(
    database: Database,
    fetch: Callable[[AsyncSession, list[Key]], Awaitable[Mapping[Key, Value]]],
    missing: Value,
) -> DataLoader[Key, Value]:
    """A loader that fetches all keys that an operation asks for side by side in one call of `fetch`.

    Each call has a read session of its own. Keys that `fetch` leaves out get `missing`.
    """

    async def load(keys: list[Key]) -> list[Value]:
        async with database.read() as session:
            found = await fetch(session, keys)
        return [found.get(key, missing) for key in keys]

    return _ScheduledLoader(load_fn=load)


class _ScheduledLoader(DataLoader[Key, Value]):
    """A loader that sends a batch when its operation is idle, and returns values in time slices.

    A large answer asks for its keys over several iterations of the event loop, in each of which Strawberry's
    own loader would send a batch.
    """

    def load(self, key: Key) -> Awaitable[Value]:
        """Load the value of a key; it is returned in a slice that has time for it."""
        current().scheduler.has_time()
        return LazyAwaitable(partial(_return_in_slice, super().load(key)))

    @property
    def loop(self) -> AbstractEventLoop:
        """The event loop that batches are scheduled on."""
        return cast("AbstractEventLoop", _IdleLoop(super().loop))


async def _return_in_slice(loading: Awaitable[Value]) -> Value:
    value = await loading
    await current().scheduler.wait()
    return value


class _IdleLoop:
    """An event loop whose `call_soon` waits until the current operation is idle."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def call_soon(self, callback: Callable[[], object]) -> Handle:
        """Call back once the operation is idle."""
        return self._loop.call_soon(current().scheduler.call_when_idle, callback)

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
from subgraphs.common.turns import Later

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def loader(
    database: Database,
    fetch: Callable[[AsyncSession, list[Key]], Awaitable[Mapping[Key, Value]]],
    missing: Value,
) -> DataLoader[Key, Value]:
    """A loader that answers all keys that an answer asks for side by side by one call of `fetch`.

    Each call has a read session of its own. Keys that `fetch` leaves out get `missing`.
    """

    async def load(keys: list[Key]) -> list[Value]:
        async with database.read() as session:
            found = await fetch(session, keys)
        return [found.get(key, missing) for key in keys]

    return _PatientLoader(load_fn=load)


class _PatientLoader(DataLoader[Key, Value]):
    """Calls when all of a large answer has asked, which is completed in many turns of the event loop.

    So is what is made of all that is found at once.
    """

    def load(self, key: Key) -> Awaitable[Value]:
        """The value of a key, at a turn that has time for it."""
        current().turns.go_on()
        return Later(partial(_in_turn, super().load(key)))

    @property
    def loop(self) -> AbstractEventLoop:
        """The event loop, as a batch is to be scheduled on it."""
        return cast("AbstractEventLoop", _Patiently(super().loop))


async def _in_turn(found: Awaitable[Value]) -> Value:
    value = await found
    await current().turns.wait()
    return value


class _Patiently:
    """An event loop that calls when the current operation is at rest."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def call_soon(self, call: Callable[[], object]) -> Handle:
        """Call once it has all been asked for."""
        return self._loop.call_soon(current().turns.when_at_rest, call)

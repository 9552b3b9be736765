"""Providers of a test in place of the registered ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from subgraphs.common.providers import ProviderFactory, ProviderRegistry
from subgraphs.common.runtime import Runtime

Provider = TypeVar("Provider")


@contextmanager
def use_provider(
    registry: ProviderRegistry[Provider], provider: Provider, name: str = "offline"
) -> Iterator[None]:
    """Let a registry open this provider by a name; if the name is new, new rows do not take it.

    Uses of one name may be nested, but not begin and end crosswise, as in tasks that run side by side: the
    provider of one would stay.
    """

    @asynccontextmanager
    async def open_given(_: Runtime) -> AsyncIterator[Provider]:
        yield provider

    registered = registry.factories.get(name)
    given = registry.factories[name] = ProviderFactory(open_given, lambda _: True)
    try:
        yield
    finally:
        assert registry.factories[name] is given, "the uses of a name cross each other"
        if registered is None:
            del registry.factories[name]
        else:
            registry.factories[name] = registered

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
    """Let a registry open this provider by a name; if the name is new, new rows do not take it."""

    @asynccontextmanager
    async def open_given(_: Runtime) -> AsyncIterator[Provider]:
        yield provider

    registered = dict(registry.factories)
    registry.factories[name] = ProviderFactory(open_given, lambda _: True)
    try:
        yield
    finally:
        registry.factories.clear()
        registry.factories.update(registered)

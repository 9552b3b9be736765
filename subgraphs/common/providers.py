"""A registry of providers: outside work is done, and continued, by the provider that its row names.

A charge is refunded where it was made, and the status of a print job is queried where it was submitted, even
if new work goes to another provider by then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from subgraphs.common.runtime import Runtime

Provider = TypeVar("Provider")


class ProviderNotConfigured(Exception):
    """A row names a provider that this installation does not have; its work waits until it does."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            f"The {kind} {name!r} is not configured. Its work waits; no other provider may continue it."
        )


@dataclass(frozen=True, slots=True)
class ProviderFactory(Generic[Provider]):
    """How to open a provider, and whether the settings have what it needs."""

    open: Callable[[Runtime], AbstractAsyncContextManager[Provider]]
    is_configured: Callable[[Runtime], bool]


class ProviderRegistry(Generic[Provider]):
    """The providers of one kind by name; new rows take the first one that is configured."""

    def __init__(self, kind: str, factories: Mapping[str, ProviderFactory[Provider]]) -> None:
        self._kind = kind
        self.factories = dict(factories)

    def get_default_name(self, runtime: Runtime) -> str:
        """Get the name of the provider that new rows take."""
        return next(name for name, factory in self.factories.items() if factory.is_configured(runtime))

    def open(self, runtime: Runtime, name: str) -> AbstractAsyncContextManager[Provider]:
        """Open the provider that a row names, and close it on exit.

        Raises:
            ProviderNotConfigured: This installation does not have it.
        """
        factory = self.factories.get(name)
        if factory is None or not factory.is_configured(runtime):
            raise ProviderNotConfigured(self._kind, name)
        return factory.open(runtime)

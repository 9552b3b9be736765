"""The resources of all five domains, opened together for a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields

from subgraphs.ai import models as ai_models
from subgraphs.auth import models as auth_models
from subgraphs.books import models as books_models
from subgraphs.common.runtime import Runtime, open_runtime
from subgraphs.common.settings import Settings
from subgraphs.orders import models as orders_models
from subgraphs.print import models as print_models

_METADATA = {
    "auth": auth_models.Table.metadata,
    "books": books_models.Table.metadata,
    "ai": ai_models.Table.metadata,
    "orders": orders_models.Table.metadata,
    "print": print_models.Table.metadata,
}


@dataclass(frozen=True, slots=True)
class Platform:
    """The open runtime of each domain."""

    auth: Runtime
    books: Runtime
    ai: Runtime
    orders: Runtime
    print: Runtime

    @property
    def runtimes(self) -> tuple[Runtime, ...]:
        """The runtimes of all domains."""
        return tuple(getattr(self, field.name) for field in fields(self))


@asynccontextmanager
async def open_platform(settings: Settings) -> AsyncIterator[Platform]:
    """Open the runtimes of all domains and close them on exit."""
    async with AsyncExitStack() as stack:
        yield Platform(
            **{
                domain: await stack.enter_async_context(open_runtime(domain, metadata, settings))
                for domain, metadata in _METADATA.items()
            }
        )

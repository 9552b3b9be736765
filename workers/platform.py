"""The resources of all domains, opened together for a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from subgraphs.common.runtime import Runtime, open_runtime
from subgraphs.common.settings import DomainSettings
from subgraphs.domains import DOMAINS


class Platform:
    """The open runtime of each domain, as an attribute of the domain's name.

    `draining` is set when the worker is to end: a job that takes long then raises Drained at its next step.
    """

    def __init__(self, runtimes: Mapping[str, Runtime]) -> None:
        self.runtimes = runtimes
        self.draining = asyncio.Event()

    def __getattr__(self, domain: str) -> Runtime:
        try:
            return self.runtimes[domain]
        except KeyError:
            raise AttributeError(f"There is no domain {domain}.") from None


@asynccontextmanager
async def open_platform(settings: Mapping[str, DomainSettings]) -> AsyncIterator[Platform]:
    """Open the runtime of each domain from its settings, by name, and close all of them on exit."""
    async with AsyncExitStack() as stack:
        yield Platform(
            {
                name: await stack.enter_async_context(open_runtime(domain, settings[name]))
                for name, domain in DOMAINS.items()
            }
        )

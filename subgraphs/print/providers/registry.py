"""The print shops: the offline one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from subgraphs.common.providers import ProviderFactory, ProviderRegistry
from subgraphs.common.runtime import Runtime
from subgraphs.print.providers.base import PrintProvider
from subgraphs.print.providers.offline import OfflinePrintShop
from subgraphs.print.settings import Settings


@asynccontextmanager
async def _open_offline(runtime: Runtime) -> AsyncIterator[PrintProvider]:
    step = timedelta(seconds=runtime.get_settings(Settings).offline_print_step_seconds)
    yield OfflinePrintShop(runtime.database, runtime.clock, step)


PROVIDERS: Final = ProviderRegistry[PrintProvider](
    "print shop", {"offline": ProviderFactory(_open_offline, lambda _: True)}
)

"""The payment providers: the offline one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from subgraphs.common.providers import ProviderFactory, ProviderRegistry
from subgraphs.common.runtime import Runtime
from subgraphs.orders.payments.base import PaymentProvider
from subgraphs.orders.payments.offline import OfflinePayments

_OFFLINE_PROCESSING_TIME: Final = timedelta(seconds=5)


@asynccontextmanager
async def _open_offline(runtime: Runtime) -> AsyncIterator[PaymentProvider]:
    yield OfflinePayments(runtime.database, runtime.clock, _OFFLINE_PROCESSING_TIME)


PROVIDERS: Final = ProviderRegistry[PaymentProvider](
    "payment provider", {"offline": ProviderFactory(_open_offline, lambda _: True)}
)

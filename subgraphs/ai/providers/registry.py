"""The providers of stories and pictures: OpenAI if a key is set, and always the offline studio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from subgraphs.ai.domain import Settings
from subgraphs.ai.providers.offline.studio import OfflineStudio
from subgraphs.ai.providers.protocol import Provider
from subgraphs.common.providers import ProviderFactory, ProviderRegistry
from subgraphs.common.runtime import Runtime


def _has_openai_key(runtime: Runtime) -> bool:
    return bool(runtime.get_settings(Settings).openai_api_key.get_secret_value())


@asynccontextmanager
async def _open_openai(runtime: Runtime) -> AsyncIterator[Provider]:
    from subgraphs.ai.providers.openai import open_openai  # noqa: PLC0415 - the client is large

    async with open_openai(runtime.get_settings(Settings)) as provider:
        yield provider


@asynccontextmanager
async def _open_offline(runtime: Runtime) -> AsyncIterator[Provider]:
    yield OfflineStudio(runtime.get_settings(Settings).offline_words_per_second)


PROVIDERS: Final = ProviderRegistry[Provider](
    "story provider",
    {
        "openai": ProviderFactory(_open_openai, _has_openai_key),
        "offline": ProviderFactory(_open_offline, lambda _: True),
    },
)

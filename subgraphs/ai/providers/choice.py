"""The choice of provider: OpenAI if a key is set, the offline studio otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from subgraphs.ai.domain import Settings
from subgraphs.ai.providers.offline.studio import OfflineStudio
from subgraphs.ai.providers.protocol import Provider


@asynccontextmanager
async def open_provider(settings: Settings) -> AsyncIterator[Provider]:
    """Choose the provider by the settings, and open it until the context exits."""
    if settings.openai_api_key.get_secret_value():
        from subgraphs.ai.providers.openai import open_openai  # noqa: PLC0415 - the client is large

        async with open_openai(settings) as provider:
            yield provider
    else:
        yield OfflineStudio(settings.offline_words_per_second)

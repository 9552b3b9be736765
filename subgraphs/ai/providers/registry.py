"""The providers of each port: OpenAI if a key is set, and always the offline studio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from subgraphs.ai.providers import offline, openai
from subgraphs.ai.providers.offline.studio import OfflineIllustrator, OfflineModerator, OfflineWriter
from subgraphs.ai.providers.ports import Illustrator, Moderator, Writer
from subgraphs.ai.settings import Settings
from subgraphs.common.providers import ProviderFactory, ProviderRegistry
from subgraphs.common.runtime import Runtime


@dataclass(frozen=True, slots=True)
class StudioNames:
    """The names of the three providers of a generation, which its row keeps."""

    writer: str
    illustrator: str
    moderator: str


def choose_studio(runtime: Runtime) -> StudioNames:
    """Choose the providers of a new generation: those in the settings, else the first that is configured."""
    settings = runtime.get_settings(Settings)
    return StudioNames(
        settings.ai_writer or WRITERS.get_default_name(runtime),
        settings.ai_illustrator or ILLUSTRATORS.get_default_name(runtime),
        settings.ai_moderator or MODERATORS.get_default_name(runtime),
    )


def _has_openai_key(runtime: Runtime) -> bool:
    return bool(runtime.get_settings(Settings).openai_api_key.get_secret_value())


# OpenAI's client is large: it is imported only where it is used.
@asynccontextmanager
async def _open_openai_writer(runtime: Runtime) -> AsyncIterator[Writer]:
    from subgraphs.ai.providers.openai.writer import open_writer  # noqa: PLC0415

    async with open_writer(runtime.get_settings(Settings)) as writer:
        yield writer


@asynccontextmanager
async def _open_openai_illustrator(runtime: Runtime) -> AsyncIterator[Illustrator]:
    from subgraphs.ai.providers.openai.illustrator import open_illustrator  # noqa: PLC0415

    async with open_illustrator(runtime.get_settings(Settings)) as illustrator:
        yield illustrator


@asynccontextmanager
async def _open_openai_moderator(runtime: Runtime) -> AsyncIterator[Moderator]:
    from subgraphs.ai.providers.openai.moderator import open_moderator  # noqa: PLC0415

    async with open_moderator(runtime.get_settings(Settings)) as moderator:
        yield moderator


@asynccontextmanager
async def _open_offline_writer(runtime: Runtime) -> AsyncIterator[Writer]:
    yield OfflineWriter(runtime.get_settings(Settings).offline_words_per_second)


@asynccontextmanager
async def _open_offline_illustrator(_: Runtime) -> AsyncIterator[Illustrator]:
    yield OfflineIllustrator()


@asynccontextmanager
async def _open_offline_moderator(_: Runtime) -> AsyncIterator[Moderator]:
    yield OfflineModerator()


WRITERS: Final = ProviderRegistry[Writer](
    "writer",
    {
        openai.NAME: ProviderFactory(_open_openai_writer, _has_openai_key),
        offline.NAME: ProviderFactory(_open_offline_writer, lambda _: True),
    },
)
ILLUSTRATORS: Final = ProviderRegistry[Illustrator](
    "illustrator",
    {
        openai.NAME: ProviderFactory(_open_openai_illustrator, _has_openai_key),
        offline.NAME: ProviderFactory(_open_offline_illustrator, lambda _: True),
    },
)
MODERATORS: Final = ProviderRegistry[Moderator](
    "moderator",
    {
        openai.NAME: ProviderFactory(_open_openai_moderator, _has_openai_key),
        offline.NAME: ProviderFactory(_open_offline_moderator, lambda _: True),
    },
)

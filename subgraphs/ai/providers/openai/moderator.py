"""OpenAI's moderator, on its Moderations API."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from openai import AsyncOpenAI
from openai.types import ModerationCreateResponse

from subgraphs.ai.providers.openai import NAME
from subgraphs.ai.providers.openai.client import open_client, translate_errors
from subgraphs.ai.providers.ports import Moderator, Rejection, Review, Usage
from subgraphs.ai.settings import Settings

_MODEL = "omni-moderation-latest"


@asynccontextmanager
async def open_moderator(settings: Settings) -> AsyncIterator[Moderator]:
    """Open a moderator, and close its client on exit."""
    async with open_client(settings) as client:
        yield OpenAIModerator(client)


class OpenAIModerator:
    """Moderates with OpenAI's own model, which counts no tokens."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def moderate(self, texts: Mapping[str, str], *, author: str) -> Review:
        """Moderate all texts in one call; a flagged text is rejected under its highest-scoring category."""
        del author
        # A moderation changes and costs nothing, so the HTTP client may repeat it.
        repeatable = {"idempotency-key": secrets.token_hex(16)}
        with translate_errors():
            response = await self._client.moderations.create(
                model=_MODEL, input=list(texts.values()), extra_headers=repeatable
            )
            rejection = _find_rejection(texts, response)
        request_id = response._request_id  # noqa: SLF001 - documented as public
        return Review(rejection, Usage(NAME, response.model, request_id=request_id))


def _find_rejection(texts: Mapping[str, str], response: ModerationCreateResponse) -> Rejection | None:
    for field, result in zip(texts, response.results, strict=True):
        if result.flagged:
            scores: dict[str, float] = result.category_scores.model_dump(by_alias=True)
            return Rejection(field, max(scores, key=lambda category: scores[category] or 0))
    return None

"""OpenAI's illustrator, on its Images API."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from openai import AsyncOpenAI
from openai.types import ImagesResponse

from subgraphs.ai.providers import prompts
from subgraphs.ai.providers.openai import NAME
from subgraphs.ai.providers.openai.client import hash_author, open_client, translate_errors
from subgraphs.ai.providers.ports import Illustrator, Picture, ProviderFailed, Usage
from subgraphs.ai.providers.story import PictureRequest
from subgraphs.ai.settings import Settings

_EDGE = 2048
_PNG_HEADER = struct.Struct(">8s8xII")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@asynccontextmanager
async def open_illustrator(settings: Settings) -> AsyncIterator[Illustrator]:
    """Open an illustrator, and close its client on exit."""
    async with open_client(settings) as client:
        yield OpenAIIllustrator(client, settings.openai_image_model)


class OpenAIIllustrator:
    """Draws with the configured model."""

    def __init__(self, client: AsyncOpenAI, model: str) -> None:
        self._client = client
        self._model = model

    async def draw(self, request: PictureRequest, *, author: str) -> Picture:
        """Draw one picture."""
        with translate_errors():
            response = await self._client.images.generate(
                model=self._model,
                prompt=prompts.build_picture_prompt(request),
                size=f"{_EDGE}x{_EDGE}",
                output_format="png",
                n=1,
                safety_identifier=hash_author(author),
            )
        usage = self._build_usage(response)
        png = _decode_png(response.data[0].b64_json if response.data else None)
        if png is None:
            raise ProviderFailed("The picture is not a PNG file.", retryable=True, usage=usage)
        _, width, height = _PNG_HEADER.unpack_from(png)
        number = request.number
        alt_text = request.outline.title if number is None else request.outline.scenes[number - 1].picture
        return Picture(png, width, height, alt_text, usage)

    def _build_usage(self, response: ImagesResponse) -> Usage:
        used = response.usage
        return Usage(
            NAME,
            self._model,
            input_tokens=used.input_tokens if used else None,
            output_tokens=used.output_tokens if used else None,
            images=len(response.data or []),
            request_id=response._request_id,  # noqa: SLF001 - documented as public
        )


def _decode_png(encoded: str | None) -> bytes | None:
    try:
        png = base64.b64decode(encoded or "", validate=True)
    except binascii.Error:
        return None
    return png if png.startswith(_PNG_SIGNATURE) and len(png) >= _PNG_HEADER.size else None

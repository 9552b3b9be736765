"""The official client of OpenAI, and the translation of its exceptions."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AsyncOpenAI,
    BadRequestError,
    OpenAIError,
)

from subgraphs.ai.providers.openai import NAME
from subgraphs.ai.providers.ports import ContentRefused, ProviderFailed
from subgraphs.ai.settings import Settings
from subgraphs.common.http import create_client, read_retry_after

_DEADLINE_SECONDS = 240
# A picture of 2048 by 2048 pixels that does not compress, with transparency and in base64, has 22 million.
_MAX_RESPONSE_BYTES = 32_000_000
_REFUSALS = frozenset(
    {"moderation_blocked", "content_policy_violation", "image_content_policy_violation", "content_filter"}
)


@asynccontextmanager
async def open_client(settings: Settings) -> AsyncIterator[AsyncOpenAI]:
    """Open a client over the platform's own HTTP client, and close both on exit.

    Neither repeats what is written or drawn, which OpenAI would charge again: the generation's step does,
    after checking whether it was cancelled.
    """
    http_client = create_client(
        NAME,
        deadline_seconds=_DEADLINE_SECONDS,
        max_response_bytes=_MAX_RESPONSE_BYTES,
        ca_file=settings.outgoing_ca_file,
        uses_proxy=True,
    )
    async with AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url,
        max_retries=0,
        http_client=http_client,
    ) as client:
        yield client


def hash_author(author: str) -> str:
    """Hash the parent's id to a stable pseudonym, for OpenAI's `safety_identifier`."""
    return hashlib.sha256(f"memorable:{author}".encode()).hexdigest()


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate the client's exceptions into `ProviderFailed`."""
    try:
        yield
    except APIConnectionError as error:
        raise ProviderFailed("OpenAI did not respond.", retryable=True) from error
    except APIStatusError as error:
        raise _convert_status_error(error) from error
    except APIError as error:
        raise build_failure(error.code, "the stream was interrupted") from error
    except (OpenAIError, ValueError) as error:
        # The client raises a plain ValueError for what is not JSON, and pydantic's is one too.
        raise ProviderFailed("OpenAI's response could not be read.", retryable=True) from error


def build_failure(code: str | None, message: str) -> ProviderFailed:
    """Build the failure that OpenAI reports by a code; some codes are refusals."""
    if code in _REFUSALS:
        return ContentRefused(code)
    return ProviderFailed(
        f"OpenAI reported a failure ({code or message or 'no reason given'}).", retryable=True
    )


def _convert_status_error(error: APIStatusError) -> ProviderFailed:
    if isinstance(error, BadRequestError) and error.code in _REFUSALS:
        return ContentRefused(str(error.code))
    out_of_credit = error.code == "insufficient_quota"
    retryable = (error.status_code in {408, 409, 429} or error.status_code >= 500) and not out_of_credit
    return ProviderFailed(
        f"OpenAI responded with {error.status_code} ({error.code or 'no code'}).",
        retryable=retryable,
        retry_after=_parse_retry_after(error.response.headers),
    )


def _parse_retry_after(headers: Mapping[str, str]) -> float | None:
    milliseconds = headers.get("retry-after-ms", "")
    if milliseconds.isascii() and milliseconds.isdigit():
        return float(milliseconds) / 1000
    return read_retry_after(headers)

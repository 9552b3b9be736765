"""The official client of OpenAI, and the translation of its exceptions."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache

import httpx2
from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AsyncOpenAI,
    BadRequestError,
    DefaultAsyncHttpxClient,
    OpenAIError,
)

from subgraphs.ai.domain import Settings
from subgraphs.ai.providers.ports import ContentRefused, ProviderFailed

_TIMEOUT_SECONDS = 240
_REFUSALS = frozenset(
    {"moderation_blocked", "content_policy_violation", "image_content_policy_violation", "content_filter"}
)


@asynccontextmanager
async def open_client(settings: Settings) -> AsyncIterator[AsyncOpenAI]:
    """Open a client, and close it on exit.

    It does not retry: the generation's step does, after checking whether it was cancelled.
    """
    async with AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url,
        max_retries=0,
        timeout=_TIMEOUT_SECONDS,
        http_client=DefaultAsyncHttpxClient(verify=_create_tls_context()),
    ) as client:
        yield client


@cache
def _create_tls_context() -> ssl.SSLContext:
    """Create what all clients share: to read the certificates takes longer than all else in opening one."""
    return httpx2.create_ssl_context()


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
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            return float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
    return None

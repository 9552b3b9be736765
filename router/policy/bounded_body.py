"""The body of a response, which is read only up to a size."""

from __future__ import annotations

import aiohttp


async def read_bounded(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Reads a body.

    Raises:
        ValueError: it is larger.
    """
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            raise ValueError(f"The body is larger than {max_bytes} bytes.")
    return bytes(body)

"""The bodies of requests, read whole up to a size, and bounded together."""

from __future__ import annotations

from starlette.requests import Request

from router.config.settings import Limits
from router.errors import BodyTooLargeError, OverloadedError

# Content lengths with more digits exceed any limit.
MAX_DIGITS = 18


class RequestBodies:
    """Reads bodies, and counts the bytes of all that are being received."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held_bytes = 0

    async def read(self, request: Request) -> bytes:
        """Reads the body of a request.

        Raises:
            BodyTooLargeError: it is larger than one body may be.
            OverloadedError: all bodies being received are larger than they may be together.
        """
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:MAX_DIGITS]) > self._limits.max_body_bytes:
            raise self._build_too_large_error()
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                self._held_bytes += len(chunk)
                if len(body) > self._limits.max_body_bytes:
                    raise self._build_too_large_error()
                if self._held_bytes > self._limits.max_bodies_bytes:
                    raise OverloadedError
        finally:
            self._held_bytes -= len(body)
        return bytes(body)

    def _build_too_large_error(self) -> BodyTooLargeError:
        return BodyTooLargeError(f"The body is larger than {self._limits.max_body_bytes} bytes.")

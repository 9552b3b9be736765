"""The address of a subgraph: its URL, parsed and checked once at start."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit

from router.config.traffic import TlsFiles
from router.transport.tls import UnusableTlsError, create_tls_context

_PORTS = {"http": 80, "https": 443}
_SAFE = "/%:@!$&'()*+,;=~-._?"
_SYSTEM = TlsFiles()
_INVALID = re.compile(r"[\x00-\x20\x7f]")


class UnusableAddressError(ValueError):
    """The URL cannot be used; the message says why, without its credentials."""


@dataclass(frozen=True, slots=True)
class Address:
    """The destination of requests; `head` is the start of each of them."""

    url: str
    """The URL without its credentials."""
    host: str
    port: int
    tls: ssl.SSLContext | None
    head: str
    pool: tuple[str, int, TlsFiles | None]
    """The key of its connection pool."""
    basic: str | None = None
    """The `authorization` header of the URL's credentials (RFC 7617)."""

    @classmethod
    def parse(cls, url: str, tls: TlsFiles = _SYSTEM) -> Address:
        """Parses a URL; `tls` are the files for HTTPS.

        Raises:
            UnusableAddressError: the URL is invalid, or a file cannot be used.
        """
        parts = _split(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        user, _, netloc = parts.netloc.rpartition("@")
        path = quote(parts.path or "/", safe=_SAFE)
        target = f"{path}?{quote(parts.query, safe=_SAFE)}" if parts.query else path
        is_secure = parts.scheme == "https"
        return cls(
            f"{parts.scheme}://{netloc}{target}",
            host,
            port,
            _create_context(tls) if is_secure else None,
            f"POST {target} HTTP/1.1\r\nhost: {netloc}\r\n",
            (host, port, tls if is_secure else None),
            f"Basic {b64encode(unquote_to_bytes(user)).decode()}" if user else None,
        )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UnusableAddressError(str(error)) from None
    if parts.scheme not in _PORTS:
        raise UnusableAddressError("the scheme is neither http nor https")
    if not parts.hostname or _INVALID.search(url):
        raise UnusableAddressError("the host is missing, or there is a space or control character")
    if port == 0:
        raise UnusableAddressError("the port is 0")
    try:
        host = parts.hostname.encode("idna").decode() if ":" not in parts.hostname else parts.hostname
    except UnicodeError:
        raise UnusableAddressError("the host is not a valid domain name") from None
    return parts if parts.netloc.isascii() else parts._replace(netloc=_replace_host(parts, host))


def _replace_host(parts: SplitResult, host: str) -> str:
    user, at, _ = parts.netloc.rpartition("@")
    return f"{user}{at}{host}" + (f":{parts.port}" if parts.port else "")


def _create_context(tls: TlsFiles) -> ssl.SSLContext:
    try:
        return create_tls_context(tls)
    except UnusableTlsError as error:
        raise UnusableAddressError(str(error)) from None

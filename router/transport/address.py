"""Where a subgraph is: its URL, read once, so that one that cannot be used is found before any request."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit

_PORTS = {"http": 80, "https": 443}
_SAFE = "/%:@!$&'()*+,;=~-._?"
_UNUSABLE = re.compile(r"[\x00-\x20\x7f]")


class UnusableAddressError(ValueError):
    """A URL that requests cannot be sent to; the message tells why, without a password in it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go, and how each of them begins."""

    url: str
    """The URL without its user."""
    host: str
    port: int
    tls: ssl.SSLContext | None
    head: str
    pool: tuple[str, int, str]
    """What tells the connections that may carry its requests from others."""
    basic: str | None = None
    """The credentials of the URL's user, as the header `authorization` has them."""

    @classmethod
    def of(cls, url: str, ca_file: Path | None = None) -> Address:
        """The address that a URL names; its server is known by the certificates in a file, or the system's.

        Raises:
            UnusableAddressError: it names none, or the file holds no certificates.
        """
        parts = _split(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        user, _, netloc = parts.netloc.rpartition("@")
        path = quote(parts.path or "/", safe=_SAFE)
        target = f"{path}?{quote(parts.query, safe=_SAFE)}" if parts.query else path
        secure = parts.scheme == "https"
        return cls(
            f"{parts.scheme}://{netloc}{target}",
            host,
            port,
            _trusting(ca_file) if secure else None,
            f"POST {target} HTTP/1.1\r\nhost: {netloc}\r\n",
            (host, port, str(ca_file or "") if secure else "plain"),
            f"Basic {b64encode(unquote_to_bytes(user)).decode()}" if user else None,
        )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UnusableAddressError(str(error)) from None
    if parts.scheme not in _PORTS:
        raise UnusableAddressError("it begins neither with http:// nor with https://")
    if not parts.hostname or _UNUSABLE.search(url):
        raise UnusableAddressError("it has no host, or a space in it")
    if port == 0:
        raise UnusableAddressError("no server has the port 0")
    try:
        host = parts.hostname.encode("idna").decode() if ":" not in parts.hostname else parts.hostname
    except UnicodeError:
        raise UnusableAddressError("its host is not a name of the internet") from None
    return parts if parts.netloc.isascii() else parts._replace(netloc=_with_host(parts, host))


def _with_host(parts: SplitResult, host: str) -> str:
    user, at, _ = parts.netloc.rpartition("@")
    return f"{user}{at}{host}" + (f":{parts.port}" if parts.port else "")


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UnusableAddressError(f"its certificates cannot be read of {str(ca_file)!r}: {error}") from None

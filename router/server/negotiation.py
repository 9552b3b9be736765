"""Content negotiation of media types and codings (RFC 9110 section 12.5).

Headers are parsed up to a bound, and the results of short ones are cached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
MULTIPART = "multipart/mixed;subscriptionspec=1.0"
INCREMENTAL = "multipart/mixed;incrementalspec=v0.2"
MIXED = "multipart/mixed"
HTML = "text/html"
PLAIN = "text/plain"

RESULT_TYPES = (JSON, GRAPHQL_JSON)
# The suffix of the parameters that select a multipart protocol: subscriptionSpec, incrementalSpec.
PROTOCOL_SUFFIX = "spec"

MAX_RANGES = 30
MAX_PARAMETERS = 10
MAX_CHARACTERS = 4096
# Clients send few different headers, each with every request.
MAX_CACHED_HEADERS = 200
MAX_CACHED_CHARACTERS = 300

F = TypeVar("F", bound=Callable[..., Any])


def _cache_short_headers(negotiate: F) -> F:
    """Caches the results of a function for short headers."""
    cached = lru_cache(maxsize=MAX_CACHED_HEADERS)(negotiate)

    def wrapper(header: str | None, *offers: Any) -> Any:
        is_short = header is None or len(header) <= MAX_CACHED_CHARACTERS
        return (cached if is_short else negotiate)(header, *offers)

    return cast("F", wrapper)


@dataclass(frozen=True, slots=True)
class MediaRange:
    """A media range of an Accept header."""

    main: str
    sub: str
    parameters: frozenset[tuple[str, str]]
    quality: float
    position: int

    @property
    def specificity(self) -> int:
        """The specificity of the range: 2 for a type, 1 for `type/*`, 0 for `*/*`."""
        return (self.main != "*") + (self.sub != "*")

    def matches(self, offer: str) -> bool:
        """Whether the range matches a media type and has the same protocol parameter, if any."""
        essence, parameters = parse_media_type(offer)
        main, _, sub = essence.partition("/")
        protocol = {parameter for parameter in self.parameters if parameter[0].endswith(PROTOCOL_SUFFIX)}
        return self.main in ("*", main) and self.sub in ("*", sub) and protocol == set(parameters.items())


def parse_media_type(header: str | None) -> tuple[str, dict[str, str]]:
    """The lower-cased media type of a header, and its parameters, unquoted."""
    parts = (header or "")[:MAX_CHARACTERS].split(";", MAX_PARAMETERS + 1)
    essence, *parameters = parts[: MAX_PARAMETERS + 1]
    pairs = (parameter.partition("=") for parameter in parameters)
    return essence.strip().lower(), {
        name.strip().lower(): value.strip().strip('"').lower() for name, _, value in pairs if name.strip()
    }


@_cache_short_headers
def negotiate_type(accept: str | None, offers: tuple[str, ...]) -> str | None:
    """The offered media type that the client prefers, or None if it accepts none of them.

    Ties in quality are broken by the order of the client's list, then by that of the offers. Without an
    Accept header everything is accepted.
    """
    ranges = (
        _parse_ranges(accept) if accept and accept.strip() else [MediaRange("*", "*", frozenset(), 1.0, 0)]
    )
    best: tuple[float, int] | None = None
    chosen = None
    for offer in offers:
        matching = [entry for entry in ranges if entry.matches(offer)]
        if not matching:
            continue
        exact = max(matching, key=lambda entry: (entry.specificity, -entry.position))
        rank = (exact.quality, -exact.position)
        if exact.quality > 0 and (best is None or rank > best):
            best, chosen = rank, offer
    return chosen


@_cache_short_headers
def accepts_incremental(accept: str | None) -> bool:
    """Whether a client lists multipart incremental delivery, and prefers no single response."""
    ranges = _parse_ranges(accept or "")
    incremental = [each.quality for each in ranges if each.specificity == 2 and _is_incremental(each)]
    single = [each.quality for each in ranges for offer in RESULT_TYPES if each.matches(offer)]
    return max(incremental, default=0.0) > 0 and max(incremental) >= max(single, default=0.0)


def _is_incremental(entry: MediaRange) -> bool:
    return entry.matches(INCREMENTAL) or entry.matches(MIXED)


def _parse_ranges(accept: str) -> list[MediaRange]:
    ranges = []
    for position, entry in enumerate(_split_header(accept)):
        essence, parameters = parse_media_type(entry)
        main, _, sub = essence.partition("/")
        if main and sub:
            ranges.append(
                MediaRange(
                    main, sub, frozenset(parameters.items()), _parse_quality(parameters.get("q")), position
                )
            )
    return ranges


@_cache_short_headers
def negotiate_encoding(accept: str | None, offers: tuple[str, ...]) -> str | None:
    """The offered content coding that the client prefers, or None if it lists none of them.

    Ties in quality are broken by the order of the offers. Without an Accept-Encoding header there is none.
    """
    qualities: dict[str, float] = {}
    for entry in _split_header(accept or ""):
        name, parameters = parse_media_type(entry)
        qualities.setdefault(name, _parse_quality(parameters.get("q")))
    fallback = qualities.get("*", 0.0)
    plain = qualities.get("identity", 0.0)
    best = max(offers, key=lambda offer: qualities.get(offer, fallback), default=None)
    quality = qualities.get(best, fallback) if best else 0.0
    return best if quality > 0 and quality >= plain else None


def _split_header(header: str) -> list[str]:
    return header[:MAX_CHARACTERS].split(",", MAX_RANGES)[:MAX_RANGES]


def _parse_quality(text: str | None) -> float:
    try:
        return min(max(float(text), 0.0), 1.0) if text is not None else 1.0
    except ValueError:
        return 0.0

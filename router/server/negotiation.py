"""Which media type and encoding answer a request: RFC 9110's negotiation over the few that a router offers.

Clients name few. What a header has beyond that is not read, and only short headers are remembered.
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

ANSWERS = (JSON, GRAPHQL_JSON)
# How parameters end that tell protocols of one media type apart: subscriptionSpec, incrementalSpec.
PROTOCOL = "spec"

MAX_RANGES = 30
MAX_PARAMETERS = 10
MAX_CHARACTERS = 4096
# Clients send few different headers, each with every request.
REMEMBERED_HEADERS = 200
REMEMBERED_CHARACTERS = 300

F = TypeVar("F", bound=Callable[..., Any])


def _remembered(negotiate: F) -> F:
    """The function, which remembers what came of short headers."""
    remembering = lru_cache(maxsize=REMEMBERED_HEADERS)(negotiate)

    def negotiated(header: str | None, *offers: Any) -> Any:
        short = header is None or len(header) <= REMEMBERED_CHARACTERS
        return (remembering if short else negotiate)(header, *offers)

    return cast("F", negotiated)


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One entry of an Accept header."""

    main: str
    sub: str
    parameters: frozenset[tuple[str, str]]
    quality: float
    position: int

    @property
    def specificity(self) -> int:
        """How exactly the range names a type: a name counts more than a wildcard."""
        return (self.main != "*") + (self.sub != "*")

    def matches(self, offer: str) -> bool:
        """Whether the range covers a media type, and the protocol that a parameter of either names."""
        essence, parameters = media_type(offer)
        main, _, sub = essence.partition("/")
        named = {parameter for parameter in self.parameters if parameter[0].endswith(PROTOCOL)}
        return self.main in ("*", main) and self.sub in ("*", sub) and named == set(parameters.items())


def media_type(header: str | None) -> tuple[str, dict[str, str]]:
    """A Content-Type, lower-cased, and its parameters, unquoted."""
    essence, *parameters = (header or "")[:MAX_CHARACTERS].split(";", MAX_PARAMETERS)[:MAX_PARAMETERS]
    pairs = (parameter.partition("=") for parameter in parameters)
    return essence.strip().lower(), {
        name.strip().lower(): value.strip().strip('"').lower() for name, _, value in pairs if name.strip()
    }


@_remembered
def preferred(accept: str | None, offers: tuple[str, ...]) -> str | None:
    """The offer the client likes best, or None when it accepts none of them.

    Equal quality is decided by the order of the client's list, then by the order of the offers. No
    Accept header means that everything is accepted.
    """
    ranges = _parse(accept) if accept and accept.strip() else [MediaRange("*", "*", frozenset(), 1.0, 0)]
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


@_remembered
def takes_increments(accept: str | None) -> bool:
    """Whether a client names the parts of incremental delivery, and likes nothing better."""
    ranges = _parse(accept or "")
    named = [each.quality for each in ranges if each.specificity == 2 and _is_incremental(each)]
    answers = [each.quality for each in ranges for offer in ANSWERS if each.matches(offer)]
    return max(named, default=0.0) > 0 and max(named) >= max(answers, default=0.0)


def _is_incremental(entry: MediaRange) -> bool:
    return entry.matches(INCREMENTAL) or entry.matches(MIXED)


def _parse(accept: str) -> list[MediaRange]:
    ranges = []
    for position, entry in enumerate(_entries(accept)):
        essence, parameters = media_type(entry)
        main, _, sub = essence.partition("/")
        if main and sub:
            ranges.append(
                MediaRange(main, sub, frozenset(parameters.items()), _quality(parameters.get("q")), position)
            )
    return ranges


@_remembered
def preferred_encoding(accept: str | None, offers: tuple[str, ...]) -> str | None:
    """The offered encoding that the client likes best, or None when it names none of them.

    Equal quality is decided by the order of the offers. Whoever names no encoding gets none.
    """
    qualities: dict[str, float] = {}
    for entry in _entries(accept or ""):
        name, parameters = media_type(entry)
        qualities.setdefault(name, _quality(parameters.get("q")))
    fallback = qualities.get("*", 0.0)
    plain = qualities.get("identity", 0.0)
    best = max(offers, key=lambda offer: qualities.get(offer, fallback), default=None)
    quality = qualities.get(best, fallback) if best else 0.0
    return best if quality > 0 and quality >= plain else None


def _entries(header: str) -> list[str]:
    return header[:MAX_CHARACTERS].split(",", MAX_RANGES)[:MAX_RANGES]


def _quality(text: str | None) -> float:
    try:
        return min(max(float(text), 0.0), 1.0) if text is not None else 1.0
    except ValueError:
        return 0.0

"""Which media type answers a request: RFC 9110 content negotiation over the few types a router offers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
MULTIPART = "multipart/mixed;subscriptionspec=1.0"
HTML = "text/html"
PLAIN = "text/plain"

ANSWERS = (JSON, GRAPHQL_JSON)


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
        """Whether the range covers a media type; what the offer has of parameters must be asked for."""
        essence, parameters = media_type(offer)
        main, _, sub = essence.partition("/")
        return (
            self.main in ("*", main)
            and self.sub in ("*", sub)
            and all(parameter in self.parameters for parameter in parameters.items())
        )


def media_type(header: str | None) -> tuple[str, dict[str, str]]:
    """A Content-Type, lower-cased, and its parameters, unquoted."""
    essence, *parameters = (header or "").split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return essence.strip().lower(), {
        name.strip().lower(): value.strip().strip('"').lower() for name, _, value in pairs if name.strip()
    }


# Clients send few different headers, each with every request.
@lru_cache(maxsize=100)
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


def _parse(accept: str) -> list[MediaRange]:
    ranges = []
    for position, entry in enumerate(accept.split(",")):
        essence, parameters = media_type(entry)
        main, _, sub = essence.partition("/")
        if main and sub:
            ranges.append(
                MediaRange(main, sub, frozenset(parameters.items()), _quality(parameters.get("q")), position)
            )
    return ranges


def _quality(text: str | None) -> float:
    try:
        return min(max(float(text), 0.0), 1.0) if text is not None else 1.0
    except ValueError:
        return 0.0

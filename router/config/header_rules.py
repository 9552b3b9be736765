"""Header rules: which client headers are propagated to subgraphs, and which the router sets or removes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

ClientHeaders: TypeAlias = tuple[tuple[str, str], ...]
HeaderValue: TypeAlias = str | tuple[str, ...]
"""The value of a header, or all values of a repeated one; each character is one byte (latin-1)."""
_Change: TypeAlias = Callable[[MutableMapping[str, HeaderValue], ClientHeaders], None]

# W3C Baggage is always propagated, as its recommendation asks.
BAGGAGE = "baggage"
# The maximum length of a header that comes in a `connection_init` payload.
MAX_VALUE_CHARACTERS = 8192
_NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Propagate:
    """The client's header is propagated with all of its values.

    With `initial_payload`, an entry of a WebSocket client's `connection_init` payload stands for a header
    that its handshake lacks: browsers can set none there. Proxies before the router check headers, but not
    such an entry.
    """

    name: str
    initial_payload: bool = False


@dataclass(frozen=True, slots=True)
class SetValue:
    """The header is set to a fixed value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Remove:
    """The header is not sent, whatever set it."""

    name: str


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """One change to the headers of requests to a subgraph, or to all subgraphs."""

    change: Propagate | SetValue | Remove
    subgraph: str | None = None


class HeaderRules:
    """Ordered rules, compiled once per subgraph; later rules override earlier ones."""

    def __init__(self, rules: Iterable[HeaderRule] = ()) -> None:
        self._rules = (HeaderRule(Propagate(BAGGAGE)), *rules)
        self._compiled: dict[str, tuple[_Change, ...]] = {}
        changes = [rule.change for rule in self._rules if isinstance(rule.change, Propagate)]
        self._propagated = frozenset(change.name for change in changes)
        self._in_payload = frozenset(change.name for change in changes if change.initial_payload)

    def select_client_headers(self, headers: Mapping[str, str]) -> ClientHeaders:
        """The headers of a client's request that any rule propagates; names may repeat."""
        return tuple(pair for pair in headers.items() if pair[0] in self._propagated)

    def select_from_payload(self, payload: Mapping[str, Any], sent: ClientHeaders) -> ClientHeaders:
        """The entries of a `connection_init` payload that stand for headers that were not sent.

        What no header can hold is left out.
        """
        allowed = self._in_payload - {name for name, _ in sent}
        found = {name.lower(): value for name, value in payload.items() if name.lower() in allowed}
        return tuple((name, _encode(value)) for name, value in found.items() if _fits_in_header(value))

    def apply(self, subgraph: str, headers: MutableMapping[str, HeaderValue], client: ClientHeaders) -> None:
        """Applies the rules to the headers of a request to a subgraph."""
        changes = self._compiled.get(subgraph)
        if changes is None:
            rules = (rule for rule in self._rules if rule.subgraph in (None, subgraph))
            changes = self._compiled[subgraph] = tuple(_compile(rule.change) for rule in rules)
        for change in changes:
            change(headers, client)


def _fits_in_header(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_VALUE_CHARACTERS and not _NOT_IN_VALUES.search(value)


def _encode(value: str) -> str:
    """A text as a header's value in UTF-8; half a character is replaced."""
    return value.encode(errors="replace").decode("latin-1")


def _compile(change: Propagate | SetValue | Remove) -> _Change:
    name = change.name
    match change:
        case Propagate():
            return lambda headers, client: _propagate(name, headers, client)
        case SetValue(value=value):
            return lambda headers, _: headers.update({name: value})
        case Remove():
            return lambda headers, _: (headers.pop(name, None), None)[1]


def _propagate(name: str, headers: MutableMapping[str, HeaderValue], client: ClientHeaders) -> None:
    values = tuple([value for client_name, value in client if client_name == name])
    if values:
        headers[name] = values if len(values) > 1 else values[0]

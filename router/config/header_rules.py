"""Header rules: which client headers are propagated to subgraphs, and which the router sets or removes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TypeAlias

ClientHeaders: TypeAlias = tuple[tuple[str, str], ...]
HeaderValue: TypeAlias = str | tuple[str, ...]
"""The value of a header, or all values of a repeated one; each character is one byte (latin-1)."""
_Change: TypeAlias = Callable[[MutableMapping[str, HeaderValue], ClientHeaders], None]

# W3C Baggage is always propagated, as its recommendation asks.
BAGGAGE = "baggage"


@dataclass(frozen=True, slots=True)
class Propagate:
    """The client's header is propagated with all of its values."""

    name: str


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
        names = (rule.change.name for rule in self._rules if isinstance(rule.change, Propagate))
        self._propagated = frozenset(names)

    def select_client_headers(self, headers: Mapping[str, str]) -> ClientHeaders:
        """The headers of a client's request that any rule propagates; names may repeat."""
        return tuple(pair for pair in headers.items() if pair[0] in self._propagated)

    def apply(self, subgraph: str, headers: MutableMapping[str, HeaderValue], client: ClientHeaders) -> None:
        """Applies the rules to the headers of a request to a subgraph."""
        changes = self._compiled.get(subgraph)
        if changes is None:
            rules = (rule for rule in self._rules if rule.subgraph in (None, subgraph))
            changes = self._compiled[subgraph] = tuple(_compile(rule.change) for rule in rules)
        for change in changes:
            change(headers, client)


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

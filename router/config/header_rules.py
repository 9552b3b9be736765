"""Header rules: which of the client's headers a subgraph reads, and which the router adds or takes away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TypeAlias

ClientHeaders: TypeAlias = tuple[tuple[str, str], ...]
HeaderValue: TypeAlias = str | tuple[str, ...]
"""The value of a header, or those of one that stands several times; each character is a byte."""
_Change: TypeAlias = Callable[[MutableMapping[str, HeaderValue], ClientHeaders], None]

# A caller's own context, which W3C's recommendation has everybody pass on: nobody has to ask for it.
BAGGAGE = "baggage"


@dataclass(frozen=True, slots=True)
class Propagate:
    """The client's header is passed on as it came, as often as it came."""

    name: str


@dataclass(frozen=True, slots=True)
class Put:
    """The header has a value that is always the same."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Remove:
    """The header is not sent, whoever set it."""

    name: str


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """One change to the headers of the requests to one subgraph, or to all of them."""

    change: Propagate | Put | Remove
    subgraph: str | None = None


class HeaderRules:
    """Rules in their order, compiled once for each subgraph; a later rule wins over an earlier one."""

    def __init__(self, rules: Iterable[HeaderRule] = ()) -> None:
        self._rules = (HeaderRule(Propagate(BAGGAGE)), *rules)
        self._compiled: dict[str, tuple[_Change, ...]] = {}
        names = (rule.change.name for rule in self._rules if isinstance(rule.change, Propagate))
        self._propagated = frozenset(names)

    def of_client(self, headers: Mapping[str, str]) -> ClientHeaders:
        """The headers of a client's request that any rule passes on; a name may be there several times."""
        return tuple(pair for pair in headers.items() if pair[0] in self._propagated)

    def apply(self, subgraph: str, headers: MutableMapping[str, HeaderValue], client: ClientHeaders) -> None:
        """Changes the headers of a request to a subgraph."""
        changes = self._compiled.get(subgraph)
        if changes is None:
            rules = (rule for rule in self._rules if rule.subgraph in (None, subgraph))
            changes = self._compiled[subgraph] = tuple(_compiled(rule.change) for rule in rules)
        for change in changes:
            change(headers, client)


def _compiled(change: Propagate | Put | Remove) -> _Change:
    name = change.name
    match change:
        case Propagate():
            return lambda headers, client: _propagate(name, headers, client)
        case Put(value=value):
            return lambda headers, _: headers.update({name: value})
        case Remove():
            return lambda headers, _: (headers.pop(name, None), None)[1]


def _propagate(name: str, headers: MutableMapping[str, HeaderValue], client: ClientHeaders) -> None:
    values = tuple([value for known, value in client if known == name])
    if values:
        headers[name] = values if len(values) > 1 else values[0]

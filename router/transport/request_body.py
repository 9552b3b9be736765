"""Bodies of requests to subgraphs, made ready up to the values of their variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.json_text import encode

_NAMED = (b'{"query":"query ', b'{"query":"subscription ')
# Before this, a named one has no selections and no variables.
_NAME_STARTS = min(map(len, _NAMED))


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A request body that lacks only the values of its variables.

    `representations` names the variables that carry those of each of the fetches sent together.
    """

    document: str
    variables: tuple[str, ...]
    head: bytes
    representations: tuple[str, ...] = ()

    def filled(
        self, variables: Mapping[str, Any], representations: Sequence[tuple[str, bytes]] = ()
    ) -> bytes:
        """The body with the operation's variables and with representations, which are JSON already."""
        parts = [
            b'"%b":%b' % (name.encode(), encode(variables[name]))
            for name in self.variables
            if name in variables
        ]
        parts += [b'"%b":%b' % (name.encode(), value) for name, value in representations]
        return b'%b,"variables":{%b}}' % (self.head, b",".join(parts)) if parts else self.head + b"}"


def is_mutation(body: bytes) -> bool:
    """Whether a request body made here asks for a mutation, which must not be sent twice."""
    return body.startswith(b'{"query":"mutation')


def unnamed(body: bytes) -> bytes:
    """What a request body asks, whatever the name of the operation that asks it."""
    if not body.startswith(_NAMED):
        return body
    selections = body.find(b"{", _NAME_STARTS)
    variables = body.find(b"(", _NAME_STARTS, selections)
    return body[variables if variables >= 0 else selections :]

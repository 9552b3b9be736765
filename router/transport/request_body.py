"""Bodies of requests to subgraphs, encoded in advance except for the values of their variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.json_text import encode

_NAMED = (b'{"query":"query ', b'{"query":"subscription ')
# Variables and selections of a named operation come after this index.
_NAME_STARTS = min(map(len, _NAMED))


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A request body without the values of its variables.

    `representations` are the variables with the representations of each of the fetches sent together.
    """

    document: str
    variables: tuple[str, ...]
    head: bytes
    representations: tuple[str, ...] = ()

    def encode(
        self, variables: Mapping[str, Any], representations: Sequence[tuple[str, bytes]] = ()
    ) -> bytes:
        """The body with the values of variables, and of representations, which are already JSON."""
        parts = [
            b'"%b":%b' % (name.encode(), encode(variables[name]))
            for name in self.variables
            if name in variables
        ]
        parts += [b'"%b":%b' % (name.encode(), value) for name, value in representations]
        return b'%b,"variables":{%b}}' % (self.head, b",".join(parts)) if parts else self.head + b"}"


def is_mutation(body: bytes) -> bool:
    """Whether a request body contains a mutation, which must not be sent twice."""
    return body.startswith(b'{"query":"mutation')


def strip_operation_name(body: bytes) -> bytes:
    """A part of a request body that is equal for all operations that differ only in their names."""
    if not body.startswith(_NAMED):
        return body
    selections = body.find(b"{", _NAME_STARTS)
    variables = body.find(b"(", _NAME_STARTS, selections)
    return body[variables if variables >= 0 else selections :]

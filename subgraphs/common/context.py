"""The context of a request, `info.context`: the caller, the domain's resources and the loaders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from subgraphs.common.errors import Unauthenticated, require_found
from subgraphs.common.identity import Identity
from subgraphs.common.runtime import Runtime

Loaders = TypeVar("Loaders")
Found = TypeVar("Found")


@dataclass(slots=True)
class Context(Generic[Loaders]):
    """The context of one request."""

    runtime: Runtime
    caller: Identity | None
    loaders: Loaders
    user_agent: str | None = None
    deadline: float | None = None
    """The caller's deadline, on the clock `time.monotonic`."""

    @property
    def identity(self) -> Identity:
        """The caller; Unauthenticated when there is none."""
        if self.caller is None:
            raise Unauthenticated
        return self.caller

    def is_caller(self, user_id: str) -> bool:
        """Whether a user is the caller."""
        return self.caller is not None and self.caller.user_id == user_id

    def require_found(self, kind: str, id: str, found: Found | None) -> Found:
        """Return what was found under an id; raise Unauthenticated without a caller, or NotFound."""
        if self.caller is None:
            raise Unauthenticated
        return require_found(kind, id, found)

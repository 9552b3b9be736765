"""What a resolver finds in `info.context`: the caller, the domain's resources and this request's loaders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from subgraphs.common.errors import Unauthenticated
from subgraphs.common.identity import Identity
from subgraphs.common.runtime import Runtime

Loaders = TypeVar("Loaders")


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

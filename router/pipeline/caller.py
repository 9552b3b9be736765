"""The caller of an operation."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from router.config.header_rules import ClientHeaders
from router.policy.auth import Identity


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent an operation: the verified identity, the header it came in, and the client's address.

    Subgraphs verify `authorization` again. `headers` are those that header rules propagate.
    """

    identity: Identity | None
    authorization: str | None
    headers: ClientHeaders = ()
    address: str = ""

    @property
    def client(self) -> str:
        """The key of limits and fair shares: the token's subject, or the address of an anonymous caller."""
        return f"subject:{self.identity.subject}" if self.identity else self.address

    def get_remaining_seconds(self) -> float | None:
        """Seconds until the token expires; None if there is no token or it does not expire."""
        expires_at = self.identity.expires_at if self.identity else math.inf
        return expires_at - time.time() if math.isfinite(expires_at) else None

"""Attacks: what each is called and aimed at, and the randomness that a seed reproduces."""

from __future__ import annotations

import random
from dataclasses import dataclass

from subgraphs.domains import DOMAINS

ROUTER = ("router",)
SERVERS = ("router", *DOMAINS)


@dataclass(frozen=True, slots=True)
class Attack:
    """An attack on one process.

    A burst sends many requests at once, so the event loop's time per request is limited, not its longest
    block. `may_close` is for violations of HTTP or of another protocol, after which the server may close the
    connection; anything else must be answered.
    """

    name: str
    target: str
    is_burst: bool
    may_close: bool

    @property
    def full_name(self) -> str:
        """The name and the target process."""
        return f"{self.name}@{self.target}"

    @property
    def surface(self) -> str:
        """The attacked surface: the name's first part."""
        return self.name.partition(".")[0]


def create_random(seed: int, name: str) -> random.Random:
    """Create a random number generator for one attack, which does not depend on earlier attacks."""
    return random.Random(f"{seed}/{name}")  # noqa: S311 - it must be reproducible

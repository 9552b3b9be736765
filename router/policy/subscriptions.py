"""Limits of open subscriptions: each has a stream of its own to a subgraph, and may last for hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from router.errors import OverloadedError, TooManyOperationsError


class SubscriptionLimits:
    """Counts the open subscriptions of this process: all of them, and those of each client."""

    def __init__(self, most: int, most_of_client: int) -> None:
        self._most = most
        self._most_of_client = most_of_client
        self._open = 0
        self._counts: Counter[str] = Counter()

    @contextmanager
    def admit(self, client: str) -> Iterator[None]:
        """Counts a subscription of a client as open while the context lasts.

        Raises:
            TooManyOperationsError: the client's limit is reached.
            OverloadedError: the limit of all clients is reached.
        """
        if self._counts[client] >= self._most_of_client:
            raise TooManyOperationsError(f"{self._most_of_client} subscriptions of this client are open.")
        if self._open >= self._most:
            raise OverloadedError("Too many subscriptions are open; try again later.")
        self._open += 1
        self._counts[client] += 1
        try:
            yield
        finally:
            self._open -= 1
            self._counts[client] -= 1
            if not self._counts[client]:
                del self._counts[client]

"""The connections of a listening router: how many there are, and which hold on to what others need."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Protocol

import uvicorn

from router.admission import Admission
from router.config.connections import Connections
from router.server.clients import Clients, network_of
from router.telemetry import Metrics

SWEEP_SECONDS = 1.0


class Client(Protocol):
    """A connection as the listener sees it: `unsent` bytes wait in it since `slow_since`, if any do."""

    unsent: int
    slow_since: float

    def check(self, now: float) -> None:
        """Ends the connection if its client takes too long."""
        ...

    def abort(self) -> None:
        """Ends the connection at once."""
        ...


class Listener:
    """Counts the connections, refuses what are too many, and looks at each of them every second."""

    def __init__(self, settings: Connections, capacity: int, metrics: Metrics, admission: Admission) -> None:
        self.settings = settings
        self.admission = admission
        self._capacity = capacity
        self._share = min(settings.max_client_connections, max(1, capacity // 2))
        self._clients = Clients(settings)
        self._metrics = metrics
        self._connections: set[Client] = set()
        self._counts: Counter[str] = Counter()
        self._sweeping: asyncio.TimerHandle | None = None

    def admit(self, connection: Client, peer: str) -> bool:
        """Counts a connection from an address, if there is room for it."""
        client = network_of(peer)
        if len(self._connections) >= self._capacity:
            return self._refuse("all")
        # A trusted proxy speaks for many.
        if self._counts[client] >= self._share and not self._clients.is_trusted(peer):
            return self._refuse("client")
        self._connections.add(connection)
        self._counts[client] += 1
        if self._sweeping is None:
            self._sweep()
        return True

    def release(self, connection: Client, peer: str) -> None:
        """Makes room for another connection."""
        client = network_of(peer)
        self._connections.discard(connection)
        self._counts[client] -= 1
        if not self._counts[client]:
            del self._counts[client]

    def _refuse(self, limit: str) -> bool:
        self._metrics.refused_connections.labels(limit).inc()
        return False

    def _sweep(self) -> None:
        if not self._connections:
            self._sweeping = None
            return
        loop = asyncio.get_running_loop()
        for connection in list(self._connections):
            connection.check(loop.time())
        self._make_room()
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep)

    def _make_room(self) -> None:
        """Ends those who read slowly the longest, until the others hold no more than is allowed."""
        slow = sorted((each for each in self._connections if each.unsent), key=lambda each: each.slow_since)
        unsent = sum(each.unsent for each in slow)
        for each in slow:
            if unsent <= self.settings.max_unsent_bytes:
                return
            unsent -= each.unsent
            each.abort()


class ListenerConfig(uvicorn.Config):
    """uvicorn's configuration, which its protocols are given, with the listener that they belong to."""

    def __init__(self, app: Any, listener: Listener, **options: Any) -> None:
        super().__init__(app, **options)
        self.listener = listener

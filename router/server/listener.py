"""The listener's connections: their number is limited, and slow ones are closed."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Protocol

import uvicorn

from router.admission import Admission
from router.config.connections import Connections
from router.server.clients import Clients, mask_address
from router.telemetry import Metrics

SWEEP_SECONDS = 1.0


class MonitoredConnection(Protocol):
    """A connection that the listener monitors; `unsent` bytes have been buffered since `slow_since`."""

    unsent: int
    slow_since: float

    def check(self, now: float) -> None:
        """Closes the connection if a timeout has expired."""
        ...

    def abort(self) -> None:
        """Closes the connection at once."""
        ...


class Listener:
    """Counts and limits the connections, and checks each of them every `SWEEP_SECONDS`."""

    def __init__(self, settings: Connections, capacity: int, metrics: Metrics, admission: Admission) -> None:
        self.settings = settings
        self.admission = admission
        self._capacity = capacity
        self._share = min(settings.max_client_connections, max(1, capacity // 2))
        self._clients = Clients(settings)
        self._metrics = metrics
        self._connections: set[MonitoredConnection] = set()
        self._counts: Counter[str] = Counter()
        self._sweeping: asyncio.TimerHandle | None = None

    def admit(self, connection: MonitoredConnection, peer: str) -> bool:
        """Registers a connection from an address; false if a limit is reached."""
        client = mask_address(peer)
        if len(self._connections) >= self._capacity:
            return self._refuse("all")
        # A trusted proxy carries the connections of many clients.
        if self._counts[client] >= self._share and not self._clients.is_trusted(peer):
            return self._refuse("client")
        self._connections.add(connection)
        self._counts[client] += 1
        if self._sweeping is None:
            self._sweep()
        return True

    def release(self, connection: MonitoredConnection, peer: str) -> None:
        """Removes a connection."""
        client = mask_address(peer)
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
        self._limit_unsent()
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep)

    def _limit_unsent(self) -> None:
        """Closes the connections that have been slow longest, until the unsent data is within its limit."""
        slow = sorted((each for each in self._connections if each.unsent), key=lambda each: each.slow_since)
        unsent = sum(each.unsent for each in slow)
        for each in slow:
            if unsent <= self.settings.max_unsent_bytes:
                return
            unsent -= each.unsent
            each.abort()


class ListenerConfig(uvicorn.Config):
    """uvicorn's configuration with the listener, for the protocols that are created from it."""

    def __init__(self, app: Any, listener: Listener, **options: Any) -> None:
        super().__init__(app, **options)
        self.listener = listener

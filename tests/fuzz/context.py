"""The context of an attack: its connections and clients, and a record of every exchange."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.fuzz.attacks import Attack
from tests.fuzz.parent import Parent
from tests.fuzz.raw_client import Exchange, Headers, RawConnection, build_graphql_request
from tests.fuzz.target import Target

RESPONSE_TIMEOUT = 40.0
MAX_CONCURRENT = 40
MAX_SHOWN = 160


@dataclass(slots=True)
class AttackContext:
    """A running attack; it pauses for `pause` seconds before each request."""

    target: Target
    attack: Attack
    random: Random
    parent: Parent
    other: Parent
    exchanges: list[Exchange] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    closing: list[RawConnection] = field(default_factory=list)
    left_open: list[RawConnection] = field(default_factory=list)
    background: list[asyncio.Task[None]] = field(default_factory=list)
    is_insider: bool = True
    pause: float = 0.0

    def __post_init__(self) -> None:
        # Malformed requests reach a subgraph both with and without the service token.
        if self.attack.surface in ("headers", "http"):
            self.is_insider = self.random.random() < 0.5

    @property
    def port(self) -> int:
        """The port of the attacked process."""
        return self.target.get_port(self.attack.target)

    @property
    def address(self) -> str:
        """The attack's own loopback address, so that it does not use up the limits of other clients."""
        number = zlib.crc32(self.attack.full_name.encode())
        return f"127.1.{number >> 8 & 0xFF}.{number % 254 + 1}"

    @property
    def is_router(self) -> bool:
        """Whether the target is the router rather than a subgraph."""
        return self.attack.target == "router"

    @property
    def token(self) -> tuple[str, str]:
        """The authorization header of a signed-in parent."""
        return ("authorization", f"Bearer {self.parent.token}")

    def add_service_token(self, data: bytes) -> bytes:
        """Add the service token to a request to a subgraph, which rejects requests without it."""
        token = self.target.environ.get("SERVICE_TOKEN")
        if self.is_router or token is None or not self.is_insider:
            return data
        return data.replace(b"\r\n", f"\r\nx-memorable-service-token: {token}\r\n".encode(), 1)

    def generate_name(self) -> str:
        """Generate a unique GraphQL name."""
        return f"s{self.random.getrandbits(64):016x}"

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[RawConnection]:
        """Open a connection to the attacked process."""
        connection = await RawConnection.open(self.port, self.address)
        try:
            yield connection
        finally:
            await connection.close()

    async def send(self, data: bytes, *, within: float = RESPONSE_TIMEOUT) -> Exchange:
        """Send bytes over a new connection and read the response."""
        await asyncio.sleep(self.pause)
        shown = data[:MAX_SHOWN].decode("latin-1") + (
            f"… ({len(data)} bytes)" if len(data) > MAX_SHOWN else ""
        )
        try:
            async with self.connect() as connection:
                # Read while sending: a server that refuses the request early may not read the rest.
                sending = asyncio.create_task(connection.send(self.add_service_token(data)))
                exchange = await connection.read_response(shown, within)
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        except (OSError, TimeoutError) as error:
            exchange = Exchange(f"{shown} ({type(error).__name__})", "refused")
        self.exchanges.append(exchange)
        return exchange

    async def execute(
        self,
        document: str,
        variables: Any = None,
        headers: Headers = (),
        *,
        signed_in: bool = True,
        **more: Any,
    ) -> Exchange:
        """Send a GraphQL request, made unique by a comment so that no cache serves it."""
        own = [self.token] if signed_in else []
        exchange = await self.send(
            build_graphql_request(
                f"{document}\n# {self.generate_name()}", variables, [*own, *headers], **more
            )
        )
        exchange.sent = f"{document[:MAX_SHOWN]} {str(variables)[:MAX_SHOWN]}"
        return exchange

    async def run_concurrently(
        self, coroutines: Iterable[Coroutine[Any, Any, Any]], limit: int = MAX_CONCURRENT
    ) -> None:
        """Run coroutines concurrently, at most `limit` at a time."""
        semaphore = asyncio.Semaphore(limit)
        pending = list(coroutines)

        async def run(coroutine: Coroutine[Any, Any, Any]) -> None:
            async with semaphore:
                await coroutine

        tasks = [asyncio.create_task(run(coroutine)) for coroutine in pending]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # Those that have not begun would be reported as never awaited.
            for coroutine in pending:
                coroutine.close()

    def expect_close(self, connection: RawConnection) -> None:
        """Leave a connection open which the server must close in time."""
        self.closing.append(connection)

    def leave_open(self, connection: RawConnection) -> None:
        """Leave a connection open, which the server may keep open, until the attack is evaluated."""
        self.left_open.append(connection)

    def run_in_background(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the background until open connections are checked."""
        self.background.append(asyncio.create_task(coroutine))

    def report(self, violation: str) -> None:
        """Record a violation that the attack itself has detected."""
        self.violations.append(violation)

"""The arena: what an attack is given to send with, and where all that it hears is noted."""

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
from tests.fuzz.target import Target
from tests.fuzz.wire import Exchange, Headers, Wire, posted

ANSWERED_WITHIN = 40.0
AT_ONCE = 40
SHOWN = 160


@dataclass(slots=True)
class Arena:
    """One attack under way."""

    target: Target
    attack: Attack
    chance: Random
    parent: Parent
    other: Parent
    exchanges: list[Exchange] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    lingering: list[Wire] = field(default_factory=list)
    left: list[Wire] = field(default_factory=list)
    feeding: list[asyncio.Task[None]] = field(default_factory=list)
    is_insider: bool = True
    pause: float = 0.0

    def __post_init__(self) -> None:
        # What is wrong with a request's form meets a subgraph before it knows who sends it, and after.
        if self.attack.surface in ("headers", "http"):
            self.is_insider = self.chance.random() < 0.5

    @property
    def port(self) -> int:
        """Where the attacked process listens."""
        return self.target.port(self.attack.target)

    @property
    def address(self) -> str:
        """Where the attack comes from: its own address, so that what it uses up is missed by no other."""
        number = zlib.crc32(self.attack.full_name.encode())
        return f"127.1.{number >> 8 & 0xFF}.{number % 254 + 1}"

    @property
    def is_router(self) -> bool:
        """Whether the router is attacked; else a subgraph."""
        return self.attack.target == "router"

    @property
    def token(self) -> tuple[str, str]:
        """The header of a parent who is signed in."""
        return ("authorization", f"Bearer {self.parent.token}")

    def introduced(self, data: bytes) -> bytes:
        """A request as the router sends it: subgraphs may ask for its token, and turn others away at once."""
        token = self.target.environ.get("SERVICE_TOKEN")
        if self.is_router or token is None or not self.is_insider:
            return data
        return data.replace(b"\r\n", f"\r\nx-memorable-service-token: {token}\r\n".encode(), 1)

    def salt(self) -> str:
        """A word that nobody has sent before."""
        return f"s{self.chance.getrandbits(64):016x}"

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        """A connection to the attacked process."""
        wire = await Wire.open(self.port, self.address)
        try:
            yield wire
        finally:
            await wire.close()

    async def send(self, data: bytes, *, within: float = ANSWERED_WITHIN) -> Exchange:
        """Send the bytes over a connection of their own, and hear the answer."""
        await asyncio.sleep(self.pause)
        shown = data[:SHOWN].decode("latin-1") + (f"… ({len(data)} bytes)" if len(data) > SHOWN else "")
        try:
            async with self.wire() as wire:
                # Who does not read what is refused half way would wait for ever to send the rest.
                sending = asyncio.create_task(wire.send(self.introduced(data)))
                exchange = await wire.answer(shown, within)
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        except (OSError, TimeoutError) as error:
            exchange = Exchange(f"{shown} ({type(error).__name__})", "refused")
        self.exchanges.append(exchange)
        return exchange

    async def ask(
        self,
        document: str,
        variables: Any = None,
        headers: Headers = (),
        *,
        signed_in: bool = True,
        **more: Any,
    ) -> Exchange:
        """Send a GraphQL request, made new by a comment, so that nothing kept answers it."""
        own = [self.token] if signed_in else []
        exchange = await self.send(
            posted(f"{document}\n# {self.salt()}", variables, [*own, *headers], **more)
        )
        exchange.sent = f"{document[:SHOWN]} {str(variables)[:SHOWN]}"
        return exchange

    async def together(self, sendings: Iterable[Coroutine[Any, Any, Any]], at_once: int = AT_ONCE) -> None:
        """Run many at one time."""
        free = asyncio.Semaphore(at_once)
        all_of_them = list(sendings)

        async def one(sending: Coroutine[Any, Any, Any]) -> None:
            async with free:
                await sending

        try:
            await asyncio.gather(*(one(each) for each in all_of_them))
        finally:
            for each in all_of_them:
                each.close()

    def linger(self, wire: Wire) -> None:
        """Leave a connection open, which the other side has to close in time."""
        self.lingering.append(wire)

    def leave(self, wire: Wire) -> None:
        """Leave a connection open, which the other side may keep, for as long as the attack is watched."""
        self.left.append(wire)

    def feed(self, feeding: Coroutine[Any, Any, None]) -> None:
        """Go on with something in the background until the hunt is over."""
        self.feeding.append(asyncio.create_task(feeding))

    def complain(self, what: str) -> None:
        """Note what the attack itself has found."""
        self.complaints.append(what)

"""What goes wrong with a single request to a fake."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BuildError: TypeAlias = Callable[[int, "str | None", Mapping[str, str]], ASGIApp]


@dataclass(frozen=True, slots=True)
class Call:
    """A request that a fake has received; they are numbered from 1."""

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def read_json(self) -> Any:
        """Parse the body as JSON."""
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request on its way to a fake, and the connection that waits for the response."""

    call: Call
    scope: Scope
    receive: Receive
    send: Send
    app: ASGIApp
    build_error: BuildError

    async def proceed(self, send: Send | None = None) -> None:
        """Let the fake do what it was asked to, and respond, through `send` if given."""
        await self.app(self.scope, self.receive, send or self.send)

    async def answer(self, response: ASGIApp) -> None:
        """Respond without the fake."""
        await response(self.scope, self.receive, self.send)

    async def hang_up(self) -> None:
        """Close the connection, whatever has been sent."""
        self.scope["transport"].close()
        while (await self.receive())["type"] != "http.disconnect":
            pass


Fault: TypeAlias = Callable[[Exchange], Awaitable[None]]
"""It decides whether the fake gets the request, and what the caller gets of the response."""


class _StandardFault(BaseModel):
    """A fault that any provider can have, and that JSON can name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fail(_StandardFault):
    """An error in the provider's format, with headers such as `retry-after`; nothing is done."""

    kind: Literal["fail"] = "fail"
    status: Annotated[int, Field(ge=400, le=599)]
    code: str | None = None
    headers: Mapping[str, str] = Field(default_factory=dict)

    async def __call__(self, exchange: Exchange) -> None:
        await exchange.answer(exchange.build_error(self.status, self.code, self.headers))


class Delay(_StandardFault):
    """A pause before anything is done."""

    kind: Literal["delay"] = "delay"
    seconds: Annotated[float, Field(ge=0)]

    async def __call__(self, exchange: Exchange) -> None:
        await asyncio.sleep(self.seconds)
        await exchange.proceed()


class HangUp(_StandardFault):
    """The request is accepted and done, but the connection is closed instead of a response."""

    kind: Literal["hang_up"] = "hang_up"

    async def __call__(self, exchange: Exchange) -> None:
        async def discard(_: Message) -> None:
            """Send nothing."""

        await exchange.proceed(discard)
        await exchange.hang_up()


class CutBody(_StandardFault):
    """The connection is closed in the middle of the response's body."""

    kind: Literal["cut_body"] = "cut_body"
    after_bytes: Annotated[int, Field(ge=0)] = 100

    async def __call__(self, exchange: Exchange) -> None:
        left = self.after_bytes

        async def send_part(message: Message) -> None:
            nonlocal left
            if message["type"] == "http.response.start":
                await exchange.send(_leave_length_open(message))
                return
            part = message.get("body", b"")[:left]
            left -= len(part)
            await exchange.send({**message, "body": part, "more_body": True})
            if left == 0 or not message.get("more_body"):
                await exchange.hang_up()

        await exchange.proceed(send_part)


class Malform(_StandardFault):
    """The response's JSON has no closing braces."""

    kind: Literal["malform"] = "malform"

    async def __call__(self, exchange: Exchange) -> None:
        async def send_malformed(message: Message) -> None:
            if message["type"] == "http.response.start":
                await exchange.send(_leave_length_open(message))
            else:
                await exchange.send({**message, "body": message.get("body", b"").replace(b"}", b"")})

        await exchange.proceed(send_malformed)


StandardFault = Annotated[Fail | Delay | HangUp | CutBody | Malform, Field(discriminator="kind")]


def answer_with(build_response: Callable[[], ASGIApp]) -> Fault:
    """Build a fault that is a response, for what only one test needs."""

    async def answer(exchange: Exchange) -> None:
        await exchange.answer(build_response())

    return answer


def _leave_length_open(message: Message) -> Message:
    """Remove the length of a body that will be another one."""
    headers = MutableHeaders(raw=list(message["headers"]))
    del headers["content-length"]
    return {**message, "headers": headers.raw}

"""A fake of a provider is a server: it records what it receives, and behaves as its scenario says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.support.fakes.faults import Call, Exchange, Fault, StandardFault
from tests.support.serving import serve_app


class PlannedFault(BaseModel):
    """A fault of the next requests to a path, in which `*` stands for anything; `times` is null for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    fault: StandardFault
    times: Annotated[int, Field(ge=1)] | None = 1


class Scenario(BaseModel):
    """How a fake behaves; each provider adds its own switches."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    faults: Sequence[PlannedFault] = ()


ScenarioType = TypeVar("ScenarioType", bound=Scenario)


@dataclass(slots=True, eq=False)
class _Plan:
    """A fault, and how many more times it happens."""

    path: str
    fault: Fault
    times: int | None


class FakeServer(ABC, Generic[ScenarioType]):
    """The base of all fakes; a subclass keeps what it has accepted in its attributes.

    `GET` and `PUT` of `/_scenario` read and replace the scenario; `GET /_calls` reads what was received.
    """

    name: ClassVar[str]

    def __init__(self, scenario: ScenarioType) -> None:
        self.address = ""
        self.calls: list[Call] = []
        self.apply_scenario(scenario)
        control = [
            Route("/_scenario", self._answer_scenario, methods=["GET", "PUT"]),
            Route("/_calls", self._answer_calls),
        ]
        self._app = Starlette(routes=[*control, *self.build_routes()])

    @property
    @abstractmethod
    def environ(self) -> Mapping[str, str]:
        """The settings with which the platform uses this server."""

    @abstractmethod
    def build_routes(self) -> list[Route]:
        """Build the routes of the provider's API."""

    @abstractmethod
    def build_error(self, status: int, code: str | None, headers: Mapping[str, str]) -> Response:
        """Build an error in the provider's format."""

    def build_headers(self, call: Call) -> Mapping[str, str]:
        """Build the headers that every response to a call has."""
        del call
        return {}

    def apply_scenario(self, scenario: ScenarioType) -> None:
        """Follow a scenario from now on; it replaces all faults that were planned before."""
        self.scenario = scenario
        self._plans = [_Plan(each.path, each.fault, each.times) for each in scenario.faults]

    def apply_scenario_json(self, scenario: str | bytes) -> None:
        """Follow a scenario in JSON; ValidationError if it is not one of this provider."""
        self.apply_scenario(type(self.scenario).model_validate_json(scenario))

    def fail(self, path: str, *faults: Fault) -> None:
        """Let the next requests to a path meet these faults, one each and in this order."""
        self._plans += [_Plan(path, fault, 1) for fault in faults]

    def list_calls(self, path: str) -> list[Call]:
        """List the requests to a path."""
        return [call for call in self.calls if call.path == path]

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[Self]:
        """Serve on a port of the loopback interface, or on a free one."""
        async with serve_app(self, _Protocol, port) as address:
            self.address = address
            yield self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a request and answer it, unless a fault is planned."""
        if scope["type"] != "http" or scope["path"].startswith("/_"):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        headers, body = dict(request.headers), await request.body()
        call = Call(len(self.calls) + 1, request.method, request.url.path, headers, body)
        self.calls.append(call)
        exchange = Exchange(
            call,
            scope,
            _replay(body, receive),
            _add_headers(self.build_headers(call), send),
            self._app,
            self.build_error,
        )
        fault = self._take_fault(call.path)
        await (exchange.proceed() if fault is None else fault(exchange))

    def _take_fault(self, path: str) -> Fault | None:
        plan = next((each for each in self._plans if fnmatchcase(path, each.path)), None)
        if plan is None:
            return None
        if plan.times is not None:
            plan.times -= 1
            if plan.times == 0:
                self._plans.remove(plan)
        return plan.fault

    async def _answer_scenario(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                self.apply_scenario_json(await request.body())
            except ValidationError as error:
                return JSONResponse({"problems": describe_problems(error)}, status_code=422)
        return JSONResponse(self.scenario.model_dump(mode="json"))

    async def _answer_calls(self, _: Request) -> Response:
        return JSONResponse(
            [
                {"method": call.method, "path": call.path, "body": call.body.decode(errors="replace")}
                for call in self.calls
            ]
        )


class _Protocol(HttpToolsProtocol):
    """A protocol whose requests know their connection, so that a fault can close it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]


def describe_problems(error: ValidationError) -> list[str]:
    """Describe what is wrong with a scenario, and where."""
    return [
        f"{'.'.join(map(str, problem['loc'])) or 'scenario'}: {problem['msg']}" for problem in error.errors()
    ]


def _replay(body: bytes, receive: Receive) -> Receive:
    """Receive a body again that was read, and then what follows it."""
    read: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return read.pop() if read else await receive()

    return receive_again


def _add_headers(headers: Mapping[str, str], send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return send_with_headers

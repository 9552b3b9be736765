"""The HTTP client for other services: repeated, bounded and counted requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from subgraphs.common import http
from subgraphs.common.budget import Budget
from subgraphs.common.errors import DeadlineExceeded
from subgraphs.common.http import IDEMPOTENT, create_client
from subgraphs.common.telemetry import start_trace
from tests.support.serving import refuse_connections, serve_app
from tests.support.tls import create_certificate, serve_tls

Answer = Callable[[Request], Awaitable[Response]]


class Service:
    """A service that gives one answer after the other, and the last one again and again."""

    def __init__(self, *answers: Response | Answer) -> None:
        self.requests: list[Request] = []
        self.bodies: list[bytes] = []
        self._answers = list(answers)

    async def answer(self, request: Request) -> Response:
        self.requests.append(request)
        self.bodies.append(await request.body())
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer if isinstance(answer, Response) else await answer(request)

    @asynccontextmanager
    async def serve(self, deadline_seconds: float = 120, **options: Any) -> AsyncIterator[httpx2.AsyncClient]:
        app = Starlette(routes=[Route("/", self.answer, methods=["GET", "POST"])])
        async with (
            serve_app(app) as address,
            create_client("shop", deadline_seconds=deadline_seconds, **options) as client,
        ):
            client.base_url = httpx2.URL(address)
            yield client


def count(outcome: str) -> float:
    labels = {"service": "shop", "outcome": outcome}
    return REGISTRY.get_sample_value("outgoing_requests_total", labels) or 0.0


async def test_a_request_carries_the_trace_and_is_counted() -> None:
    trace, before = start_trace(None), count("2xx")
    service = Service(Response("ok"))
    async with service.serve() as client:
        assert (await client.get("/")).text == "ok"
    assert trace in service.requests[0].headers["traceparent"]
    assert count("2xx") == before + 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_temporary_failure_is_repeated_with_the_same_body(status: int) -> None:
    service = Service(Response(status_code=status), Response(status_code=status), Response("ok"))
    async with service.serve() as client:
        answer = await client.post("/", content=b"same", headers={"idempotency-key": "1"})
    assert (answer.status_code, service.bodies) == (200, [b"same"] * 3)


async def test_the_third_failure_is_the_answer() -> None:
    before = count("5xx")
    service = Service(Response(status_code=503))
    async with service.serve() as client:
        assert (await client.get("/")).status_code == 503
    assert (len(service.requests), count("5xx")) == (3, before + 1)


@pytest.mark.parametrize("status", [200, 301, 400, 404, 500])
async def test_any_other_answer_is_final(status: int) -> None:
    service = Service(Response(status_code=status))
    async with service.serve() as client:
        assert (await client.get("/")).status_code == status
    assert len(service.requests) == 1


async def test_a_post_is_not_repeated_unless_the_caller_allows_it() -> None:
    service = Service(Response(status_code=503))
    async with service.serve() as client:
        await client.post("/", json={})
        assert len(service.requests) == 1
        await client.post("/", json={}, extensions={IDEMPOTENT: True})
        assert len(service.requests) == 4


async def test_a_body_that_is_a_stream_is_not_sent_twice() -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield b"once"

    service = Service(Response(status_code=503))
    async with service.serve() as client:
        await client.post("/", content=stream(), headers={"idempotency-key": "1"})
    assert service.bodies == [b"once"]


def build_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("build_header", [str, build_date])
async def test_a_short_pause_that_the_service_asks_for_is_made(build_header: Callable[[int], str]) -> None:
    times: list[float] = []

    async def refuse(_: Request) -> Response:
        times.append(time.monotonic())
        return Response(status_code=429, headers={"retry-after": build_header(2)})

    async with Service(refuse).serve() as client:
        await client.get("/")
    assert times[1] - times[0] >= 0.9  # a date has no fractions of a second


@pytest.mark.parametrize("build_header", [str, build_date])
async def test_a_long_pause_is_left_to_the_caller(build_header: Callable[[int], str]) -> None:
    service = Service(Response(status_code=429, headers={"retry-after": build_header(3600)}))
    async with service.serve() as client:
        assert (await client.get("/")).status_code == 429
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "-1",
        "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    ],
)
async def test_a_pause_that_is_not_valid_is_ignored(value: str) -> None:
    service = Service(Response(status_code=503, headers={"retry-after": value}))
    async with service.serve() as client:
        assert (await client.get("/")).status_code == 503
    assert len(service.requests) == 3


async def test_a_service_that_does_not_listen_is_unreachable() -> None:
    before = count("unreachable")
    async with refuse_connections() as address, create_client("shop", deadline_seconds=20) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get(address)
    assert count("unreachable") == before + 1


@pytest.mark.parametrize(
    ("uses_proxy", "excepted", "is_proxied"),
    [(True, "", True), (True, "127.0.0.1", False), (False, "", False)],
    ids=["outside", "excepted", "inside"],
)
async def test_a_service_outside_of_the_platform_is_reached_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch, uses_proxy: bool, excepted: str, is_proxied: bool
) -> None:
    proxy = Service(Response("proxied"))
    async with refuse_connections() as address, proxy.serve() as proxy_client:
        monkeypatch.setenv("http_proxy", str(proxy_client.base_url))
        monkeypatch.setenv("no_proxy", excepted)
        async with create_client("shop", deadline_seconds=20, uses_proxy=uses_proxy) as client:
            if is_proxied:
                assert (await client.get(address)).text == "proxied"
            else:
                with pytest.raises(httpx2.ConnectError):
                    await client.get(address)
    hosts = [request.headers["host"] for request in proxy.requests]
    assert hosts == ([address.removeprefix("http://")] if is_proxied else [])


async def test_the_certificates_in_a_file_are_trusted_instead_of_the_systems(tmp_path: Path) -> None:
    certificate = create_certificate(tmp_path)
    async with serve_tls(certificate, 200) as address:
        async with create_client("shop", deadline_seconds=20, ca_file=certificate) as client:
            assert (await client.get(address)).status_code == 200
        async with create_client("shop", deadline_seconds=20) as client:
            with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(address)


async def hang(_: Request) -> Response:
    await asyncio.sleep(60)
    return Response("late")


async def test_the_deadline_covers_all_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_FIRST_PAUSE_SECONDS", 0.0)
    before = count("timeout")
    service = Service(Response(status_code=503), hang)
    async with service.serve(deadline_seconds=2) as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.get("/")
    assert (len(service.requests), count("timeout")) == (2, before + 1)


async def test_a_request_ends_with_the_operation_that_it_belongs_to() -> None:
    budget = Budget(time.monotonic() + 0.5)

    async def request(client: httpx2.AsyncClient) -> None:
        async with budget.enforce():
            await client.get("/")

    async with Service(hang).serve() as client:
        with pytest.raises((DeadlineExceeded, httpx2.ReadTimeout)):
            await request(client)


async def test_a_service_gets_a_bounded_number_of_connections_and_the_rest_wait() -> None:
    open_requests, most = 0, 0

    async def answer(_: Request) -> Response:
        nonlocal open_requests, most
        open_requests += 1
        most = max(most, open_requests)
        await asyncio.sleep(0.05)
        open_requests -= 1
        return Response("ok")

    async with Service(answer).serve(max_connections=3) as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(12)))
    assert ([each.status_code for each in answers], most) == ([200] * 12, 3)


async def test_a_repeated_request_is_logged_without_its_address_its_headers_and_its_bodies() -> None:
    secret = "swordfish"
    service = Service(Response(secret, 503, {"x-detail": secret}), Response("ok"))
    with capture_logs() as lines:
        async with service.serve() as client:
            headers = {"authorization": secret, "idempotency-key": secret}
            await client.post(f"/?search={secret}", content=secret, headers=headers)
    assert lines == [
        {"event": "Request is repeated", "log_level": "info", "to": "shop", "attempt": 1, "outcome": "503"}
    ]


async def test_a_response_that_is_too_large_is_not_read() -> None:
    service = Service(Response("x" * 2_000_000))
    async with service.serve(max_response_bytes=1_000_000) as client:
        with pytest.raises(httpx2.ReadError, match="too large"):
            await client.get("/")
    async with service.serve(max_response_bytes=2_000_000) as client:
        assert len((await client.get("/")).content) == 2_000_000

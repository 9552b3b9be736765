"""The HTTP client of fetches, against servers that send exactly the given bytes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from router.config.traffic import TlsFiles
from router.transport.address import Address
from router.transport.http_client import HttpClient, HttpError, HttpResponse
from tests.support.tls import create_certificate

TIMEOUT = 60.0
HELLO = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


@dataclass
class ScriptedServer:
    """A server that answers the first request of a connection with the first script, and so on."""

    scripts: Sequence[bytes]
    closes: bool = False
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    closed_connections: int = 0
    url: str = ""
    change: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            for script in self.scripts:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                writer.write(script)
                await writer.drain()
            if not self.closes:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            async with self.change:
                self.closed_connections += 1
                self.change.notify_all()


@asynccontextmanager
async def run_scripted_server(
    *scripts: bytes, closes: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedServer]:
    scripted_server = ScriptedServer(scripts, closes)
    server = await asyncio.start_server(scripted_server.serve, "127.0.0.1", 0, ssl=tls)
    host, port = server.sockets[0].getsockname()
    scripted_server.url = f"{'https' if tls else 'http'}://{host}:{port}/graphql?as=json"
    try:
        yield scripted_server
    finally:
        server.close()


async def wait_for_closed_connections(server: ScriptedServer, connections: int) -> None:
    async with asyncio.timeout(60), server.change:
        await server.change.wait_for(lambda: server.closed_connections >= connections)


async def test_a_request_is_one_message_with_its_headers_and_its_length():
    async with run_scripted_server(HELLO) as server, HttpClient() as client:
        answer = await client.post(Address.parse(server.url), {"accept": "application/json"}, b"{}", TIMEOUT)
    origin = server.url.removeprefix("http://").partition("/")[0].encode()
    assert answer == HttpResponse(200, b"hello")
    assert server.requests == [
        b"POST /graphql?as=json HTTP/1.1\r\nhost: %b\r\naccept: application/json\r\n"
        b"content-length: 2\r\n\r\n{}" % origin
    ]


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
            HttpResponse(200, b"hello"),
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO, HttpResponse(200, b"hello")),
        (
            b"HTTP/1.1 103 Early Hints\r\nretry-after: 9\r\ncontent-encoding: gzip\r\n\r\n" + HELLO,
            HttpResponse(200, b"hello"),
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", HttpResponse(204, b"")),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", HttpResponse(503, b"")),
    ],
    ids=["chunked", "after an interim response", "after one with headers", "without content", "empty"],
)
async def test_a_response_ends_where_its_head_says(script: bytes, answer: HttpResponse):
    async with run_scripted_server(script, script) as server, HttpClient() as client:
        assert await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT) == answer
        assert await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT) == answer
    assert server.connections == 1


async def test_a_response_without_a_length_ends_with_its_connection():
    async with (
        run_scripted_server(b"HTTP/1.1 200 OK\r\n\r\nhello", closes=True) as server,
        HttpClient() as client,
    ):
        assert await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT) == HttpResponse(200, b"hello")


@pytest.mark.parametrize(
    "script",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
async def test_an_incomplete_response_is_an_error(script: bytes):
    async with run_scripted_server(script, closes=True) as server, HttpClient() as client:
        with pytest.raises(HttpError, match="before the response was complete"):
            await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "script",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    ],
)
async def test_a_response_that_is_not_http_is_an_error(script: bytes):
    async with run_scripted_server(script) as server, HttpClient() as client:
        with pytest.raises(HttpError, match="not an HTTP response"):
            await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT)
        await wait_for_closed_connections(server, 1)


async def test_sequential_requests_share_a_connection_and_concurrent_ones_do_not():
    async with run_scripted_server(HELLO, HELLO, HELLO) as server, HttpClient() as client:
        await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT)
        await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT)
        assert server.connections == 1
        await asyncio.gather(
            client.post(Address.parse(server.url), {}, b"{}", TIMEOUT),
            client.post(Address.parse(server.url), {}, b"{}", TIMEOUT),
        )
        assert server.connections == 2


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nconnection: close\r\n", b"HTTP/1.0 200 OK\r\n"])
async def test_a_connection_without_keep_alive_is_not_reused(head: bytes):
    script = head + b"content-length: 5\r\n\r\nhello"
    async with run_scripted_server(script, script) as server, HttpClient() as client:
        for _ in range(2):
            assert await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT) == HttpResponse(
                200, b"hello"
            )
        assert server.connections == 2


async def test_a_connection_that_the_server_closed_meanwhile_is_not_reused():
    async with run_scripted_server(HELLO, closes=True) as server, HttpClient() as client:
        await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT)
        for _ in range(2000):
            if not client._pools[Address.parse(server.url).pool].idle:
                break
            await asyncio.sleep(0.005)
        assert await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT) == HttpResponse(200, b"hello")


async def test_a_surplus_response_is_discarded_with_its_connection():
    forged = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged"
    async with run_scripted_server(HELLO + forged, HELLO) as server, HttpClient() as client:
        assert await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT) == HttpResponse(200, b"hello")
        assert await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT) == HttpResponse(200, b"hello")
    assert server.connections == 2


async def test_an_idle_connection_is_closed_after_its_timeout():
    async with run_scripted_server(HELLO, HELLO) as server, HttpClient(idle_seconds=0.01) as client:
        await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT)
        await wait_for_closed_connections(server, 1)


async def test_a_cancelled_request_closes_its_connection():
    async with (
        run_scripted_server(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel") as server,
        HttpClient() as client,
    ):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT)
        await wait_for_closed_connections(server, 1)


async def test_a_late_response_times_out():
    cut = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel"
    async with run_scripted_server(HELLO, cut) as server, HttpClient() as client:
        # First over a connection that was idle, then over a new one.
        await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT)
        with pytest.raises(TimeoutError):
            await client.post(Address.parse(server.url), {}, b"{}", 0.05)
        await wait_for_closed_connections(server, 1)
    async with run_scripted_server(cut) as server, HttpClient() as client:
        with pytest.raises(TimeoutError):
            await client.post(Address.parse(server.url), {}, b"{}", 0.05)
        await wait_for_closed_connections(server, 1)


async def test_a_response_over_the_size_limit_is_an_error():
    async with run_scripted_server(HELLO) as server, HttpClient(max_response_bytes=4) as client:
        with pytest.raises(HttpError, match="larger than 4 bytes"):
            await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT)
        await wait_for_closed_connections(server, 1)


async def test_closing_the_client_closes_its_connections():
    async with run_scripted_server(HELLO, HELLO) as server:
        async with HttpClient() as client:
            await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT)
        await wait_for_closed_connections(server, 1)


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0"])
async def test_a_header_value_cannot_inject_another_header(value: str):
    async with run_scripted_server(HELLO) as server, HttpClient() as client:
        with pytest.raises(HttpError, match="the header authorization cannot be sent"):
            await client.post(Address.parse(server.url), {"authorization": value}, b"{}", TIMEOUT)
    assert server.connections == 0


async def test_a_server_that_is_down_is_an_error():
    async with HttpClient() as client:
        with pytest.raises(HttpError, match="no connection"):
            await client.post(Address.parse("http://127.0.0.1:1/graphql"), {}, b"{}", TIMEOUT)


async def test_the_certificate_of_a_server_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = create_certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(path)
    async with run_scripted_server(HELLO, tls=tls) as server:
        async with HttpClient() as client:
            with pytest.raises(HttpError, match=r"no connection: .*certificate verify failed"):
                await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        async with HttpClient() as client:
            assert await client.post(Address.parse(server.url), {}, b"{}", TIMEOUT) == HttpResponse(
                200, b"hello"
            )


async def test_the_router_presents_its_certificate_to_a_subgraph_that_asks_for_one(tmp_path: Path):
    path = create_certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=path)
    tls.load_cert_chain(path)
    tls.verify_mode = ssl.CERT_REQUIRED
    async with run_scripted_server(HELLO, tls=tls) as server, HttpClient() as client:
        with pytest.raises(HttpError):
            await client.post(Address.parse(server.url, TlsFiles(ca=path)), {}, b"{}", TIMEOUT)
        known = Address.parse(server.url, TlsFiles(ca=path, certificate=path))
        assert await client.post(known, {}, b"{}", TIMEOUT) == HttpResponse(200, b"hello")

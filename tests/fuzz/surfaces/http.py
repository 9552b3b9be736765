"""Attacks on HTTP: request lines, methods, and bodies with wrong, duplicate or missing lengths."""

from __future__ import annotations

import gzip
import zlib

from tests.fuzz.attacks import SERVERS
from tests.fuzz.context import AttackContext
from tests.fuzz.raw_client import CLOSE_CONNECTION, JSON, build_request
from tests.fuzz.registry import attack

BODY = b'{"query":"{__typename}"}'
TAIL = b"host: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n"
MEGABYTE = 1 << 20


async def send_incomplete(context: AttackContext, data: bytes, sent: str, within: float) -> None:
    """Send what may be an incomplete request: the server may wait for the rest of it.

    Another attack checks for how long it waits.
    """
    async with context.connect() as connection:
        await connection.send(data)
        exchange = await connection.read_response(sent, within)
        if exchange.outcome == "silent":
            exchange.outcome = "closed"
        context.exchanges.append(exchange)


@attack("http.long-path", SERVERS, may_close=True)
async def long_path(context: AttackContext) -> None:
    await context.send(build_request("GET", "/" + "a/" * (MEGABYTE // 2), [CLOSE_CONNECTION]))
    await context.send(build_request("GET", "/graphql?query=" + "%7B" * 20_000, [CLOSE_CONNECTION]))


@attack("http.parameters", may_close=True)
async def parameters(context: AttackContext) -> None:
    many = "&".join(f"{context.generate_name()}=1" for _ in range(2_500))
    for query in (
        many,
        "query=a&" * 5_000,
        "query=%7B__typename%7D&variables=" + "%5B" * 10_000,
        "query=%7B__typename%7D&variables=%00",
        "query=%ff%fe&operationName=%ed%a0%80",
        "query=%7B__typename%7D&extensions=" + "%7B%22a%22:" * 3_000,
        "&" * 60_000,
        "%" * 5_000,
        "query=%7B__typename%7D&variables=" + "9" * 5_000,
        "query=mutation%7BsignOut%7D",
        "query=subscription%7Border(id:1)%7Bsequence%7D%7D",
    ):
        await context.send(build_request("GET", f"/graphql?{query}", [CLOSE_CONNECTION]))


@attack("http.paths", SERVERS, may_close=True)
async def paths(context: AttackContext) -> None:
    for path in (
        "/graphql/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//graphql",
        "/graphql/",
        "/graphql%00",
        "/graphiql/../router/settings.py",
        "/explorer/%2e%2e%2f%2e%2e%2fpyproject.toml",
        "/examples/..%5c..%5cpyproject.toml",
        "*",
        "http://elsewhere.example/graphql",
        "/health/ready?" + "a" * 5000,
        "/" + "%2f" * 2000,
        "/\xff\xfe",
    ):
        for method in ("GET", "POST"):
            answer = await context.send(
                build_request(method, path, [CLOSE_CONNECTION], None if method == "GET" else b"{}")
            )
            if b"root:x:" in answer.body or b"requires-python" in answer.body:
                context.report(f"a local file was served at {path}")


@attack("http.methods", SERVERS, may_close=True)
async def methods(context: AttackContext) -> None:
    for method in (
        "CONNECT",
        "TRACE",
        "OPTIONS",
        "PATCH",
        "PROPFIND",
        "post",
        "X" * 3000,
        "PRI",
        "HEAD",
        "\x00",
    ):
        for path in ("/graphql", "/health/live", "/metrics"):
            await context.send(build_request(method, path, [CLOSE_CONNECTION, JSON]), within=10)


@attack("http.lengths", SERVERS, may_close=True)
async def lengths(context: AttackContext) -> None:
    size = len(BODY)
    for length in (
        b"content-length: -1",
        b"content-length: 99999999999999999999",
        b"content-length: 5, 24",
        b"content-length: +24",
        b"content-length: 0x18",
        b"content-length: 24\r\ncontent-length: 5",
        b"content-length: %d\r\ntransfer-encoding: chunked" % size,
        b"transfer-encoding: chunked, identity",
        b"transfer-encoding: gzip, chunked",
        b"transfer-encoding : chunked",
        b"transfer-encoding: xchunked",
        b"content-length: " + b"1" * 5000,
    ):
        request = b"POST /graphql HTTP/1.1\r\n" + TAIL + length + b"\r\n\r\n" + BODY
        await send_incomplete(context, request, length[:60].decode(), 1.0)


@attack("http.chunks", SERVERS, may_close=True)
async def chunks(context: AttackContext) -> None:
    whole = b"%x\r\n%s\r\n0\r\n" % (len(BODY), BODY)
    for chunked in (
        b"ffffffffffffffffff\r\n",
        b"-1\r\n\r\n",
        b"zz\r\n\r\n",
        b"18;" + b"a=b;" * 5_000 + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
        b"".join(b"1\r\n%c\r\n" % letter for letter in BODY) + b"0\r\n\r\n",
        whole + b"".join(b"t%d: 1\r\n" % n for n in range(3000)) + b"\r\n",
        whole + b"content-length: 1\r\nauthorization: x\r\n\r\n",
        b"18\r\n" + BODY + b"XX0\r\n\r\n",
        b"0" * 5000 + b"18\r\n" + BODY + b"\r\n0\r\n\r\n",
    ):
        head = b"POST /graphql HTTP/1.1\r\n" + TAIL + b"transfer-encoding: chunked\r\n\r\n"
        await send_incomplete(context, head + chunked, repr(chunked[:40]), 1.0)


@attack("http.one-byte-chunks", SERVERS, may_close=True)
async def one_byte_chunks(context: AttackContext) -> None:
    """A body at the size limit in one-byte chunks."""
    body = b'{"query":"{__typename}","x":"' + b"a" * 100_000 + b'"}'
    pieces = b"".join(b"1\r\n%c\r\n" % letter for letter in body) + b"0\r\n\r\n"
    await context.send(b"POST /graphql HTTP/1.1\r\n" + TAIL + b"transfer-encoding: chunked\r\n\r\n" + pieces)


@attack("http.huge-body", SERVERS, may_close=True)
async def huge_body(context: AttackContext) -> None:
    """Forty times the allowed size; it must be rejected before all of it is read."""
    await context.send(
        build_request(headers=[JSON, CLOSE_CONNECTION], body=b'{"query":"' + b"a" * (40 * MEGABYTE) + b'"}')
    )


@attack("http.huge-chunked-body", SERVERS, may_close=True)
async def huge_chunked_body(context: AttackContext) -> None:
    piece = b"100000\r\n" + b"a" * MEGABYTE + b"\r\n"
    head = b"POST /graphql HTTP/1.1\r\n" + TAIL + b"transfer-encoding: chunked\r\n\r\n"
    await context.send(head + piece * 40 + b"0\r\n\r\n")


@attack("http.compressed-body", SERVERS)
async def compressed_body(context: AttackContext) -> None:
    bomb = gzip.compress(b" " * (20 * MEGABYTE))
    for encoding, body in (
        ("gzip", bomb),
        ("deflate", zlib.compress(b"x" * MEGABYTE)),
        ("br", b"\x00" * 100),
        ("gzip, gzip", gzip.compress(bomb)),
        ("identity", b"{}"),
        ("x" * 3000, b"{}"),
    ):
        await context.send(
            build_request(headers=[JSON, CLOSE_CONNECTION, ("content-encoding", encoding)], body=body)
        )


@attack("http.bodies", SERVERS)
async def bodies(context: AttackContext) -> None:
    for body in (
        b"",
        b"null",
        b"7",
        b'"text"',
        b"[]",
        b"[null]",
        b"{}",
        b'{"query":null}',
        b'{"query":{}}',
        b'{"query":["a"]}',
        b'{"query":"{__typename}","operationName":7}',
        b'{"query":"{__typename}","variables":7}',
        b'{"query":"{__typename}","variables":[]}',
        b'{"query":"{__typename}","variables":"{}"}',
        b'{"query":"{__typename}","extensions":[]}',
        b'{"query":"{__typename}","extensions":{"persistedQuery":7}}',
        b'{"query":"{__typename}","extensions":{"persistedQuery":{"version":1,"sha256Hash":7}}}',
        b'{"query":"{__typename}","query":"{ nothing }"}',
        b'{"query":"\xff\xfe"}',
        b'\xef\xbb\xbf{"query":"{__typename}"}',
        '{"query":"{__typename}"}'.encode("utf-16"),
        b'{"query":"{__typename}"} trailing',
        b'{"query":"\\ud800"}',
        b'{"query":"{__typename}\\u0000"}',
        b'{"operationName":"' + b"x" * 10_000 + b'","query":"{__typename}"}',
        b'{"id":"\\u001b[31m' + b"9" * 10_000 + b'"}',
        b"\x00" * 1000,
    ):
        await context.send(build_request(headers=[JSON, CLOSE_CONNECTION], body=body))


@attack("http.forms", SERVERS)
async def forms(context: AttackContext) -> None:
    """Uploads, which are not supported, and other content types."""
    part = b'--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{"query":"{__typename}"}\r\n'
    many = b"".join(b'--x\r\ncontent-disposition: form-data; name="%d"\r\n\r\na\r\n' % n for n in range(2000))
    for kind, body in (
        ("multipart/form-data; boundary=x", part + b"--x--\r\n"),
        ("multipart/form-data; boundary=x", many + b"--x--\r\n"),
        ("multipart/form-data; boundary=" + "y" * 5000, part),
        ("multipart/form-data", part),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"a: b\r\n" * 5000),
        ("application/x-www-form-urlencoded", b"a=b&" * 20_000),
        ("application/graphql", b"{__typename}"),
        ("text/plain", BODY),
        ("application/json; charset=utf-7", BODY),
    ):
        await context.send(build_request(headers=[("content-type", kind), CLOSE_CONNECTION], body=body))


@attack("http.not-http", SERVERS, may_close=True)
async def not_http(context: AttackContext) -> None:
    for data in (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 100,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
        b"GET /graphql\r\n\r\n",
        b"GET /graphql HTTP/9.9\r\n\r\n",
        b"GET /graphql HTTP/1.0\r\n\r\n",
        context.random.randbytes(5_000),
        b"\n" * 10_000,
        b"*1\r\n$4\r\nPING\r\n",
        b"\x80" * 3000 + b"\r\n\r\n",
    ):
        await send_incomplete(context, data, repr(data[:40]), 0.5)


@attack("http.explorer", may_close=True)
async def explorer(context: AttackContext) -> None:
    """The explorer's page and its assets."""
    html = ("accept", "text/html")
    for path in ("/graphql", "/graphql?explorer", "/graphql?query=", "/", "/favicon.ico", "/robots.txt"):
        await context.send(build_request("GET", path, [html, CLOSE_CONNECTION]))
        await context.send(build_request("GET", path, [html, CLOSE_CONNECTION, ("range", "bytes=0-," * 500)]))
        await context.send(
            build_request("GET", path, [html, CLOSE_CONNECTION, ("if-none-match", '"a",' * 1500)])
        )

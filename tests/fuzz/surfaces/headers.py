"""Attacks by headers: too many, too long, contradictory and malformed ones."""

from __future__ import annotations

from tests.fuzz.attacks import SERVERS
from tests.fuzz.context import AttackContext
from tests.fuzz.raw_client import CLOSE_CONNECTION, Headers, build_graphql_request, build_request
from tests.fuzz.registry import attack

MEGABYTE = 1 << 20
DOCUMENT = "{ __typename }"


async def send_with(context: AttackContext, *headers: tuple[str, str | bytes]) -> None:
    await context.send(build_graphql_request(f"{DOCUMENT} # {context.generate_name()}", headers=headers))


@attack("headers.many", SERVERS, may_close=True)
async def many(context: AttackContext) -> None:
    await send_with(
        context, *((f"x-{context.generate_name()}", "1") for _ in range(context.random.randint(2_000, 5_000)))
    )


@attack("headers.repeated", SERVERS, may_close=True)
async def repeated(context: AttackContext) -> None:
    name = context.random.choice(
        ["accept", "cookie", "x-forwarded-for", "authorization", "traceparent", "origin"]
    )
    await send_with(context, *((name, context.generate_name()) for _ in range(3_000)))


@attack("headers.long", SERVERS, may_close=True)
async def long(context: AttackContext) -> None:
    name = context.random.choice(["x-long", "user-agent", "cookie", "referer", "x-request-id"])
    await send_with(context, (name, context.generate_name() * (MEGABYTE // 17)))


@attack("headers.long-name", SERVERS, may_close=True)
async def long_name(context: AttackContext) -> None:
    await send_with(context, ("x" * MEGABYTE, "1"))


@attack("headers.endless", SERVERS, may_close=True)
async def endless(context: AttackContext) -> None:
    """48 MB of headers, as long as the server accepts them."""
    lines = b"".join(b"x-%d: %s\r\n" % (n, b"a" * 4000) for n in range(1000))
    async with context.connect() as connection:
        await connection.send(b"POST /graphql HTTP/1.1\r\nhost: localhost\r\n")
        for _ in range(12):
            if not await connection.send(lines):
                break
        context.exchanges.append(await connection.read_response("48 MB of headers without an end", 2))
        context.exchanges[-1].outcome = "closed"


@attack("headers.accept-list", SERVERS, may_close=True)
async def accept_list(context: AttackContext) -> None:
    size = context.random.choice([60_000, 250_000, MEGABYTE])
    await send_with(context, ("accept", "a/b," * (size // 4) + context.generate_name()))


@attack("headers.accept-within-limits", SERVERS)
async def accept_within_limits(context: AttackContext) -> None:
    """Accept headers just within the length limit."""
    kind = context.random.choice(
        ["a/b,", "*/*;q=0.1,", 'a/b;c="d,e;f",', ",", ";", '"\\', "a/b;q=0;q=1,", "é/ö,"]
    )
    await send_with(
        context, ("accept", (kind * (7_000 // len(kind))).encode() + context.generate_name().encode())
    )


@attack("headers.unique-accepts", SERVERS, burst=True)
async def unique_accepts(context: AttackContext) -> None:
    """Unique accept headers near the length limit; their cache must stay bounded."""
    await context.run_concurrently(
        send_with(context, ("accept", "application/json," + f"{context.generate_name()}/x," * 370))
        for _ in range(150)
    )


@attack("headers.content-type", SERVERS, may_close=True)
async def content_type(context: AttackContext) -> None:
    parameter = context.random.choice(
        [";a=b", ';charset="utf-8"', ";;", ";=", '; a="\\"', ";charset=" + "x" * 99]
    )
    size = context.random.choice([7_000, MEGABYTE])
    head = [("content-type", "application/json" + parameter * (size // len(parameter)))]
    await context.send(build_request(headers=head, body=b'{"query":"{__typename}"}'))


@attack("headers.odd-bytes", SERVERS, may_close=True)
async def odd_bytes(context: AttackContext) -> None:
    name = context.random.choice(
        ["accept", "content-type", "authorization", "traceparent", "origin", "user-agent", "x-odd", "host"]
    )
    for value in (
        b"\x00",
        b"\xff\xfe",
        b"a\rb",
        b"a\x0bb",
        b"\x1b[31m",
        "José \u202e \u200b".encode(),
        b"",
        b"\t \t",
    ):
        await send_with(context, (name, value))


@attack("headers.folded", SERVERS, may_close=True)
async def folded(context: AttackContext) -> None:
    await send_with(context, ("accept", b"application/json,\r\n " * 2000 + b"*/*"))


@attack("headers.malformed-names", SERVERS, may_close=True)
async def malformed_names(context: AttackContext) -> None:
    for line in (
        b": empty",
        b"no colon",
        b"sp ace: 1",
        b"tab\t: 1",
        b"\xc3\xa9: 1",
        b"(comment): 1",
        b"a:b:c:d",
    ):
        await context.send(
            b"GET /health/live HTTP/1.1\r\nhost: x\r\n" + line + b"\r\nconnection: close\r\n\r\n"
        )


@attack("headers.trace", SERVERS)
async def trace(context: AttackContext) -> None:
    for value in (
        "00-" + "0" * 6000,
        "00-" + "f" * 32 + "-" + "f" * 16 + "-01" + " " * 3000,
        "ff-x-y-z",
        "00--",
    ):
        await send_with(
            context, ("traceparent", value), ("tracestate", "a=b," * 1500), ("baggage", "k=v," * 500)
        )


@attack("headers.deadline", SERVERS)
async def deadline(context: AttackContext) -> None:
    for value in (
        "nan",
        "inf",
        "-1",
        "0",
        "1e400",
        "9" * 5000,
        "",
        "0x10",
        "١٢",
        "1_000",
        "-0",
        " 5 ",
        "5,5",
    ):
        await send_with(context, ("x-deadline-ms", value.encode()))


@attack("headers.forwarded", SERVERS)
async def forwarded(context: AttackContext) -> None:
    addresses = "1.2.3.4, " * 700
    await send_with(context, ("x-forwarded-for", addresses), ("x-forwarded-proto", "https, ftp"))
    await send_with(context, ("forwarded", 'for="[::1]:99999";proto=javascript;host="a b",' * 100))
    await send_with(context, ("x-forwarded-for", "\u202e".encode()), ("x-real-ip", "unknown"))


@attack("headers.host", SERVERS, may_close=True)
async def host(context: AttackContext) -> None:
    for value in (
        b"",
        b"a" * 7000,
        b"[::",
        b"a:b:c",
        b"\xff",
        b"localhost:99999999999",
        b"../..",
        b"<script>",
    ):
        await send_with(context, ("host", value))
    await context.send(
        b"POST /graphql HTTP/1.1\r\nhost: a\r\nhost: b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    await context.send(b"POST /graphql HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")


@attack("headers.compression", SERVERS)
async def compression(context: AttackContext) -> None:
    for value in (
        "gzip;q=2",
        "gzip," * 1400,
        "*;q=0",
        "br;q=0.00000001",
        "identity;q=0",
        "gzip;q=nan",
        ";q=",
        "é",
    ):
        await send_with(context, ("accept-encoding", value.encode()))


@attack("headers.compressed-answers", SERVERS)
async def compressed_answers(context: AttackContext) -> None:
    """Large responses in every content encoding."""
    whole = (
        "{ __schema { types { name description fields { name description args { name description } } } } }"
    )
    for value in ("gzip", "br", "zstd", "deflate", "br;q=1, gzip;q=0.5", "*"):
        await context.send(build_graphql_request(whole, headers=[("accept-encoding", value)]))


@attack("headers.cross-origin")
async def cross_origin(context: AttackContext) -> None:
    asked = [("access-control-request-method", "POST"), CLOSE_CONNECTION]
    for origin in ("null", "https://memorable.example.evil", "https://" + "a" * 6000, "é", "file://", ""):
        names = ",".join(context.generate_name() for _ in range(300))
        head: Headers = [("origin", origin.encode()), *asked, ("access-control-request-headers", names)]
        await context.send(build_request("OPTIONS", headers=head))
    await send_with(context, ("origin", "https://memorable.example"), ("sec-fetch-site", "cross-site" * 600))


@attack("headers.upgrade", SERVERS, may_close=True)
async def upgrade(context: AttackContext) -> None:
    for kind in ("h2c", "websocket", "TLS/1.0", "websocket, h2c", "x" * 7000):
        head = [("connection", "upgrade"), ("upgrade", kind), ("http2-settings", "AAMAAABkAAQAAP__")]
        await context.send(build_request("GET", headers=head), within=15)
    await context.send(build_request("GET", headers=[("connection", "close, " * 900)]))

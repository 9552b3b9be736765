"""Headers: too many, too long, contradictory, and those that something reads closely."""

from __future__ import annotations

from tests.fuzz.arena import Arena
from tests.fuzz.attacks import SERVERS, attack
from tests.fuzz.wire import Headers, posted, request

MEGABYTE = 1 << 20
ASKED = "{ __typename }"


async def send_with(arena: Arena, *headers: tuple[str, str | bytes]) -> None:
    await arena.send(posted(f"{ASKED} # {arena.salt()}", headers=headers))


@attack("headers.many", SERVERS, may_hang_up=True)
async def many(arena: Arena) -> None:
    await send_with(arena, *((f"x-{arena.salt()}", "1") for _ in range(arena.chance.randint(2_000, 5_000))))


@attack("headers.same-again", SERVERS, may_hang_up=True)
async def same_again(arena: Arena) -> None:
    name = arena.chance.choice(
        ["accept", "cookie", "x-forwarded-for", "authorization", "traceparent", "origin"]
    )
    await send_with(arena, *((name, arena.salt()) for _ in range(3_000)))


@attack("headers.long", SERVERS, may_hang_up=True)
async def long(arena: Arena) -> None:
    name = arena.chance.choice(["x-long", "user-agent", "cookie", "referer", "x-request-id"])
    await send_with(arena, (name, arena.salt() * (MEGABYTE // 17)))


@attack("headers.long-name", SERVERS, may_hang_up=True)
async def long_name(arena: Arena) -> None:
    await send_with(arena, ("x" * MEGABYTE, "1"))


@attack("headers.endless", SERVERS, may_hang_up=True)
async def endless(arena: Arena) -> None:
    """Some 48 MB of them, if they are taken."""
    lines = b"".join(b"x-%d: %s\r\n" % (n, b"a" * 4000) for n in range(1000))
    async with arena.wire() as wire:
        await wire.send(b"POST /graphql HTTP/1.1\r\nhost: localhost\r\n")
        for _ in range(12):
            if not await wire.send(lines):
                break
        arena.exchanges.append(await wire.answer("48 MB of headers without an end", 2))
        arena.exchanges[-1].ending = "closed"


@attack("headers.accept-list", SERVERS, may_hang_up=True)
async def accept_list(arena: Arena) -> None:
    size = arena.chance.choice([60_000, 250_000, MEGABYTE])
    await send_with(arena, ("accept", "a/b," * (size // 4) + arena.salt()))


@attack("headers.accept-within-limits", SERVERS)
async def accept_within_limits(arena: Arena) -> None:
    """As long as every server takes it."""
    kind = arena.chance.choice(
        ["a/b,", "*/*;q=0.1,", 'a/b;c="d,e;f",', ",", ";", '"\\', "a/b;q=0;q=1,", "é/ö,"]
    )
    await send_with(arena, ("accept", (kind * (7_000 // len(kind))).encode() + arena.salt().encode()))


@attack("headers.accepts-all-different", SERVERS, burst=True)
async def accepts_all_different(arena: Arena) -> None:
    """Each as long as it may be: what is kept of them must not grow."""
    await arena.together(
        send_with(arena, ("accept", "application/json," + f"{arena.salt()}/x," * 370)) for _ in range(150)
    )


@attack("headers.content-type", SERVERS, may_hang_up=True)
async def content_type(arena: Arena) -> None:
    parameter = arena.chance.choice(
        [";a=b", ';charset="utf-8"', ";;", ";=", '; a="\\"', ";charset=" + "x" * 99]
    )
    size = arena.chance.choice([7_000, MEGABYTE])
    head = [("content-type", "application/json" + parameter * (size // len(parameter)))]
    await arena.send(request(headers=head, body=b'{"query":"{__typename}"}'))


@attack("headers.odd-bytes", SERVERS, may_hang_up=True)
async def odd_bytes(arena: Arena) -> None:
    name = arena.chance.choice(
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
        await send_with(arena, (name, value))


@attack("headers.folded", SERVERS, may_hang_up=True)
async def folded(arena: Arena) -> None:
    await send_with(arena, ("accept", b"application/json,\r\n " * 2000 + b"*/*"))


@attack("headers.nameless", SERVERS, may_hang_up=True)
async def nameless(arena: Arena) -> None:
    for line in (
        b": empty",
        b"no colon",
        b"sp ace: 1",
        b"tab\t: 1",
        b"\xc3\xa9: 1",
        b"(comment): 1",
        b"a:b:c:d",
    ):
        await arena.send(
            b"GET /health/live HTTP/1.1\r\nhost: x\r\n" + line + b"\r\nconnection: close\r\n\r\n"
        )


@attack("headers.trace", SERVERS)
async def trace(arena: Arena) -> None:
    for value in (
        "00-" + "0" * 6000,
        "00-" + "f" * 32 + "-" + "f" * 16 + "-01" + " " * 3000,
        "ff-x-y-z",
        "00--",
    ):
        await send_with(
            arena, ("traceparent", value), ("tracestate", "a=b," * 1500), ("baggage", "k=v," * 500)
        )


@attack("headers.deadline", SERVERS)
async def deadline(arena: Arena) -> None:
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
        await send_with(arena, ("x-deadline-ms", value.encode()))


@attack("headers.forwarded", SERVERS)
async def forwarded(arena: Arena) -> None:
    addresses = "1.2.3.4, " * 700
    await send_with(arena, ("x-forwarded-for", addresses), ("x-forwarded-proto", "https, ftp"))
    await send_with(arena, ("forwarded", 'for="[::1]:99999";proto=javascript;host="a b",' * 100))
    await send_with(arena, ("x-forwarded-for", "\u202e".encode()), ("x-real-ip", "unknown"))


@attack("headers.host", SERVERS, may_hang_up=True)
async def host(arena: Arena) -> None:
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
        await send_with(arena, ("host", value))
    await arena.send(
        b"POST /graphql HTTP/1.1\r\nhost: a\r\nhost: b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    await arena.send(b"POST /graphql HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")


@attack("headers.compression", SERVERS)
async def compression(arena: Arena) -> None:
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
        await send_with(arena, ("accept-encoding", value.encode()))


@attack("headers.compressed-answers", SERVERS)
async def compressed_answers(arena: Arena) -> None:
    """Some hundred kilobytes, in every encoding that a server may know."""
    whole = (
        "{ __schema { types { name description fields { name description args { name description } } } } }"
    )
    for value in ("gzip", "br", "zstd", "deflate", "br;q=1, gzip;q=0.5", "*"):
        await arena.send(posted(whole, headers=[("accept-encoding", value)]))


@attack("headers.cross-origin")
async def cross_origin(arena: Arena) -> None:
    asked = [("access-control-request-method", "POST"), ("connection", "close")]
    for origin in ("null", "https://memorable.example.evil", "https://" + "a" * 6000, "é", "file://", ""):
        names = ",".join(arena.salt() for _ in range(300))
        head: Headers = [("origin", origin.encode()), *asked, ("access-control-request-headers", names)]
        await arena.send(request("OPTIONS", headers=head))
    await send_with(arena, ("origin", "https://memorable.example"), ("sec-fetch-site", "cross-site" * 600))


@attack("headers.upgrade", SERVERS, may_hang_up=True)
async def upgrade(arena: Arena) -> None:
    for kind in ("h2c", "websocket", "TLS/1.0", "websocket, h2c", "x" * 7000):
        head = [("connection", "upgrade"), ("upgrade", kind), ("http2-settings", "AAMAAABkAAQAAP__")]
        await arena.send(request("GET", headers=head), within=15)
    await arena.send(request("GET", headers=[("connection", "close, " * 900)]))

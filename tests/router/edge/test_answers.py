"""What answers say beside their body: how they are compressed, who may keep them, what browsers may do."""

import gzip
from collections.abc import Callable

import brotli
import orjson
import pytest
import zstandard

from router.server.negotiation import negotiate_encoding
from router.server.responses import ENCODINGS
from tests.router.edge.conversation import Edge, edge, get, post

LONG = b'{"query": "{ ' + b" ".join(b"a%d: average" % n for n in range(20)) + b" books { "
LONG += b" ".join(b"b%d: title" % n for n in range(60)) + b' } }"}'
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zstandard.ZstdDecompressor().decompress,
    "br": brotli.decompress,
    "gzip": gzip.decompress,
}
MISS = b'/graphql?extensions={"persistedQuery":{"version":1,"sha256Hash":"%s"}}' % (b"0" * 64)
PRODUCTION = {
    "ENVIRONMENT": "production",
    "JWKS_URL": "http://127.0.0.1:1/jwks.json",
    "SERVICE_TOKEN": "0123456789abcdef",
}


@pytest.mark.parametrize("encoding", DECODERS)
async def test_a_long_answer_is_compressed_as_the_client_asks(running_edge: Edge, encoding: str):
    plain = await running_edge.say(post(LONG))
    answer = await running_edge.say(post(LONG, b"accept-encoding: " + encoding.encode()))
    assert answer.headers["content-encoding"] == encoding
    assert answer.headers["vary"] == "accept, accept-encoding"
    assert len(answer.body) < len(plain.body) / 2
    assert orjson.loads(DECODERS[encoding](answer.body)) == plain.json
    assert len(plain.json["data"]["books"]) == 2


async def test_a_short_answer_is_not_compressed(running_edge: Edge):
    answer = await running_edge.say(post(b'{"query": "{ average }"}', b"accept-encoding: gzip"))
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "accept, accept-encoding"


async def test_nothing_is_compressed_where_that_is_switched_off():
    async with edge(ROUTER_COMPRESSION="false") as running:
        answer = await running.say(post(LONG, b"accept-encoding: gzip"))
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "accept"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("deflate", None),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip, br;q=0.9", "gzip"),
        ("br;q=0, *", "zstd"),
        ("*;q=0.5", "zstd"),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=0.5, identity;q=0.4", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=nonsense", None),
        ("GZip", "gzip"),
        ("x," * 10_000 + "gzip", None),
    ],
)
def test_the_encoding_is_the_one_the_client_likes_best(accept: str | None, chosen: str | None):
    assert negotiate_encoding(accept, ENCODINGS) == chosen


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (get(), "private, no-cache"),
        (post(), None),
        (get(b"/graphql?query={"), "no-store"),
        (get(b"/graphql"), "no-store"),
        (post(b'{"query": "{ nothing }"}'), "no-store"),
        (get(MISS), "no-store"),
        (get(b"/graphql?query={books{broken}}"), "no-store"),
    ],
)
async def test_no_cache_keeps_what_is_private_or_wrong(data: bytes, kept: str | None):
    async with edge(ROUTER_APQ="true") as running:
        assert (await running.say(data)).headers.get("cache-control") == kept


@pytest.mark.parametrize("target", [b"/graphql", b"/nothing", b"/health/live", b"/" + b"a" * 20_000])
async def test_no_answer_is_taken_for_another_type_than_it_says(running_edge: Edge, target: bytes):
    assert (await running_edge.say(get(target))).headers["x-content-type-options"] == "nosniff"


async def test_production_insists_on_tls_and_keeps_names_and_the_explorer_to_itself():
    async with edge(**PRODUCTION) as running:
        wrong = await running.say(post(b'{"query": "{ bookz { title } }"}'))
        page = await running.say(get(b"/graphql", b"accept: text/html"))
        files = await running.say(get(b"/explorer/examples.json"))
    assert wrong.headers["strict-transport-security"] == "max-age=31536000"
    assert wrong.json["errors"][0]["message"] == "Cannot query field 'bookz' on type 'Query'."
    assert (page.status, page.headers["content-type"]) == (400, "application/json; charset=utf-8")
    assert files.status == 404


async def test_development_does_not_insist_on_tls(running_edge: Edge):
    assert "strict-transport-security" not in (await running_edge.say(get())).headers


async def test_a_message_about_a_long_name_is_short(running_edge: Edge):
    name = b"a" * 50_000
    answer = await running_edge.say(post(b'{"query": "{ %s }"}' % name))
    assert len(answer.json["errors"][0]["message"]) == 1000


async def test_clients_do_not_read_metrics(running_edge: Edge):
    assert (await running_edge.say(get(b"/metrics"))).status == 404

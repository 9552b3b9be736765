"""Compression, caching and security headers of answers."""

import gzip
from collections.abc import Callable

import brotli
import orjson
import pytest
import zstandard

from router.server.negotiation import negotiate_encoding
from router.server.responses import ENCODINGS
from tests.router.edge.raw_http import Edge, build_get, build_post, run_edge

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
    plain = await running_edge.request(build_post(LONG))
    answer = await running_edge.request(build_post(LONG, b"accept-encoding: " + encoding.encode()))
    assert answer.headers["content-encoding"] == encoding
    assert answer.headers["vary"] == "accept, accept-encoding"
    assert len(answer.body) < len(plain.body) / 2
    assert orjson.loads(DECODERS[encoding](answer.body)) == plain.json
    assert len(plain.json["data"]["books"]) == 2


async def test_a_short_answer_is_not_compressed(running_edge: Edge):
    answer = await running_edge.request(build_post(b'{"query": "{ average }"}', b"accept-encoding: gzip"))
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "accept, accept-encoding"


async def test_compression_can_be_switched_off():
    async with run_edge(ROUTER_COMPRESSION="false") as running:
        answer = await running.request(build_post(LONG, b"accept-encoding: gzip"))
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
def test_the_preferred_encoding_of_the_client_is_chosen(accept: str | None, chosen: str | None):
    assert negotiate_encoding(accept, ENCODINGS) == chosen


@pytest.mark.parametrize(
    ("data", "cache_control"),
    [
        (build_get(), "private, no-cache"),
        (build_post(), None),
        (build_get(b"/graphql?query={"), "no-store"),
        (build_get(b"/graphql"), "no-store"),
        (build_post(b'{"query": "{ nothing }"}'), "no-store"),
        (build_get(MISS), "no-store"),
        (build_get(b"/graphql?query={books{broken}}"), "no-store"),
    ],
)
async def test_cache_control_keeps_answers_and_errors_out_of_shared_caches(
    data: bytes, cache_control: str | None
):
    async with run_edge(ROUTER_APQ="true") as running:
        assert (await running.request(data)).headers.get("cache-control") == cache_control


@pytest.mark.parametrize("target", [b"/graphql", b"/nothing", b"/health/live", b"/" + b"a" * 20_000])
async def test_every_answer_forbids_content_sniffing(running_edge: Edge, target: bytes):
    assert (await running_edge.request(build_get(target))).headers["x-content-type-options"] == "nosniff"


async def test_production_sends_hsts_and_hides_suggestions_and_the_explorer():
    async with run_edge(**PRODUCTION) as running:
        wrong = await running.request(build_post(b'{"query": "{ bookz { title } }"}'))
        page = await running.request(build_get(b"/graphql", b"accept: text/html"))
        files = await running.request(build_get(b"/explorer/examples.json"))
    assert wrong.headers["strict-transport-security"] == "max-age=31536000"
    assert wrong.json["errors"][0]["message"] == "Cannot query field 'bookz' on type 'Query'."
    assert (page.status, page.headers["content-type"]) == (400, "application/json; charset=utf-8")
    assert files.status == 404


async def test_what_a_subgraph_serves_beside_the_graph_has_the_security_headers_too():
    async with run_edge(**PRODUCTION, ROUTER_PASS_THROUGH="/files=books") as running:
        answer = await running.request(build_get(b"/files/page.png"))
    assert (answer.status, answer.headers["x-content-type-options"]) == (404, "nosniff")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_development_sends_no_hsts(running_edge: Edge):
    assert "strict-transport-security" not in (await running_edge.request(build_get())).headers


async def test_an_error_about_a_long_name_has_a_short_message(running_edge: Edge):
    name = b"a" * 50_000
    answer = await running_edge.request(build_post(b'{"query": "{ %s }"}' % name))
    assert len(answer.json["errors"][0]["message"]) == 1000


async def test_metrics_are_not_served_to_clients(running_edge: Edge):
    assert (await running_edge.request(build_get(b"/metrics"))).status == 404

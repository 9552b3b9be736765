"""CORS and CSRF: only pages of allowed origins may read answers or open sockets."""

import pytest

from tests.router.edge.raw_http import Edge, build_get, build_post, run_edge

APP, OTHER, OWN = b"origin: https://app.example", b"origin: https://other.example", b"origin: http://a"
HANDSHAKE = (
    *(b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 13"),
    *(b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", b"sec-websocket-protocol: graphql-transport-ws"),
)
SETTINGS = {"ROUTER_CORS_ORIGINS": "https://app.example"}


@pytest.mark.parametrize(
    ("origins", "origin", "status"),
    [
        ("https://app.example", (APP,), 101),
        ("https://app.example", (OWN,), 101),
        ("https://app.example", (), 101),
        ("https://app.example", (OTHER,), 403),
        ("https://app.example", (b"origin: null",), 403),
        ("*", (OTHER,), 101),
        ("", (OTHER,), 101),
    ],
)
async def test_only_pages_of_allowed_origins_open_sockets(
    origins: str, origin: tuple[bytes, ...], status: int
):
    async with run_edge(ROUTER_CORS_ORIGINS=origins) as running:
        for path in (b"/graphql", b"/graphql/"):
            assert (await running.request(build_get(path, *HANDSHAKE, *origin))).status == status


async def test_a_page_may_read_the_headers_of_a_refusal():
    async with run_edge(**SETTINGS) as running:
        answer = await running.request(
            build_post(b'{"query": "{ average }"}', APP, b"authorization: Basic x")
        )
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-expose-headers"] == "allow, retry-after, www-authenticate"
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["vary"] == "accept, accept-encoding, Origin"


async def test_a_preflight_allows_credentials_when_enabled():
    preflight = build_get(b"/graphql", APP, b"access-control-request-method: POST").replace(
        b"GET", b"OPTIONS"
    )
    async with run_edge(**SETTINGS, ROUTER_CORS_CREDENTIALS="true", ROUTER_CORS_MAX_AGE="60") as running:
        answer = await running.request(preflight)
        other = await running.request(preflight.replace(APP, OTHER))
    assert (answer.status, other.status) == (200, 400)
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-max-age"] == "60"
    assert answer.headers["access-control-allow-origin"] == "https://app.example"


@pytest.mark.parametrize(
    "data",
    [
        build_post(b'{"query": "{ average }"}').replace(b"application/json", b"text/plain"),
        build_post(b'{"query": "{ average }"}').replace(
            b"application/json", b"multipart/form-data; boundary=a"
        ),
        build_post(b'{"query": "{ average }"}').replace(b"content-type: application/json\r\n", b""),
        build_post(b"query={average}").replace(b"application/json", b"application/x-www-form-urlencoded"),
    ],
)
async def test_content_types_that_a_form_can_send_are_refused(running_edge: Edge, data: bytes):
    assert (await running_edge.request(data)).status == 415


@pytest.mark.parametrize("site", [b"cross-site", b"same-site"])
@pytest.mark.parametrize("mode", [b"navigate", b"no-cors"])
async def test_requests_from_the_markup_of_another_site_are_refused(
    running_edge: Edge, site: bytes, mode: bytes
):
    headers = (b"sec-fetch-site: " + site, b"sec-fetch-mode: " + mode)
    assert (await running_edge.request(build_get(b"/graphql?query={average}", *headers))).status == 403

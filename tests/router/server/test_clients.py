"""The client that a request counts for: the peer, or whom a trusted proxy forwards it for."""

import pytest
from starlette.datastructures import Headers

from router.config.connections import Connections
from router.server.clients import Clients

PROXIES = "10.0.0.0/8, 2001:db8:ffff::/48, 192.168.0.1"


def resolve_key(peer: str, *forwarded: str, header: str = "x-forwarded-for", trusted: str = PROXIES) -> str:
    settings = Connections.model_validate({"trusted_proxies": trusted, "proxy_header": header})
    raw = [(header.encode(), value.encode("latin-1")) for value in forwarded]
    return Clients(settings).identify(peer, Headers(raw=raw))


def test_without_trusted_proxies_a_client_is_its_peer_address():
    assert resolve_key("10.0.0.1", "1.2.3.4", trusted="") == "10.0.0.1"


def test_forwarding_headers_of_untrusted_peers_are_ignored():
    assert resolve_key("11.0.0.1", "1.2.3.4") == "11.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (["1.2.3.4"], "1.2.3.4"),
        (["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        (["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        (["6.6.6.6, 1.2.3.4, 10.9.9.9, 192.168.0.1"], "1.2.3.4"),
        (["1.2.3.4:5678"], "1.2.3.4"),
        (["[2001:db8:1:2:3:4:5:6]:443"], "2001:db8:1:2::/64"),
        (["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        (["::ffff:1.2.3.4"], "1.2.3.4"),
        ([], "10.0.0.1"),
        ([""], "10.0.0.1"),
        (["1.2.3.4, unknown"], "10.0.0.1"),
        (["unknown, 10.2.2.2"], "10.2.2.2"),
        (["1" * 100_000], "10.0.0.1"),
        (["6.6.6.6," + "10.0.0.2," * 19 + "10.0.0.3"], "10.0.0.2"),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_not_a_trusted_proxy(forwarded: list[str], expected: str):
    assert resolve_key("10.0.0.1", *forwarded) == expected


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (["for=1.2.3.4"], "1.2.3.4"),
        (['for=6.6.6.6, For="1.2.3.4:80";proto=https;by=10.0.0.1'], "1.2.3.4"),
        (['proto=https;for="[2001:db8:1:2::9]:4711"'], "2001:db8:1:2::/64"),
        (["for=_hidden"], "10.0.0.1"),
        (["proto=https"], "10.0.0.1"),
    ],
)
def test_the_forwarded_header_is_read_when_proxies_send_it(forwarded: list[str], expected: str):
    assert resolve_key("10.0.0.1", *forwarded, header="forwarded") == expected


def test_ipv6_clients_of_one_network_share_a_key():
    assert resolve_key("2001:db8:1:2:aaaa::1") == resolve_key("2001:db8:1:2:bbbb::2") == "2001:db8:1:2::/64"
    assert resolve_key("2001:db8:ffff::1", "1.2.3.4") == "1.2.3.4"

"""Where a client is: the key under which limits and fair shares are counted.

It is the other end of the connection. Only where that is a trusted proxy, what the proxy says counts instead:
the last address of its header that is no trusted proxy itself, because the client may have made up whatever
stands before that. An IPv6 client owns a network of addresses, so it is known by its first 64 bits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from router.config.connections import Connections

MAX_HOPS = 20
# An IPv6 address with its scope, brackets and a port.
MAX_CHARACTERS = 80

_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*"?([^";]*)"?', re.IGNORECASE)
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[\d.]+):\d+")


class Clients:
    """Knows which proxies are believed, and whom they speak for."""

    def __init__(self, settings: Connections) -> None:
        self._trusted = settings.trusted_proxies
        self._header = settings.proxy_header
        # Of short texts only: what is longer is no address.
        self.is_trusted = lru_cache(maxsize=1000)(self._is_trusted)

    def key(self, peer: str, headers: Headers) -> str:
        """The key of the client who sent these headers over a connection from `peer`."""
        if not self._trusted or not self.is_trusted(peer):
            return network_of(peer)
        nearest = peer
        for address in self._forwarded(headers):
            if _parsed(address) is None:
                break
            nearest = address
            if not self.is_trusted(address):
                break
        return network_of(nearest)

    def _forwarded(self, headers: Headers) -> Iterable[str]:
        """The addresses that the header names, the nearest first."""
        entries = ",".join(headers.getlist(self._header)).rsplit(",", MAX_HOPS)[-MAX_HOPS:]
        for entry in reversed(entries):
            address = self._named(entry).strip()
            bare = _WITH_PORT.fullmatch(address) if len(address) <= MAX_CHARACTERS else None
            yield (bare["v6"] or bare["v4"]) if bare else address

    def _named(self, entry: str) -> str:
        if self._header == "x-forwarded-for":
            return entry
        found = _FOR.search(entry)
        return found[1] if found else ""

    def _is_trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._trusted)


def client_key(connection: HTTPConnection) -> str:
    """Whose share a request or a socket takes of what is limited for each client."""
    clients: Clients = connection.app.clients
    return clients.key(connection.client.host if connection.client else "", connection.headers)


def network_of(address: str) -> str:
    """An address as a key: whole, or the network of an IPv6 client."""
    if ":" not in address:
        return address
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed) if parsed else address


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address

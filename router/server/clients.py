"""The address of a client: the key of limits and fair shares.

It is the peer of the connection. If that is a trusted proxy, it is the last address in the proxy's forwarding
header that is not itself a trusted proxy, because the client may have forged everything before it. An IPv6
client owns a whole network of addresses, so its key is the first 64 bits.
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
# The length of an IPv6 address with a scope, brackets and a port.
MAX_CHARACTERS = 80

_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*"?([^";]*)"?', re.IGNORECASE)
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[\d.]+):\d+")


class Clients:
    """Identifies clients behind trusted proxies (`X-Forwarded-For`, or `Forwarded` of RFC 7239)."""

    def __init__(self, settings: Connections) -> None:
        self._trusted = settings.trusted_proxies
        self._header = settings.proxy_header
        self.is_trusted = lru_cache(maxsize=1000)(self._is_trusted)

    def identify(self, peer: str, headers: Headers) -> str:
        """The key of the client that sent these headers over a connection from `peer`."""
        if not self._trusted or not self.is_trusted(peer):
            return mask_address(peer)
        client = peer
        for address in self._iterate_forwarded(headers):
            if _parse(address) is None:
                break
            client = address
            if not self.is_trusted(address):
                break
        return mask_address(client)

    def _iterate_forwarded(self, headers: Headers) -> Iterable[str]:
        """The addresses in the forwarding header, the nearest first."""
        entries = ",".join(headers.getlist(self._header)).rsplit(",", MAX_HOPS)[-MAX_HOPS:]
        for entry in reversed(entries):
            address = self._read_address(entry).strip()
            bare = _WITH_PORT.fullmatch(address) if len(address) <= MAX_CHARACTERS else None
            yield (bare["v6"] or bare["v4"]) if bare else address

    def _read_address(self, entry: str) -> str:
        if self._header == "x-forwarded-for":
            return entry
        found = _FOR.search(entry)
        return found[1] if found else ""

    def _is_trusted(self, address: str) -> bool:
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._trusted)


def identify_client(connection: HTTPConnection) -> str:
    """The key of the client of a request or a WebSocket."""
    clients: Clients = connection.app.clients
    return clients.identify(connection.client.host if connection.client else "", connection.headers)


def mask_address(address: str) -> str:
    """The key of an address: itself, or the network of an IPv6 address."""
    if ":" not in address:
        return address
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed) if parsed else address


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address

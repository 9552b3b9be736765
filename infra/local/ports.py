"""Loopback ports: free ones to listen on, and a clear word when a chosen one is taken."""

from __future__ import annotations

import random
import socket

from infra.errors import InfraError

# Below the range from which Linux and macOS give ports to outgoing connections, so none of those takes ours
# between choosing and listening.
FIRST, LAST = 20_000, 32_000


def free_port(host: str = "127.0.0.1") -> int:
    """Choose a port nobody listens on."""
    chooser = random.SystemRandom()
    for _ in range(200):
        port = chooser.randint(FIRST, LAST)
        if is_free(port, host):
            return port
    raise InfraError(f"No free port between {FIRST} and {LAST} on {host}.")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server accepts connections on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def require_free(setting: str, port: int, host: str = "127.0.0.1") -> None:
    """Refuse a taken port by the name of the setting that changes it."""
    if not is_free(port, host):
        raise InfraError(
            f"Port {port} on {host} is taken. Set {setting} to a free port, or end what listens there."
        )

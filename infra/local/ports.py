"""Ports: choosing a free one, and checking a configured one."""

from __future__ import annotations

import random
import socket

from infra.errors import InfraError

# Below the ephemeral ranges of Linux and macOS, so that no outgoing connection takes a port between choosing
# and listening.
MIN_PORT, MAX_PORT = 20_000, 32_000


def find_free_port(host: str = "127.0.0.1") -> int:
    """Choose a port on which nothing listens."""
    system_random = random.SystemRandom()
    for _ in range(200):
        port = system_random.randint(MIN_PORT, MAX_PORT)
        if is_free(port, host):
            return port
    raise InfraError(f"No free port between {MIN_PORT} and {MAX_PORT} on {host}.")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server accepts connections on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def require_free(setting: str, port: int, host: str = "127.0.0.1") -> None:
    """Raise an error that names the setting, if its port is in use."""
    if not is_free(port, host):
        raise InfraError(
            f"Port {port} on {host} is in use. "
            f"Set {setting} to a free port, or stop the process that listens there."
        )

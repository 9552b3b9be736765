"""Isolation of a test run: it uses no setting, no data and no server that a developer has on this machine.

A pytest plugin, loaded by `addopts` before anything reads the environment. Processes that tests start inherit
what it does to the environment. The ports are guarded in the processes of the tests themselves.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

# Nothing can be below a file: a command that a test gives no folder of its own fails.
NOWHERE = "/dev/null/memorable"

os.environ |= {"MEMORABLE_DATA_DIR": NOWHERE, "MEMORABLE_ENV_FILE": f"{NOWHERE}/.env"}

_attempts: list[str] = []


def pytest_configure() -> None:
    """Remove the settings of the machine, and refuse connections to the ports of a platform."""
    # They read the environment as they are imported.
    from infra.local.environment import DEFAULT_PORTS, is_setting
    from subgraphs.common.settings import Settings

    for name in [name for name in os.environ if is_setting(name)]:
        del os.environ[name]
    stores = (Settings.model_fields[name].default for name in ("postgres_port", "redis_port"))
    _guard_ports({*DEFAULT_PORTS.values(), *stores})


@pytest.fixture(autouse=True)
def no_foreign_server() -> Iterator[None]:
    """Fail a test that has tried to reach a server that it has not started."""
    yield
    attempts = [*_attempts]
    _attempts.clear()
    assert attempts == [], "a test must not connect to a default port, where a developer's server may be"


def _guard_ports(ports: set[int]) -> None:
    """Refuse connections to the ports, and note them."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def refuses(address: Any) -> bool:
        if not isinstance(address, tuple) or address[1] not in ports:
            return False
        _attempts.append(f"{address[0]}:{address[1]}")
        return True

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if refuses(address):
            raise ConnectionRefusedError(errno.ECONNREFUSED, "a default port is closed to tests")
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        return errno.ECONNREFUSED if refuses(address) else connect_ex(self, address)

    socket.socket.connect = guarded_connect  # type: ignore[assignment, method-assign]
    socket.socket.connect_ex = guarded_connect_ex  # type: ignore[assignment, method-assign]

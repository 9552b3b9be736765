"""Choosing and checking ports."""

import socket
from collections.abc import Iterator

import pytest

from infra.errors import InfraError
from infra.local.ports import MAX_PORT, MIN_PORT, find_free_port, is_free, require_free


@pytest.fixture
def port_in_use() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_lies_below_the_ephemeral_range():
    port = find_free_port()
    assert MIN_PORT <= port <= MAX_PORT
    assert is_free(port)


def test_a_port_in_use_is_reported_with_its_setting(port_in_use):
    message = (
        f"Port {port_in_use} on 127.0.0.1 is in use. "
        "Set API_PORT to a free port, or stop the process that listens there."
    )
    with pytest.raises(InfraError) as raised:
        require_free("API_PORT", port_in_use)
    assert str(raised.value) == message


def test_a_port_is_free_again_right_after_its_server_closes():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()
            assert client.recv(1) == b""
    assert is_free(port)

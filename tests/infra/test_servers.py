"""The embedded servers: they answer on loopback only, keep their secrets, and leave nothing behind."""

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

from infra.database import Database
from infra.errors import InfraError
from infra.local import Servers, folder
from infra.local.folder import DataFolder, FolderInUse, is_held
from infra.local.process import ProcessFailed

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
def killed_later(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A supervisor in a process of its own, and the ids of its servers."""
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        yield supervisor, [int(pid) for pid in supervisor.stdout.readline().split()]
        supervisor.kill()


def eventually(condition: Callable[[], bool], within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(pid: int) -> bool:
    """Whether the process is gone, or only waits for its new parent to notice."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def listening(pids: set[int]) -> set[str]:
    """The addresses on which these processes and their children listen."""
    every = pids | {child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)}
    return {
        cast("Any", connection.laddr).ip
        for connection in psutil.net_connections("inet")
        if connection.pid in every and connection.status == psutil.CONN_LISTEN
    }


async def test_both_servers_answer_with_the_settings_they_give(servers):
    connection = await Database.of(servers).connect()
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


def test_the_servers_listen_on_loopback_only(tmp_path):
    with Servers(tmp_path, durable=False) as running:
        assert listening(set(running.pids.values())) == {"127.0.0.1"}


async def test_a_test_run_that_begins_leaves_the_servers_of_another_alone(
    servers: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / "test_other.py").write_text("def test_folder(tmp_path): assert tmp_path.is_dir()")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stdout
    connection = await Database.of(servers).connect()
    await connection.execute("CHECKPOINT")
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


def test_two_platforms_side_by_side_never_share_a_port(tmp_path):
    with Servers(tmp_path / "one", durable=False) as one, Servers(tmp_path / "two", durable=False) as two:
        ports = [servers.environ[name] for servers in (one, two) for name in ("POSTGRES_PORT", "REDIS_PORT")]
        assert len(set(ports)) == 4


def test_secrets_are_readable_by_their_owner_only_and_stay_the_same(tmp_path):
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
    assert not is_held(DataFolder(tmp_path))


def test_what_still_runs_from_an_earlier_run_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "LEFTOVERS_MAY_TAKE", 0.1)
    held = folder.hold(DataFolder(tmp_path))
    with subprocess.Popen(["sleep", "60"], pass_fds=[held.lease_fd]) as leftover:
        held.release()
        with pytest.raises(InfraError, match="Processes of an earlier run"):
            folder.hold(DataFolder(tmp_path))
        leftover.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_supervisor_that_is_killed_leaves_no_orphan_and_no_lock(killed_later, tmp_path, how):
    supervisor, pids = killed_later
    os.kill(supervisor.pid, how)
    supervisor.wait()
    with Servers(tmp_path, durable=False) as again:
        assert all(ended(pid) for pid in pids)
        assert set(again.pids) == {"postgres", "valkey"}


def test_orphans_end_even_when_nobody_starts_again(killed_later):
    supervisor, pids = killed_later
    supervisor.kill()
    eventually(lambda: all(ended(pid) for pid in pids))


def test_a_server_that_crashes_is_started_again_with_its_data(tmp_path):
    with Servers(tmp_path, durable=False) as servers:
        os.kill(servers.pids["valkey"], signal.SIGKILL)
        eventually(lambda: servers.restart_crashed() == ["valkey"])
        eventually(lambda: _accepts(int(servers.environ["REDIS_PORT"])))
        assert servers.restart_crashed() == []


def test_a_server_that_does_not_start_says_why(tmp_path):
    with Servers(tmp_path, durable=False):
        pass
    (tmp_path / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(ProcessFailed, match="no_such_setting"):
        Servers(tmp_path, durable=False).start()
    assert not is_held(DataFolder(tmp_path))


def test_given_servers_are_used_instead_of_embedded_ones(tmp_path):
    given = {"POSTGRES_HOST": "db.example", "POSTGRES_PORT": "6000", "REDIS_HOST": "cache.example"}
    with Servers(tmp_path, given) as servers:
        assert servers.pids == {}
        assert {name: servers.environ[name] for name in given} == given


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

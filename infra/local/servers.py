"""The PostgreSQL and Valkey servers of one data folder."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.errors import InfraError
from infra.local import postgres, valkey
from infra.local.folder import DataFolder, FolderLocks, acquire
from infra.local.guardian import Guardian
from infra.local.ports import find_free_port
from infra.local.process import (
    Backoff,
    ProcessContext,
    ProcessFailed,
    ProcessSpec,
    compute_deadline,
    rotate_large_log,
    rotate_log,
    spawn,
    stop_all,
)
from infra.local.secrets import Secrets, ensure_secrets
from subgraphs.domains import DOMAINS

READY_TIMEOUT = 60.0
STABLE_AFTER = 3.0
STOP_TIMEOUT = 15.0
MAX_ATTEMPTS = 3


@dataclass(slots=True)
class _Server:
    spec: ProcessSpec
    process: subprocess.Popen[bytes]
    started: float
    backoff: Backoff = field(default_factory=lambda: Backoff(STABLE_AFTER))
    restart_at: float | None = None


class Servers:
    """The two servers of a platform, as a context manager.

    If `settings` names a server (`POSTGRES_HOST`, `REDIS_HOST`), that one is used instead of an embedded one.
    Once started, `environ` holds every setting of the platform's processes, including secrets. With
    `durable=False`, which is for tests, a crash of the machine may lose data.
    """

    def __init__(
        self, data_dir: Path, settings: Mapping[str, str] | None = None, *, durable: bool = True
    ) -> None:
        self.folder = DataFolder(data_dir.resolve())
        self.environ: dict[str, str] = {}
        self._settings = dict(settings or {})
        self._durable = durable
        self._locks: FolderLocks | None = None
        self._guardian: Guardian | None = None
        self._running: dict[str, _Server] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Lock the data folder and start both servers.

        Raises:
            FolderInUse: A platform is already running in this folder.
            InfraError: A server did not start.
        """
        self._locks = acquire(self.folder)
        try:
            self._guardian = Guardian(self.folder.lease)
            secrets = ensure_secrets(self.folder)
            self.environ = build_local_settings(self.folder, secrets) | self._settings
            if "POSTGRES_HOST" not in self._settings:
                self.environ |= secrets.select_passwords("postgres")
                postgres.ensure_cluster(self.folder, self.environ["POSTGRES_PASSWORD"])
                port = self._start_on_free_port("postgres")
                self.environ |= {
                    "POSTGRES_HOST": "127.0.0.1",
                    "POSTGRES_PORT": str(port),
                    "POSTGRES_USER": postgres.OWNER,
                }
            if "REDIS_HOST" not in self._settings:
                self.environ |= secrets.select_passwords("valkey")
                port = self._start_on_free_port("valkey")
                self.environ |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port)}
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both servers and release the folder; does nothing if they are not running."""
        stop_all(
            {name: (each.process, each.spec.stop_signal) for name, each in self._running.items()},
            STOP_TIMEOUT,
        )
        self._running.clear()
        if self._locks is not None:
            self._locks.release()
            self._locks = None
        if self._guardian is not None:
            self._guardian.close()
            self._guardian = None

    @property
    def process_context(self) -> ProcessContext:
        """The context that further processes of the platform share with the servers."""
        assert self._locks is not None
        assert self._guardian is not None
        return ProcessContext(self._guardian.process_group, self._locks.lease_fd, self.folder.logs)

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each embedded server."""
        return {name: each.process.pid for name, each in self._running.items()}

    def restart_crashed(self) -> list[str]:
        """Restart servers that have ended, on the same port; return the names of those restarted now.

        PostgreSQL does not start while a process of its last run still uses the data: it ends again, and a
        later call restarts it. A server that cannot start at all is tried with growing delays.
        """
        now = time.monotonic()
        restarted = []
        for name, server in self._running.items():
            if server.process.poll() is None:
                continue
            if server.restart_at is None:
                server.restart_at = now + server.backoff.compute_delay(now - server.started)
            if now >= server.restart_at:
                server.started, server.restart_at = now, None
                # Its folder may be gone; then it cannot even begin.
                with suppress(OSError):
                    server.process = spawn(server.spec, self.process_context)
                    restarted.append(name)
        return restarted

    def rotate_large_logs(self) -> None:
        """Rotate the logs that have grown too large."""
        for name in self._running:
            rotate_large_log(self.folder.logs, name)

    def _start_on_free_port(self, name: str) -> int:
        """Start the server, choosing another port if the first was taken in the meantime."""
        for attempt in range(MAX_ATTEMPTS):
            rotate_log(self.folder.logs, name)
            port = find_free_port()
            spec = self._build_spec(name, port)
            process = spawn(spec, self.process_context)
            self._running[name] = _Server(spec, process, time.monotonic())
            if self._wait_until_ready(name, port, process):
                return port
            code = process.poll()
            stop_all({name: (process, spec.stop_signal)}, STOP_TIMEOUT)
            del self._running[name]
            if code is None or attempt == MAX_ATTEMPTS - 1:
                raise ProcessFailed(name, self.folder.logs, code)
        raise InfraError(f"{name} did not start.")

    def _build_spec(self, name: str, port: int) -> ProcessSpec:
        if name == "postgres":
            return postgres.build_server_spec(self.folder, port, durable=self._durable)
        return valkey.build_server_spec(self.folder, port, self._valkey_password, durable=self._durable)

    def _wait_until_ready(self, name: str, port: int, process: subprocess.Popen[bytes]) -> bool:
        deadline = compute_deadline(READY_TIMEOUT)
        if name == "postgres":
            return postgres.wait_until_ready(self.folder, process, deadline)
        return valkey.wait_until_ready(port, self._valkey_password, process, deadline)

    @property
    def _valkey_password(self) -> str:
        return self.environ["REDIS_PASSWORD"]


def build_local_settings(folder: DataFolder, secrets: Secrets) -> dict[str, str]:
    """Build the settings that a local platform chooses itself, except the addresses of its servers."""
    values = {name: value for name, value in secrets.values.items() if name != "POSTGRES_PASSWORD"}
    return values | {
        "HOST": "127.0.0.1",
        "SUBGRAPH_HOST": "127.0.0.1",
        "ENVIRONMENT": "development",
        "LOG_LEVEL": "info",
        "POSTGRES_DB": "memorable",
        "REDIS_DB": "0",
        "AUTH_SIGNING_KEY_FILE": str(secrets.signing_key_file),
        "JWT_ISSUER": "memorable",
        "STORAGE_URL": f"file://{folder.files}",
        # The error messages of our own subgraphs are meant for clients.
        "ROUTER_INCLUDE_SUBGRAPH_ERRORS": ",".join(DOMAINS),
        "ROUTER_PASS_THROUGH": ",".join(
            f"{path}={domain.name}" for domain in DOMAINS.values() for path in domain.paths
        ),
    }

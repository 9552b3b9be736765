"""PostgreSQL and Valkey for one data folder: started, waited for, and stopped with everything they need."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.errors import InfraError
from infra.local import postgres, valkey
from infra.local.folder import DataFolder, Hold, hold
from infra.local.guardian import Guardian
from infra.local.ports import free_port
from infra.local.process import Family, ProcessFailed, ProcessSpec, deadline_in, rotate_log, spawn, stop_all
from infra.local.secrets import Secrets, ensure_secrets

READY_WITHIN = 60.0
STOP_WITHIN = 15.0
ATTEMPTS = 3


class Servers:
    """The two servers of a platform, as a context manager.

    A server named by `POSTGRES_HOST` or `REDIS_HOST` in `given` is used as it is instead of an embedded one.
    `environ` then holds every setting the processes of the platform take, secrets included. With
    `durable=False` a crash of the machine may cost the data, which suits tests.
    """

    def __init__(
        self, data_dir: Path, given: Mapping[str, str] | None = None, *, durable: bool = True
    ) -> None:
        self.folder = DataFolder(data_dir.resolve())
        self.environ: dict[str, str] = {}
        self._given = dict(given or {})
        self._durable = durable
        self._hold: Hold | None = None
        self._guardian: Guardian | None = None
        self._running: dict[str, tuple[ProcessSpec, subprocess.Popen[bytes]]] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Take the data folder and bring both servers up.

        Raises:
            FolderInUse: A platform already runs in this folder.
            InfraError: A server did not start.
        """
        self._hold = hold(self.folder)
        try:
            self._guardian = Guardian(self.folder.lease)
            secrets = ensure_secrets(self.folder)
            self.environ = local_settings(self.folder, secrets) | self._given
            if "POSTGRES_HOST" not in self._given:
                postgres.ensure_cluster(self.folder, secrets.values["POSTGRES_PASSWORD"])
                port = self._start_on_free_port("postgres")
                self.environ |= {
                    "POSTGRES_HOST": "127.0.0.1",
                    "POSTGRES_PORT": str(port),
                    "POSTGRES_USER": postgres.OWNER,
                    "POSTGRES_PASSWORD": secrets.values["POSTGRES_PASSWORD"],
                }
            if "REDIS_HOST" not in self._given:
                port = self._start_on_free_port("valkey")
                self.environ |= {
                    "REDIS_HOST": "127.0.0.1",
                    "REDIS_PORT": str(port),
                    "REDIS_PASSWORD": secrets.values["REDIS_PASSWORD"],
                }
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both servers and let go of the folder; harmless when nothing runs."""
        stop_all(
            {name: (process, spec.stop_signal) for name, (spec, process) in self._running.items()},
            STOP_WITHIN,
        )
        self._running.clear()
        if self._hold is not None:
            self._hold.release()
            self._hold = None
        if self._guardian is not None:
            self._guardian.close()
            self._guardian = None

    @property
    def family(self) -> Family:
        """What further children of the same platform share with the servers."""
        assert self._hold is not None
        assert self._guardian is not None
        return Family(self._guardian.process_group, self._hold.lease_fd, self.folder.logs)

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each embedded server."""
        return {name: process.pid for name, (_, process) in self._running.items()}

    def restart_crashed(self) -> list[str]:
        """Start again, on the same port, each server that has ended; returns their names.

        PostgreSQL refuses to start while an orphan of its last run still touches the data; it is then found
        ended once more, and started at the next call.
        """
        crashed = [name for name, (_, process) in self._running.items() if process.poll() is not None]
        for name in crashed:
            spec, _ = self._running[name]
            self._running[name] = (spec, spawn(spec, self.family))
        return crashed

    def _start_on_free_port(self, name: str) -> int:
        """Start the server; another run may take the chosen port first, so choose again some times."""
        for attempt in range(ATTEMPTS):
            rotate_log(self.folder.logs, name)
            port = free_port()
            spec = self._spec(name, port)
            process = spawn(spec, self.family)
            self._running[name] = (spec, process)
            if self._wait(name, port, process):
                return port
            code = process.poll()
            stop_all({name: (process, spec.stop_signal)}, STOP_WITHIN)
            del self._running[name]
            if code is None or attempt == ATTEMPTS - 1:
                raise ProcessFailed(name, self.folder.logs, code)
        raise InfraError(f"{name} did not start.")

    def _spec(self, name: str, port: int) -> ProcessSpec:
        if name == "postgres":
            return postgres.server(self.folder, port, durable=self._durable)
        return valkey.server(self.folder, port, self._password, durable=self._durable)

    def _wait(self, name: str, port: int, process: subprocess.Popen[bytes]) -> bool:
        deadline = deadline_in(READY_WITHIN)
        if name == "postgres":
            return postgres.wait_until_ready(self.folder, process, deadline)
        return valkey.wait_until_ready(port, self._password, process, deadline)

    @property
    def _password(self) -> str:
        return self.environ["REDIS_PASSWORD"]


def local_settings(folder: DataFolder, secrets: Secrets) -> dict[str, str]:
    """Every setting that a local platform decides itself, but for the addresses of its servers."""
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
    }

"""The whole platform on one machine: servers, migrations, subgraphs, router and workers."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from infra.checkout import DATA_DIR, ROOT
from infra.errors import InfraError
from infra.local import environment, valkey
from infra.local.connection_pools import compute_worker_pool_size, read_max_connections, require_room
from infra.local.ports import find_free_port, require_free
from infra.local.process import ProcessFailed, ProcessSpec, rotate_log, spawn
from infra.local.servers import Servers
from infra.local.state import SHARED_SETTINGS, PlatformState
from infra.local.supervisor import StatusListener, Supervisor
from subgraphs.common.settings import Settings
from subgraphs.domains import DOMAINS

READY_TIMEOUT = 90.0
# The seconds that a process may take to stop when it has finished its work.
STOP_MARGIN = 8.0


class Stack:
    """A running platform, as an async context manager.

    With `ports="fixed"` it listens on the configured ports; with `"free"` on any, so that several can run
    side by side. `without` names processes to leave out: domains, `router` or `worker`. `settings` override
    the platform's own choices. `on_status` is called with a process name and a message about the process.
    """

    def __init__(
        self,
        data_dir: Path = DATA_DIR,
        *,
        ports: Literal["fixed", "free"] = "fixed",
        workers: int = 1,
        without: Collection[str] = (),
        settings: Mapping[str, str] | None = None,
        durable: bool = True,
        on_status: StatusListener = lambda name, message: None,
    ) -> None:
        self._servers = Servers(data_dir, settings, durable=durable)
        self._has_fixed_ports = ports == "fixed"
        self._settings = dict(settings or {})
        self._domains = [domain for domain in DOMAINS if domain not in without]
        self._has_router = "router" not in without
        names = ["worker"] if workers == 1 else [f"worker-{n + 1}" for n in range(workers)]
        self._worker_names = [] if "worker" in without else names
        self._on_status = on_status
        self._supervisor: Supervisor | None = None
        self._supervision: asyncio.Task[None] | None = None
        self.environ: dict[str, str] = {}
        self._worker_pool: dict[str, str] = {}
        self.urls: dict[str, str] = {}
        self.metrics_urls: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def graphql_url(self) -> str:
        """The public GraphQL endpoint."""
        return f"http://localhost:{self.environ[environment.ROUTER_PORT_SETTING]}/graphql"

    @property
    def logs_dir(self) -> Path:
        """The folder of the log files."""
        return self._servers.folder.logs

    @property
    def processes(self) -> dict[str, int]:
        """The current process ids, by name; a restarted process has a new one."""
        return self._servers.pids | (self._supervisor.pids if self._supervisor else {})

    async def start(self) -> None:
        """Start all processes and wait until each of them is ready.

        Raises:
            InfraError: A port is in use or a process did not start; the message says which and why.
        """
        self._on_status("platform", "starting PostgreSQL and Valkey")
        await asyncio.to_thread(self._servers.start)
        try:
            self.environ = self._servers.environ | self._choose_ports()
            self.environ |= environment.build_subgraph_urls(self.environ)
            if "valkey" not in self._servers.pids:
                await asyncio.to_thread(valkey.require_server, self.environ)
            await self._migrate()
            await self._size_worker_pools()
            self._on_status("platform", "starting the subgraphs, the router and the worker")
            await self._start_processes()
            self._supervision = asyncio.create_task(self._supervise())
            self._write_state()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop all processes and release the data folder."""
        self._servers.folder.state.unlink(missing_ok=True)
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.gather(self._supervision, return_exceptions=True)
            self._supervision = None
        if self._supervisor is not None:
            await self._supervisor.stop()
            self._supervisor = None
        await asyncio.to_thread(self._servers.stop)

    def _choose_ports(self) -> dict[str, str]:
        if not self._has_fixed_ports:
            chosen = {setting: str(find_free_port()) for setting in environment.DEFAULT_PORTS}
            if len(set(chosen.values())) < len(chosen):
                return self._choose_ports()
            return chosen
        host = self._settings.get("HOST", "127.0.0.1")
        ports = {}
        for setting, default in environment.DEFAULT_PORTS.items():
            value = self._settings.get(setting, str(default))
            if not value.isdigit() or not 1 <= int(value) <= 65535:
                raise InfraError(f"{setting} must be a port between 1 and 65535, not {value!r}.")
            require_free(setting, int(value), host)
            ports[setting] = value
        return ports

    async def _migrate(self) -> None:
        """Run the migrations in a separate process, so that their imports do not stay in memory."""
        self._on_status("platform", "migrating the database")
        spec = self._build_process_spec(
            "migrations", "infra.database", environ=environment.build_migration_environ(self.environ)
        )
        rotate_log(self.logs_dir, spec.name)
        process = spawn(spec, self._servers.process_context)
        code = await asyncio.to_thread(process.wait)
        if code != 0:
            raise ProcessFailed("migrations", self.logs_dir, code)

    async def _size_worker_pools(self) -> None:
        """Let workers have as many connections as PostgreSQL allows, or check that those that are set fit."""
        if not self._worker_names:
            return
        limit, workers = await read_max_connections(self.environ), len(self._worker_names)
        if size := self.environ.get("POSTGRES_POOL_SIZE", ""):
            if size.isdecimal():  # each process refuses anything else
                require_room(limit, workers, int(size))
        else:
            self._worker_pool = {"POSTGRES_POOL_SIZE": str(compute_worker_pool_size(limit, workers))}

    async def _start_processes(self) -> None:
        supervisor = self._supervisor = Supervisor(
            self._servers.process_context, self._on_status, compute_stop_timeout(self.environ)
        )
        for domain in self._domains:
            self.urls[domain] = f"http://127.0.0.1:{self.environ[DOMAINS[domain].port_variable]}"
            environ = environment.build_subgraph_environ(domain, self.environ) | self._assign_metrics_port(
                domain
            )
            spec = self._build_process_spec(domain, "subgraphs", domain, environ=environ)
            supervisor.start(spec, f"{self.urls[domain]}/health/ready")
        if self._has_router:
            self.urls["router"] = f"http://127.0.0.1:{self.environ[environment.ROUTER_PORT_SETTING]}"
            environ = environment.build_router_environ(self.environ) | self._assign_metrics_port("router")
            spec = self._build_process_spec("router", "router", environ=environ)
            supervisor.start(spec, f"{self.urls['router']}/health/ready")
        for name in self._worker_names:
            self._start_worker(supervisor, name)
        await supervisor.wait_until_ready(list(self.urls), READY_TIMEOUT)

    def _start_worker(self, supervisor: Supervisor, name: str) -> None:
        port = find_free_port()
        self.urls[name] = self.metrics_urls[name] = f"http://127.0.0.1:{port}"
        spec = self._build_process_spec(
            name,
            "workers",
            environ=environment.build_worker_environ(self.environ, port) | self._worker_pool,
        )
        supervisor.start(spec, f"{self.urls[name]}/metrics")

    def _assign_metrics_port(self, name: str) -> dict[str, str]:
        """Choose a free port for the metrics of a process; return its setting."""
        port = find_free_port()
        self.metrics_urls[name] = f"http://127.0.0.1:{port}"
        return {"METRICS_PORT": str(port)}

    def _build_process_spec(
        self, name: str, module: str, *arguments: str, environ: Mapping[str, str]
    ) -> ProcessSpec:
        return ProcessSpec(name, [sys.executable, "-m", module, *arguments], environ, ROOT)

    async def _supervise(self) -> None:
        assert self._supervisor is not None
        async with asyncio.TaskGroup() as group:
            group.create_task(self._supervisor.run())
            group.create_task(self._supervise_servers())

    async def _supervise_servers(self) -> None:
        while True:
            await asyncio.sleep(1)
            for name in self._servers.restart_crashed():
                self._on_status(name, "ended; restarted")
            self._servers.rotate_large_logs()

    def _write_state(self) -> None:
        """Write the state file for other commands of this checkout."""
        environ = {name: self.environ[name] for name in SHARED_SETTINGS if name in self.environ}
        state = PlatformState(
            os.getpid(),
            list(self._servers.pids),
            self.graphql_url,
            dict(self.urls),
            dict(self.metrics_urls),
            environ,
        )
        state.write(self._servers.folder)


def compute_stop_timeout(environ: Mapping[str, str]) -> float:
    """Compute the seconds that processes may take to stop: workers finish first what they have begun."""
    default = Settings.model_fields["worker_drain_seconds"].default
    return float(environ.get("WORKER_DRAIN_SECONDS", default)) + STOP_MARGIN

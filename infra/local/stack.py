"""The whole platform on this machine: servers, migrations, five subgraphs, the router and the workers."""

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
from infra.local import environment
from infra.local.ports import free_port, require_free
from infra.local.process import ProcessFailed, ProcessSpec, rotate_log, spawn
from infra.local.running import SHARED, Running
from infra.local.servers import Servers
from infra.local.supervisor import Notice, Supervisor
from subgraphs.domains import DOMAINS

READY_WITHIN = 90.0


class Stack:
    """A running platform, as an async context manager.

    `ports="fixed"` listens on the ports of the settings, `"free"` on any, so that several run side by side.
    `without` names processes to leave out (a domain, `router`, `worker`), for one that is run by hand.
    `given` are settings that win over the platform's own choices; `notice` hears what happens to a process.
    """

    def __init__(
        self,
        data_dir: Path = DATA_DIR,
        *,
        ports: Literal["fixed", "free"] = "fixed",
        workers: int = 1,
        without: Collection[str] = (),
        given: Mapping[str, str] | None = None,
        durable: bool = True,
        notice: Notice = lambda name, message: None,
    ) -> None:
        self._servers = Servers(data_dir, given, durable=durable)
        self._fixed = ports == "fixed"
        self._given = dict(given or {})
        self._domains = [domain for domain in DOMAINS if domain not in without]
        self._router = "router" not in without
        names = ["worker"] if workers == 1 else [f"worker-{n + 1}" for n in range(workers)]
        self._worker_names = [] if "worker" in without else names
        self._notice = notice
        self._supervisor: Supervisor | None = None
        self._keeping: asyncio.Task[None] | None = None
        self.environ: dict[str, str] = {}
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
        """Where each process logs."""
        return self._servers.folder.logs

    @property
    def processes(self) -> dict[str, int]:
        """The process id of everything that runs now, by name; a restarted process has a new one."""
        return self._servers.pids | (self._supervisor.pids if self._supervisor else {})

    async def start(self) -> None:
        """Bring everything up, and return when every process says that it is ready.

        Raises:
            InfraError: A port is taken, or a process did not start; the message says which and why.
        """
        self._notice("platform", "starting PostgreSQL and Valkey")
        await asyncio.to_thread(self._servers.start)
        try:
            self.environ = self._servers.environ | self._choose_ports()
            self.environ |= {
                domain.url_variable: self._given.get(domain.url_variable)
                or f"http://127.0.0.1:{self.environ[domain.port_variable]}/graphql"
                for domain in DOMAINS.values()
            }
            await self._migrate()
            self._notice("platform", "starting the subgraphs, the router and the worker")
            await self._start_processes()
            self._keeping = asyncio.create_task(self._keep())
            self._publish()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End everything and let go of the data folder."""
        self._servers.folder.state.unlink(missing_ok=True)
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None
        if self._supervisor is not None:
            await self._supervisor.stop()
            self._supervisor = None
        await asyncio.to_thread(self._servers.stop)

    def _choose_ports(self) -> dict[str, str]:
        if not self._fixed:
            chosen = {setting: str(free_port()) for setting in environment.DEFAULT_PORTS}
            if len(set(chosen.values())) < len(chosen):
                return self._choose_ports()
            return chosen
        host = self._given.get("HOST", "127.0.0.1")
        ports = {}
        for setting, default in environment.DEFAULT_PORTS.items():
            value = self._given.get(setting, str(default))
            if not value.isdigit() or not 1 <= int(value) <= 65535:
                raise InfraError(f"{setting} must be a port between 1 and 65535; it is {value!r}.")
            require_free(setting, int(value), host)
            ports[setting] = value
        return ports

    async def _migrate(self) -> None:
        """Run the migrations in a process of their own: what they import would stay in this one for good."""
        self._notice("platform", "migrating the database")
        spec = self._process(
            "migrations", "infra.database", environ=environment.migration_environ(self.environ)
        )
        rotate_log(self.logs_dir, spec.name)
        process = spawn(spec, self._servers.family)
        code = await asyncio.to_thread(process.wait)
        if code != 0:
            raise ProcessFailed("migrations", self.logs_dir, code)

    async def _start_processes(self) -> None:
        supervisor = self._supervisor = Supervisor(self._servers.family, self._notice)
        for domain in self._domains:
            self.urls[domain] = f"http://127.0.0.1:{self.environ[DOMAINS[domain].port_variable]}"
            environ = environment.subgraph_environ(domain, self.environ) | self._metrics_port(domain)
            spec = self._process(domain, "subgraphs", domain, environ=environ)
            supervisor.start(spec, f"{self.urls[domain]}/health/ready")
        if self._router:
            self.urls["router"] = f"http://127.0.0.1:{self.environ[environment.ROUTER_PORT_SETTING]}"
            environ = environment.router_environ(self.environ) | self._metrics_port("router")
            spec = self._process("router", "router", environ=environ)
            supervisor.start(spec, f"{self.urls['router']}/health/ready")
        for name in self._worker_names:
            self._launch_worker(supervisor, name)
        await supervisor.wait_until_ready(list(self.urls), READY_WITHIN)

    def _launch_worker(self, supervisor: Supervisor, name: str) -> None:
        port = free_port()
        self.urls[name] = self.metrics_urls[name] = f"http://127.0.0.1:{port}"
        spec = self._process(name, "workers", environ=environment.worker_environ(self.environ, port))
        supervisor.start(spec, f"{self.urls[name]}/metrics")

    def _metrics_port(self, name: str) -> dict[str, str]:
        """Where a process serves its metrics: apart from its clients, at any free port."""
        port = free_port()
        self.metrics_urls[name] = f"http://127.0.0.1:{port}"
        return {"METRICS_PORT": str(port)}

    def _process(self, name: str, module: str, *arguments: str, environ: Mapping[str, str]) -> ProcessSpec:
        return ProcessSpec(name, [sys.executable, "-m", module, *arguments], environ, ROOT)

    async def _keep(self) -> None:
        assert self._supervisor is not None
        async with asyncio.TaskGroup() as group:
            group.create_task(self._supervisor.keep())
            group.create_task(self._keep_servers())

    async def _keep_servers(self) -> None:
        while True:
            await asyncio.sleep(1)
            for name in self._servers.restart_crashed():
                self._notice(name, "had ended; started again")

    def _publish(self) -> None:
        """Leave a note for the other commands of this checkout: addresses and ports, no secret."""
        environ = {name: self.environ[name] for name in SHARED if name in self.environ}
        note = Running(os.getpid(), self.graphql_url, dict(self.urls), dict(self.metrics_urls), environ)
        note.write(self._servers.folder)

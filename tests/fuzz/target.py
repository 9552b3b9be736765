"""The platform under attack, with every process instrumented."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil

from infra.local import Stack
from infra.local.process import ProcessSpec
from subgraphs.common.clock import utc_now
from subgraphs.common.storage import Storage
from subgraphs.domains import DOMAINS
from tests.fuzz.meter import Meter

SERVERS = ("router", *DOMAINS)
SHUTDOWN_TIMEOUT = 12.0
READY_TIMEOUT = 90.0
# Enable optional features, and shorten timeouts and pauses.
SETTINGS = {
    "OFFLINE_PRINT_STEP_SECONDS": "0.2",
    "OFFLINE_WORDS_PER_SECOND": "2000",
    "ROUTER_APQ": "true",
    "ROUTER_MAX_BATCH": "10",
    "ROUTER_CORS_ORIGINS": "https://memorable.example",
    "ROUTER_OPERATION_TIMEOUT": "10",
    "ROUTER_HEADER_TIMEOUT": "5",
    "ROUTER_BODY_TIMEOUT": "5",
    "ROUTER_SEND_TIMEOUT": "5",
    "ROUTER_KEEP_ALIVE_TIMEOUT": "10",
}


class Target(Stack):
    """A platform on free ports, started as by `memorable run`, with a meter per process."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self._pages = folder / "meters"
        self._pages.mkdir(parents=True, exist_ok=True)
        self.meters: dict[str, Meter] = {}
        self.messages: list[str] = []
        super().__init__(
            folder,
            ports="free",
            settings={**SETTINGS, **(settings or {})},
            durable=False,
            on_status=self._record_status,
        )

    def get_port(self, name: str) -> int:
        """Get the port on which a process listens."""
        return int(self.urls[name].rpartition(":")[2])

    @property
    def instrumented(self) -> dict[str, int]:
        """The process id of every running instrumented process."""
        return {name: pid for name, pid in self.processes.items() if name in self.meters}

    def sign_path(self, key: str) -> str:
        """Sign the path of a file; return the path and the query of its URL."""
        storage = Storage(self.environ["STORAGE_URL"], "/files", self.environ["FILE_SIGNING_KEY"])
        return storage.sign_url(key, utc_now())

    async def stop_all(self) -> list[str]:
        """Stop the platform; return the names of the processes that had to be killed."""
        before = len(self.messages)
        await self.stop()
        return [message.split()[0] for message in self.messages[before:] if message.endswith("was killed")]

    async def terminate(self, name: str) -> bool:
        """Terminate one process by SIGTERM; False if it had to be killed."""
        started = time.monotonic()
        process = psutil.Process(self.processes[name])
        process.send_signal(signal.SIGTERM)
        while _is_alive(process):
            if time.monotonic() - started > SHUTDOWN_TIMEOUT:
                os.kill(process.pid, signal.SIGKILL)
                return False
            await asyncio.sleep(0.05)
        return True

    def _record_status(self, name: str, message: str) -> None:
        self.messages.append(f"{name} {message}")

    def _build_process_spec(
        self, name: str, module: str, *arguments: str, environ: Mapping[str, str]
    ) -> ProcessSpec:
        spec = super()._build_process_spec(name, module, *arguments, environ=environ)
        if name == "migrations":
            return spec
        page = self._pages / name
        self.meters[name] = Meter(page)
        command = [sys.executable, "-m", "tests.fuzz.instrumented", str(page), module, *arguments]
        # Coverage measurement would dominate the CPU times.
        environ = {name: value for name, value in spec.environ.items() if not name.startswith("COVERAGE_")}
        return replace(spec, command=command, environ=environ)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

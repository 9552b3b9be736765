"""The platform under attack: every process observed, and replaced when an attack has stopped it."""

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
ENDS_WITHIN = 12.0
READY_WITHIN = 90.0
# What is off by default is open to attack too, and what takes its time ends soon.
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
    """A platform of its own on free ports, as `memorable run` starts it but for the meters."""

    def __init__(self, folder: Path, given: Mapping[str, str] | None = None) -> None:
        self._pages = folder / "meters"
        self._pages.mkdir(parents=True, exist_ok=True)
        self.meters: dict[str, Meter] = {}
        self.notices: list[str] = []
        super().__init__(
            folder, ports="free", given={**SETTINGS, **(given or {})}, durable=False, notice=self._note
        )

    def port(self, name: str) -> int:
        """Where a process listens."""
        return int(self.urls[name].rpartition(":")[2])

    @property
    def observed(self) -> dict[str, int]:
        """The process id of everything that has a meter and runs now."""
        return {name: pid for name, pid in self.processes.items() if name in self.meters}

    def signed_address(self, key: str) -> str:
        """The path and the query of a good address of a file."""
        storage = Storage(self.environ["STORAGE_URL"], "/files", self.environ["FILE_SIGNING_KEY"])
        return storage.signed_url(key, utc_now())

    async def stop_all(self) -> list[str]:
        """Stop the platform as `memorable run` does; the names of those that had to be killed."""
        before = len(self.notices)
        await self.stop()
        return [notice.split()[0] for notice in self.notices[before:] if notice.endswith("was killed")]

    async def end(self, name: str) -> bool:
        """Ask one process to end, as an operator would; False if it had to be killed."""
        started = time.monotonic()
        process = psutil.Process(self.processes[name])
        process.send_signal(signal.SIGTERM)
        while _lives(process):
            if time.monotonic() - started > ENDS_WITHIN:
                os.kill(process.pid, signal.SIGKILL)
                return False
            await asyncio.sleep(0.05)
        return True

    def _note(self, name: str, message: str) -> None:
        self.notices.append(f"{name} {message}")

    def _process(self, name: str, module: str, *arguments: str, environ: Mapping[str, str]) -> ProcessSpec:
        spec = super()._process(name, module, *arguments, environ=environ)
        if name == "migrations":
            return spec
        page = self._pages / name
        self.meters[name] = Meter(page)
        command = [sys.executable, "-m", "tests.fuzz.observed", str(page), module, *arguments]
        # To measure coverage would cost more than what is measured here.
        plain = {name: value for name, value in spec.environ.items() if not name.startswith("COVERAGE_")}
        return replace(spec, command=command, environ=plain)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

"""The data folder of one local platform: where things lie in it, and who may hold it."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from infra.errors import InfraError

# Another command that looks whether a platform runs holds the lock for a moment.
LOOK_MAY_TAKE = 0.5
LEFTOVERS_MAY_TAKE = 20.0


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths inside one data folder.

    Two locks guard it, and the kernel releases both. `lock` belongs to the supervisor alone, so it says
    whether a platform runs here. `lease` is inherited by every child, so it says whether anything at all
    still touches the data: after a `kill -9` of the supervisor `lock` is free at once, `lease` when the
    last child has ended.
    """

    root: Path

    @property
    def lock(self) -> Path:
        """Held while a supervisor uses this folder."""
        return self.root / "lock"

    @property
    def lease(self) -> Path:
        """Held while any process of a platform in this folder lives."""
        return self.root / "lease"

    @property
    def state(self) -> Path:
        """What a running platform tells other commands: its process id, addresses and ports."""
        return self.root / "platform.json"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data directory."""
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's working directory."""
        return self.root / "valkey"

    @property
    def secrets(self) -> Path:
        """Keys and passwords made on first start."""
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.root / "logs"

    @property
    def files(self) -> Path:
        """The object store of a local platform."""
        return self.root / "files"

    def prepare(self) -> None:
        """Create the folders, readable by their owner only."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.secrets, self.logs, self.files, self.valkey):
            folder.mkdir(mode=0o700, exist_ok=True)


class FolderInUse(InfraError):
    """A platform is already running in this data folder."""


@dataclass(slots=True)
class Hold:
    """Both locks of a data folder, held by this process until `release`."""

    lock_fd: int
    lease_fd: int

    def release(self) -> None:
        """Let go of the folder; a child that still lives keeps the lease."""
        os.close(self.lease_fd)
        os.close(self.lock_fd)


def is_held(folder: DataFolder) -> bool:
    """Tell whether a platform runs in the folder now."""
    if not folder.lock.exists():
        return False
    fd = os.open(folder.lock, os.O_RDWR)
    try:
        return not _try_lock(fd)
    finally:
        os.close(fd)


def hold(folder: DataFolder) -> Hold:
    """Take the folder, waiting for the last processes of a run that was killed.

    Raises:
        FolderInUse: A platform runs here.
        InfraError: Processes of an earlier run do not end.
    """
    folder.prepare()
    lock_fd = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
    if not _lock_within(lock_fd, LOOK_MAY_TAKE):
        os.close(lock_fd)
        raise FolderInUse(f"A platform is already running in {folder.root}. Stop it first.")
    lease_fd = os.open(folder.lease, os.O_RDWR | os.O_CREAT, 0o600)
    if not _lock_within(lease_fd, LEFTOVERS_MAY_TAKE):
        os.close(lease_fd)
        os.close(lock_fd)
        raise InfraError(f"Processes of an earlier run still use {folder.root}. End them, then start again.")
    return Hold(lock_fd, lease_fd)


def _lock_within(fd: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _try_lock(fd):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

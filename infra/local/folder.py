"""The data folder of one local platform: its paths and its locks."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from infra.errors import InfraError

# Seconds. A command that checks whether a platform is running holds the lock for a short time.
LOCK_TIMEOUT = 0.5
LEASE_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths inside one data folder.

    Two file locks protect it; the kernel releases both when their holders end. `lock` is held only by the
    supervisor and shows that a platform is running. `lease` is inherited by every child and shows that a
    process may still use the data: when the supervisor is killed, `lock` is free at once, and `lease` when
    the last child has ended.
    """

    root: Path

    @property
    def lock(self) -> Path:
        """The file locked while a supervisor uses this folder."""
        return self.root / "lock"

    @property
    def lease(self) -> Path:
        """The file locked while any process of this folder's platform is alive."""
        return self.root / "lease"

    @property
    def state(self) -> Path:
        """The running platform's state file, read by other commands."""
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
        """Keys and passwords, generated on first start."""
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        """The log files, one per process."""
        return self.root / "logs"

    @property
    def files(self) -> Path:
        """The object store of a local platform."""
        return self.root / "files"

    def prepare(self) -> None:
        """Create the folders, accessible to their owner only."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.secrets, self.logs, self.files, self.valkey):
            folder.mkdir(mode=0o700, exist_ok=True)


class FolderInUse(InfraError):
    """A platform is already running in this data folder."""


@dataclass(slots=True)
class FolderLocks:
    """Both locks of a data folder, held until `release`."""

    lock_fd: int
    lease_fd: int

    def release(self) -> None:
        """Release both locks; a child that is still alive keeps the lease."""
        os.close(self.lease_fd)
        os.close(self.lock_fd)


def is_locked(folder: DataFolder) -> bool:
    """Whether a platform is running in the folder."""
    if not folder.lock.exists():
        return False
    fd = os.open(folder.lock, os.O_RDWR)
    try:
        return not _try_lock(fd)
    finally:
        os.close(fd)


def acquire(folder: DataFolder) -> FolderLocks:
    """Lock the folder, waiting until the processes of an earlier, killed run have ended.

    Raises:
        FolderInUse: A platform is running in this folder.
        InfraError: Processes of an earlier run did not end in time.
    """
    folder.prepare()
    lock_fd = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
    if not _lock_within(lock_fd, LOCK_TIMEOUT):
        os.close(lock_fd)
        raise FolderInUse(f"A platform is already running, starting or stopping in {folder.root}.")
    lease_fd = os.open(folder.lease, os.O_RDWR | os.O_CREAT, 0o600)
    if not _lock_within(lease_fd, LEASE_TIMEOUT):
        os.close(lease_fd)
        os.close(lock_fd)
        raise InfraError(f"Processes of an earlier run still use {folder.root}. End them and start again.")
    return FolderLocks(lock_fd, lease_fd)


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

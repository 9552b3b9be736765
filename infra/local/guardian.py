"""The guardian: a small process that ends the platform's children when their supervisor has ended.

All children share the guardian's process group, and its standard input is a pipe from the supervisor.
When the supervisor ends, even by SIGKILL, the pipe closes and the guardian ends the group. This needs no
support from the children, and works for children of another user, on Linux and on macOS. The module is run by
its path, so it may import only the standard library.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE_SECONDS = 8.0


class Guardian:
    """The supervisor's handle to the guardian process."""

    def __init__(self, lease: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).resolve()), str(lease)],
            stdin=subprocess.PIPE,
            process_group=0,
        )

    @property
    def process_group(self) -> int:
        """The process group in which every child must be started."""
        return self._process.pid

    def close(self) -> None:
        """Make the guardian end the rest of its group, and wait until it has."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main(lease: str) -> None:
    """Wait until the supervisor has ended, then end the process group."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    fd = os.open(lease, os.O_RDWR)
    if _is_lease_free(fd):
        return
    # SIGINT makes PostgreSQL disconnect its clients and uvicorn stop waiting for its own.
    os.killpg(0, signal.SIGTERM)
    os.killpg(0, signal.SIGINT)
    deadline = time.monotonic() + GRACE_SECONDS
    while not _is_lease_free(fd):
        if time.monotonic() > deadline:
            os.killpg(0, signal.SIGKILL)
        time.sleep(0.05)


def _is_lease_free(lease_fd: int) -> bool:
    try:
        fcntl.flock(lease_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1])

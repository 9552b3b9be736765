"""The guardian: a small process that ends the platform's children when the supervisor is gone.

All children share the guardian's process group, and its standard input is a pipe from the supervisor.
However the supervisor ends, `kill -9` included, the pipe closes and the guardian ends the group. This asks
nothing of the children, survives their changing user, and works on Linux and macOS alike. The file runs by
its path, so it may import the standard library only.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE = 8.0


class Guardian:
    """The supervisor's side: starts the guardian process and tells how children join its group."""

    def __init__(self, lease: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).resolve()), str(lease)],
            stdin=subprocess.PIPE,
            process_group=0,
        )

    @property
    def process_group(self) -> int:
        """The group every child must be started in."""
        return self._process.pid

    def close(self) -> None:
        """Let the guardian end what is left of the group, then itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main(lease: str) -> None:
    """Wait for the supervisor to go, then end the group this process leads."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    fd = os.open(lease, os.O_RDWR)
    if _nobody_left(fd):
        return
    # The second signal makes PostgreSQL disconnect its clients, and uvicorn stop waiting for its own.
    os.killpg(0, signal.SIGTERM)
    os.killpg(0, signal.SIGINT)
    deadline = time.monotonic() + GRACE
    while not _nobody_left(fd):
        if time.monotonic() > deadline:
            os.killpg(0, signal.SIGKILL)
        time.sleep(0.05)


def _nobody_left(lease_fd: int) -> bool:
    try:
        fcntl.flock(lease_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1])

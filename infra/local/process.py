"""Child processes: each in the guardian's process group, with its own environment and log file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.errors import InfraError

MAX_ROTATED_LOGS = 3
MAX_LOG_BYTES = 16 * 1024 * 1024
MIN_RESTART_DELAY, MAX_RESTART_DELAY = 0.5, 5.0


@dataclass(frozen=True, slots=True)
class ProcessContext:
    """The context that all children of a supervisor share."""

    process_group: int
    lease_fd: int
    logs: Path


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process to run. Its environment is exactly `environ`; nothing is inherited."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    directory: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM


def get_log_file(logs: Path, name: str) -> Path:
    """Get the path of a process's log file."""
    return logs / f"{name}.log"


def rotate_log(logs: Path, name: str) -> None:
    """Rotate the log of the last run and drop the oldest."""
    current, newest = get_log_file(logs, name), _make_room_for_newest(logs, name)
    if current.exists():
        current.replace(newest)


def rotate_large_log(logs: Path, name: str) -> None:
    """Rotate the log of a running process if it is too large.

    The process goes on writing to the same file, so that is copied and emptied; a line that is written in
    between is lost.
    """
    current = get_log_file(logs, name)
    if current.exists() and current.stat().st_size > MAX_LOG_BYTES:
        shutil.copyfile(current, _make_room_for_newest(logs, name))
        os.truncate(current, 0)


def _make_room_for_newest(logs: Path, name: str) -> Path:
    """Rename the rotated logs, each to the next number, and drop the oldest; return the first path."""
    for age in range(MAX_ROTATED_LOGS - 1, 0, -1):
        older = logs / f"{name}.{age}.log"
        if older.exists():
            older.replace(logs / f"{name}.{age + 1}.log")
    return logs / f"{name}.1.log"


@dataclass(slots=True)
class Backoff:
    """The delays before the restarts of a process that keeps crashing: they double, up to a few seconds.

    A process that has run for `stable_after` seconds does not keep crashing.
    """

    stable_after: float
    crashes: int = 0

    def compute_delay(self, lived: float) -> float:
        """Compute the seconds before the restart of a process that has crashed after so many."""
        self.crashes = self.crashes + 1 if lived < self.stable_after else 1
        return min(MIN_RESTART_DELAY * 2.0 ** (self.crashes - 1), MAX_RESTART_DELAY)


def spawn(spec: ProcessSpec, context: ProcessContext) -> subprocess.Popen[bytes]:
    """Start the process. Its output goes straight to its log file, so a slow terminal cannot block it."""
    with get_log_file(context.logs, spec.name).open("ab") as log:
        return subprocess.Popen(
            list(spec.command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(spec.environ),
            cwd=spec.directory,
            user=spec.user,
            group=spec.user,
            extra_groups=None if spec.user is None else [],
            process_group=context.process_group,
            pass_fds=(context.lease_fd,),
        )


def stop_all(
    running: Mapping[str, tuple[subprocess.Popen[bytes], signal.Signals]], grace: float
) -> list[str]:
    """Stop the processes in parallel; kill those that outlast the grace period and return their names."""
    deadline = compute_deadline(grace)
    for process, stop_signal in running.values():
        if process.poll() is None:
            process.send_signal(stop_signal)
    killed = []
    for name, (process, _) in running.items():
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed.append(name)
    return killed


def read_log_tail(logs: Path, name: str, lines: int = 12) -> str:
    """Read the last lines of a process's log, for an error message."""
    path = get_log_file(logs, name)
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"


class ProcessFailed(InfraError):
    """A process ended, or ran out of time, before it was ready."""

    def __init__(self, name: str, logs: Path, code: int | None) -> None:
        how = "was not ready in time" if code is None else f"exited with code {code} before it was ready"
        super().__init__(
            f"{name} {how}. Last lines of {get_log_file(logs, name)}:\n{read_log_tail(logs, name)}"
        )


def compute_deadline(seconds: float) -> float:
    """Compute the time `seconds` from now on the monotonic clock."""
    return time.monotonic() + seconds

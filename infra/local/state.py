"""The state file through which other commands find a running platform."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.environment import DEFAULT_PORTS, build_subgraph_urls, read_settings
from infra.local.folder import DataFolder, is_locked
from infra.local.secrets import ensure_secrets
from infra.local.servers import Servers, build_local_settings

SHARED_SETTINGS = (
    "POSTGRES_HOST",
    "POSTGRES_PORT",
    "POSTGRES_USER",
    "REDIS_HOST",
    "REDIS_PORT",
    *DEFAULT_PORTS,
)


@dataclass(frozen=True, slots=True)
class PlatformState:
    """The process id, embedded servers, URLs and ports of a running platform; contains no secrets."""

    pid: int
    servers: Sequence[str]
    graphql_url: str
    urls: Mapping[str, str]
    metrics_urls: Mapping[str, str]
    environ: Mapping[str, str]

    def write(self, folder: DataFolder) -> None:
        """Write the state file atomically."""
        draft = folder.state.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self), indent=2))
        draft.replace(folder.state)


def find_platform_state(data_dir: Path) -> PlatformState | None:
    """Find the state of the platform that runs in a data folder; None if none does."""
    folder = DataFolder(data_dir)
    if not is_locked(folder) or not folder.state.exists():
        return None
    return PlatformState(**json.loads(folder.state.read_text()))


@contextmanager
def open_database_settings(data_dir: Path) -> Iterator[Mapping[str, str]]:
    """Yield the settings of the running platform; if none is running, run its servers until the exit."""
    if (state := find_platform_state(data_dir)) is not None:
        yield load_settings(data_dir, state)
        return
    with Servers(data_dir, read_settings()) as servers:
        yield servers.environ


def load_settings(data_dir: Path, state: PlatformState) -> dict[str, str]:
    """Load all settings of a running platform, including secrets."""
    folder = DataFolder(data_dir)
    secrets = ensure_secrets(folder)
    settings = build_local_settings(folder, secrets) | read_settings() | dict(state.environ)
    for server in state.servers:
        settings |= secrets.select_passwords(server)
    return settings | build_subgraph_urls(settings)

"""The state file through which other commands find a running platform."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.environment import DEFAULT_PORTS, configured_settings
from infra.local.folder import DataFolder, is_locked
from infra.local.secrets import ensure_secrets
from infra.local.servers import Servers, local_settings

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
    """The process id, URLs and ports of a running platform; contains no secrets."""

    pid: int
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
    """The state of the platform running in the folder, or None if none is up."""
    folder = DataFolder(data_dir)
    if not is_locked(folder) or not folder.state.exists():
        return None
    return PlatformState(**json.loads(folder.state.read_text()))


@contextmanager
def database_settings(data_dir: Path) -> Iterator[Mapping[str, str]]:
    """The settings of the running platform; if none is running, start its servers for the duration."""
    if (state := find_platform_state(data_dir)) is not None:
        yield settings_of(data_dir, state)
        return
    with Servers(data_dir, configured_settings()) as servers:
        yield servers.environ


def settings_of(data_dir: Path, state: PlatformState) -> dict[str, str]:
    """Every setting of a running platform, including secrets."""
    folder = DataFolder(data_dir)
    secrets = ensure_secrets(folder)
    password = {"POSTGRES_PASSWORD": secrets.values["POSTGRES_PASSWORD"]}
    return local_settings(folder, secrets) | password | configured_settings() | dict(state.environ)

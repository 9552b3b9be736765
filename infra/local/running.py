"""The note that a running platform leaves for the other commands of its checkout."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.environment import DEFAULT_PORTS, given_settings
from infra.local.folder import DataFolder, is_held
from infra.local.secrets import ensure_secrets
from infra.local.servers import Servers, local_settings

SHARED = ("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER", "REDIS_HOST", "REDIS_PORT", *DEFAULT_PORTS)


@dataclass(frozen=True, slots=True)
class Running:
    """Where the platform of a data folder can be reached; no secret is in it."""

    pid: int
    graphql_url: str
    urls: Mapping[str, str]
    metrics_urls: Mapping[str, str]
    environ: Mapping[str, str]

    def write(self, folder: DataFolder) -> None:
        """Leave the note; it is replaced whole, so that nobody reads half of one."""
        draft = folder.state.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self), indent=2))
        draft.replace(folder.state)


def find_running(data_dir: Path) -> Running | None:
    """The platform that runs in the folder now, when it is up."""
    folder = DataFolder(data_dir)
    if not is_held(folder) or not folder.state.exists():
        return None
    return Running(**json.loads(folder.state.read_text()))


@contextmanager
def database_settings(data_dir: Path) -> Iterator[Mapping[str, str]]:
    """The settings of the running platform's servers; when none runs, its servers are up for the while."""
    if (running := find_running(data_dir)) is not None:
        yield settings_of(data_dir, running)
        return
    with Servers(data_dir, given_settings()) as servers:
        yield servers.environ


def settings_of(data_dir: Path, running: Running) -> dict[str, str]:
    """Every setting of a running platform, secrets included."""
    folder = DataFolder(data_dir)
    secrets = ensure_secrets(folder)
    password = {"POSTGRES_PASSWORD": secrets.values["POSTGRES_PASSWORD"]}
    return local_settings(folder, secrets) | password | given_settings() | dict(running.environ)

"""How many connections to PostgreSQL each process of a platform may open, within the server's limit."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from infra.errors import InfraError
from subgraphs.common.settings import Settings
from subgraphs.domains import DOMAINS

RESERVED = 10
"""Connections left for commands, migrations and superusers."""
MIN_POOL_SIZE = 2
_CONNECT_SECONDS = 10.0
DEFAULT_POOL_SIZE: int = Settings.model_fields["postgres_pool_size"].default


async def read_max_connections(environ: Mapping[str, str]) -> int:
    """Read how many connections the platform's PostgreSQL allows."""
    connection = await asyncpg.connect(
        host=environ["POSTGRES_HOST"],
        port=int(environ.get("POSTGRES_PORT", "5432")),
        user=environ.get("POSTGRES_USER", "postgres"),
        password=environ.get("POSTGRES_PASSWORD", ""),
        database=environ.get("POSTGRES_DB", "memorable"),
        timeout=_CONNECT_SECONDS,
    )
    try:
        return int(await connection.fetchval("SHOW max_connections"))
    finally:
        await connection.close()


def require_room(max_connections: int, workers: int, pool_size: int) -> None:
    """Raise InfraError unless pools of a size that is set fit, in the subgraphs and in the workers."""
    needed = RESERVED + len(DOMAINS) * pool_size + workers * (len(DOMAINS) * pool_size + 1)
    if needed > max_connections:
        raise InfraError(
            f"POSTGRES_POOL_SIZE={pool_size} needs {needed} connections with {workers} workers,"
            f" and PostgreSQL allows {max_connections} (max_connections)."
        )


def compute_worker_pool_size(max_connections: int, workers: int) -> int:
    """Compute the connections of a worker to each domain.

    A subgraph has one pool, a worker one for each domain and a connection that listens. With five domains
    and a limit of 200, there are 200 - 10 - 5 * 8 = 150 connections for workers: one worker has the default
    of 8 for each domain, as 5 * 8 + 1 = 41 fit; eight workers have 3, as 8 * (5 * 3 + 1) = 128 fit.

    Raises:
        InfraError: So many workers would have less than the minimum.
    """
    free = max_connections - RESERVED - len(DOMAINS) * DEFAULT_POOL_SIZE
    size = min(DEFAULT_POOL_SIZE, (free // max(workers, 1) - 1) // len(DOMAINS))
    if size < MIN_POOL_SIZE:
        most = free // (MIN_POOL_SIZE * len(DOMAINS) + 1)
        raise InfraError(
            f"PostgreSQL allows {max_connections} connections (max_connections), which are enough for"
            f" {max(most, 0)} workers, not for {workers}."
        )
    return size

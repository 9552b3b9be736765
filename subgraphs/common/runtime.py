"""The open resources of a domain, in the process of a subgraph or of a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis
from sqlalchemy import MetaData

from subgraphs.common.clock import Clock, utc_now
from subgraphs.common.database import Database
from subgraphs.common.graph import GraphClient
from subgraphs.common.live import LiveStreams
from subgraphs.common.manifest import Domain
from subgraphs.common.redis import open_redis
from subgraphs.common.settings import DomainSettings, SettingsType
from subgraphs.common.storage import Storage
from subgraphs.common.unit_of_work import UnitOfWork, open_unit_of_work


@dataclass(frozen=True, slots=True)
class Runtime:
    """The resources of a domain, opened once and passed to every use case."""

    domain: Domain
    settings: DomainSettings
    database: Database
    redis: Redis
    live: LiveStreams
    storage: Storage
    graph: GraphClient
    clock: Clock

    @property
    def metadata(self) -> MetaData:
        """The domain's tables."""
        return self.domain.metadata

    def get_settings(self, kind: type[SettingsType]) -> SettingsType:
        """Return the settings as an instance of the domain's own class."""
        assert isinstance(self.settings, kind)
        return self.settings

    def unit_of_work(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open the transaction of a mutation or of a task."""
        return open_unit_of_work(self.database, self.metadata, self.clock)


@asynccontextmanager
async def open_runtime(
    domain: Domain, settings: DomainSettings, clock: Clock = utc_now
) -> AsyncIterator[Runtime]:
    """Open a domain's resources until the context exits; connections are made when they are first used."""
    database = Database(settings.build_database_url(domain.role), domain.name, settings.postgres_pool_size)
    redis = open_redis(settings.redis_url)
    live = LiveStreams(redis, timedelta(days=settings.live_retention_days))
    graph = GraphClient(settings.graph_address, settings.outgoing_ca_file)
    storage = Storage(settings.storage_url, settings.files_url, settings.file_signing_key.get_secret_value())
    try:
        yield Runtime(domain, settings, database, redis, live, storage, graph, clock)
    finally:
        await live.close()
        await graph.close()
        await redis.aclose()
        await database.close()

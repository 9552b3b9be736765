"""The databases of the platform's domains, for commands that read and change them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from infra.checkout import DATA_DIR
from infra.database import Database as PlatformDatabase
from infra.errors import InfraError
from infra.local.connection_pools import MIN_POOL_SIZE
from infra.local.state import open_database_settings
from subgraphs.common.clock import utc_now
from subgraphs.common.database import Database
from subgraphs.common.manifest import Domain
from subgraphs.common.unit_of_work import UnitOfWork, open_unit_of_work
from subgraphs.domains import DOMAINS

Result = TypeVar("Result")
Action = Callable[[UnitOfWork, Domain], Awaitable[Result]]


def run_in_domain(name: str, action: Action[Result]) -> Result:
    """Run an action in a unit of work of one domain.

    Raises:
        InfraError: The database cannot be used.
    """
    with open_database_settings(DATA_DIR) as settings:
        return asyncio.run(_run(PlatformDatabase.from_environ(settings), DOMAINS[name], action))


def run_in_all_domains(action: Action[Result]) -> dict[str, Result]:
    """Run an action in a unit of work of each domain; return the results by domain.

    Raises:
        InfraError: A database cannot be used.
    """

    async def run_all(platform: PlatformDatabase) -> dict[str, Result]:
        return {name: await _run(platform, domain, action) for name, domain in DOMAINS.items()}

    with open_database_settings(DATA_DIR) as settings:
        return asyncio.run(run_all(PlatformDatabase.from_environ(settings)))


async def _run(platform: PlatformDatabase, domain: Domain, action: Action[Result]) -> Result:
    database = Database(platform.build_url(domain.name), domain.name, MIN_POOL_SIZE)
    try:
        async with open_unit_of_work(database, domain.metadata, utc_now) as uow:
            return await action(uow, domain)
    except (OSError, SQLAlchemyError) as error:
        raise InfraError(f"The database of {domain.name} cannot be used. Run: memorable db check") from error
    finally:
        await database.close()

"""Migrations create exactly the tables of the models, and can be downgraded."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from alembic import command

from subgraphs.common import migrations
from subgraphs.domains import DOMAINS
from tests.support.subgraph import build_settings


@pytest.mark.parametrize("domain", DOMAINS)
def test_migrations_create_the_tables_of_the_models(servers: Mapping[str, str], domain: str) -> None:
    command.check(
        migrations.build_config(
            domain, build_settings(domain, servers).build_database_url(DOMAINS[domain].role)
        )
    )


@pytest.mark.parametrize("domain", DOMAINS)
def test_migrations_can_be_downgraded_and_upgraded_again(servers: Mapping[str, str], domain: str) -> None:
    config = migrations.build_config(
        domain, build_settings(domain, servers).build_database_url(DOMAINS[domain].role)
    )
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    command.check(config)

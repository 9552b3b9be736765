"""Migrations: they make exactly the tables that the code knows, and can be taken back."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from alembic import command

from subgraphs.common import migrations
from subgraphs.domains import DOMAINS
from tests.support.subgraph import settings_of


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_tables_are_those_of_the_code(servers: Mapping[str, str], domain: str) -> None:
    command.check(
        migrations.build_config(domain, settings_of(domain, servers).build_database_url(DOMAINS[domain].role))
    )


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_migration_can_be_taken_back_and_made_again(servers: Mapping[str, str], domain: str) -> None:
    config = migrations.build_config(
        domain, settings_of(domain, servers).build_database_url(DOMAINS[domain].role)
    )
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    command.check(config)

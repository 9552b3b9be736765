"""The platform's database: the privileges of each domain's role, migration and reset."""

import asyncio

import asyncpg
import pytest

from infra import database
from infra.database import Database
from infra.errors import InfraError
from infra.local import Servers
from subgraphs.domains import DOMAINS


async def connect_as(domain: str, environ, name: str | None = None) -> asyncpg.Connection:
    return await asyncpg.connect(
        host=environ["POSTGRES_HOST"],
        port=int(environ["POSTGRES_PORT"]),
        user=DOMAINS[domain].role,
        password=environ[f"{domain.upper()}_POSTGRES_PASSWORD"],
        database=name or environ["POSTGRES_DB"],
    )


@pytest.mark.parametrize("domain", DOMAINS)
async def test_a_role_owns_its_schema_and_reads_no_other(servers, domain):
    owner = await Database.from_environ(servers).connect()
    tables = await owner.fetch(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema = ANY($1)",
        list(DOMAINS),
    )
    await owner.close()
    assert {table["table_schema"] for table in tables} == set(DOMAINS)
    role = await connect_as(domain, servers)
    readable = set()
    for table in tables:
        try:
            await role.execute(f'TABLE "{table["table_schema"]}"."{table["table_name"]}" LIMIT 1')
            readable.add(table["table_schema"])
        except asyncpg.InsufficientPrivilegeError:
            pass
    await role.close()
    assert readable == {domain}


async def test_a_role_cannot_create_outside_its_schema(servers):
    role = await connect_as("print", servers)
    for statement in (
        "CREATE TABLE public.mine (id int)",
        "CREATE TABLE books.mine (id int)",
        "CREATE SCHEMA mine",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await role.execute(statement)
    await role.close()


async def test_a_role_cannot_log_in_with_another_roles_password(servers):
    swapped = {**servers, "BOOKS_POSTGRES_PASSWORD": servers["AUTH_POSTGRES_PASSWORD"]}
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect_as("books", swapped)


def test_check_reports_each_domains_revision(servers):
    revisions = database.check(servers)
    assert list(revisions) == list(DOMAINS)
    assert all(revision.startswith("0") for revision in revisions.values())


def test_check_reports_a_role_that_cannot_connect(servers):
    wrong = {**servers, "AI_POSTGRES_PASSWORD": "guess"}
    assert (
        database.check(wrong)["ai"]
        == 'cannot connect: password authentication failed for user "memorable_ai"'
    )


def test_migrating_again_changes_only_changed_passwords(servers):
    before = database.check(servers)
    changed = {**servers, "PRINT_POSTGRES_PASSWORD": 'it\'s "quoted" \\ and long'}
    database.migrate(changed)
    assert database.check(changed) == before
    database.migrate(servers)
    assert database.check(servers) == before


def test_a_missing_password_is_named():
    with pytest.raises(InfraError, match=r"Set AUTH_POSTGRES_PASSWORD, .*PRINT_POSTGRES_PASSWORD"):
        Database.from_environ({})


def test_an_unreachable_server_is_reported_with_its_settings(servers):
    unreachable = {**servers, "POSTGRES_PORT": "1"}
    with pytest.raises(InfraError, match=r"PostgreSQL at 127.0.0.1:1 \(POSTGRES_HOST, POSTGRES_PORT\)"):
        database.migrate(unreachable)


def test_reset_leaves_an_empty_migrated_database(tmp_path):
    with Servers(tmp_path, durable=False) as own:
        database.migrate(own.environ)
        asyncio.run(_create_table(own.environ))
        database.reset(own.environ)
        assert asyncio.run(_count_tables(own.environ)) == 0


async def _create_table(environ) -> None:
    role = await connect_as("books", environ)
    await role.execute("CREATE TABLE books.leftover (id int)")
    await role.close()


async def _count_tables(environ) -> int:
    role = await connect_as("books", environ)
    count = await role.fetchval("SELECT count(*) FROM pg_tables WHERE tablename = 'leftover'")
    await role.close()
    return int(count)

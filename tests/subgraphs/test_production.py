"""Production: required secrets, and what is hidden from clients."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from subgraphs.domains import DOMAINS
from tests.support.subgraph import build_settings, run_subgraph
from tests.support.tokens import write_signing_key

PASSWORDS = {domain.password_variable for domain in DOMAINS.values()}
SECRETS = {
    "auth": {"AUTH_POSTGRES_PASSWORD", "SERVICE_TOKEN", "AUTH_SIGNING_KEY_FILE"},
    "books": {"BOOKS_POSTGRES_PASSWORD", "SERVICE_TOKEN", "FILE_SIGNING_KEY"},
    "ai": {"AI_POSTGRES_PASSWORD", "SERVICE_TOKEN"},
    "orders": {"ORDERS_POSTGRES_PASSWORD", "SERVICE_TOKEN"},
    "print": {"PRINT_POSTGRES_PASSWORD", "SERVICE_TOKEN"},
    "worker": {"FILE_SIGNING_KEY", *PASSWORDS},
}
INTROSPECTION = "{ __schema { description } }"


@pytest.mark.parametrize("process", [*DOMAINS, "worker"])
def test_a_process_does_not_start_without_its_secrets_and_names_them_all(process: str) -> None:
    module = ["workers"] if process == "worker" else ["subgraphs", process]
    environ = {"PATH": os.environ["PATH"], "ENVIRONMENT": "production"}
    ended = subprocess.run(
        [sys.executable, "-m", *module], env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    named = {line.strip().partition(":")[0] for line in ended.stderr.splitlines()[1:]}
    assert named == {"REDIS_PASSWORD"} | SECRETS[process]


@pytest.mark.parametrize("password", ["", "development", "x" * 15])
def test_a_weak_password_does_not_count_as_a_secret(servers: Mapping[str, str], password: str) -> None:
    given = {**servers} | {"ENVIRONMENT": "production", "BOOKS_POSTGRES_PASSWORD": password}
    needed = ["postgres_password", "redis_password"]
    assert build_settings("books", given).find_missing_secrets(needed) == ["BOOKS_POSTGRES_PASSWORD"]
    assert build_settings("ai", given).find_missing_secrets(needed) == []
    assert build_settings("books", given | {"ENVIRONMENT": "development"}).find_missing_secrets(needed) == []


@pytest.mark.parametrize("domain", DOMAINS)
async def test_the_schema_is_hidden_in_production(
    servers: Mapping[str, str], tmp_path: Path, domain: str
) -> None:
    key = {"AUTH_SIGNING_KEY_FILE": str(write_signing_key(tmp_path))}
    async with run_subgraph(domain, {**servers, **key} | {"ENVIRONMENT": "production"}) as production:
        answer = await production.execute(INTROSPECTION)
        assert (answer.data, answer.code) == (None, "GRAPHQL_VALIDATION_FAILED")
        assert (await production.execute("{ __typename }")).ok == {"__typename": "Query"}
    async with run_subgraph(domain, {**servers, **key}) as development:
        assert (await development.execute(INTROSPECTION)).ok == {"__schema": {"description": None}}


async def test_a_browser_gets_no_page(servers: Mapping[str, str]) -> None:
    async with run_subgraph("print", servers) as client:
        response = await client.http.get("/graphql", headers={"accept": "text/html"})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"

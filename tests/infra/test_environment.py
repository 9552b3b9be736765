"""Which settings each process is given."""

import re

import pytest

from infra.checkout import ROOT
from infra.local import environment
from infra.local.environment import (
    given_settings,
    migration_environ,
    router_environ,
    subgraph_environ,
    worker_environ,
)
from subgraphs.domains import DOMAINS

PASSWORDS = {domain.password_variable for domain in DOMAINS.values()}


def names(environ: dict[str, str]) -> set[str]:
    return set(environ)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_subgraph_knows_its_own_password_and_no_other(servers, domain):
    given = names(subgraph_environ(domain, servers))
    assert given & PASSWORDS == {f"{domain.upper()}_POSTGRES_PASSWORD"}
    assert "POSTGRES_PASSWORD" not in given


def test_only_auth_knows_the_signing_key(servers):
    knowing = {domain for domain in DOMAINS if "AUTH_SIGNING_KEY_FILE" in subgraph_environ(domain, servers)}
    assert knowing == {"auth"}
    assert "AUTH_SIGNING_KEY_FILE" not in worker_environ(servers, 1)


def test_providers_keys_go_to_those_who_call_them(servers):
    settings = {**servers, "OPENAI_API_KEY": "sk-1", "STRIPE_API_KEY": "sk-2"}
    assert "OPENAI_API_KEY" in subgraph_environ("ai", settings)
    assert "STRIPE_API_KEY" in subgraph_environ("orders", settings)
    assert names(subgraph_environ("books", settings)).isdisjoint({"OPENAI_API_KEY", "STRIPE_API_KEY"})


def test_the_router_knows_no_secret_of_ours(servers):
    own = {"ROUTER_MAX_DEPTH": "9", "OTEL_TRACES_EXPORTER": "console", "BOOKS_URL": "http://b"}
    given = names(router_environ(servers | own))
    assert "SERVICE_TOKEN" in given, "what the subgraphs know it by is its only one"
    assert not [name for name in given if "PASSWORD" in name or "KEY" in name or name.startswith("POSTGRES")]
    assert given >= own.keys()


def test_only_the_migrations_know_the_owner_of_the_database(servers):
    assert migration_environ(servers)["POSTGRES_PASSWORD"] == servers["POSTGRES_PASSWORD"]
    assert "POSTGRES_PASSWORD" not in worker_environ(servers, 1)


def test_nothing_else_of_the_shell_is_passed_on(servers, monkeypatch):
    monkeypatch.setenv("SOMETHING_PRIVATE", "1")
    assert "SOMETHING_PRIVATE" not in subgraph_environ("auth", servers)


def test_the_process_environment_wins_over_the_env_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("API_PORT=4000\nLOG_LEVEL=debug\nPOSTGRES_HOST=\nUNKNOWN=1\n")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setenv("API_PORT", "5000")
    monkeypatch.setenv("REDIS_HOST", "")
    given = given_settings()
    assert (given["API_PORT"], given["LOG_LEVEL"]) == ("5000", "debug")
    assert names(given).isdisjoint({"POSTGRES_HOST", "REDIS_HOST", "UNKNOWN"})


def test_the_example_names_every_setting_of_the_processes():
    example = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    kinds = [domain.settings for domain in DOMAINS.values()]
    assert {kind.variable(name) for kind in kinds for name in kind.model_fields} - example == set()

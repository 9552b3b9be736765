"""The environment of each process."""

import re

import pytest
from dotenv import dotenv_values

from infra.checkout import ROOT
from infra.commands.config import list_settings
from infra.local import environment
from infra.local.environment import (
    build_migration_environ,
    build_router_environ,
    build_subgraph_environ,
    build_worker_environ,
    read_settings,
)
from subgraphs.domains import DOMAINS

PASSWORDS = {domain.password_variable for domain in DOMAINS.values()}


def list_names(environ: dict[str, str]) -> set[str]:
    return set(environ)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_subgraph_receives_its_own_password_only(servers, domain):
    given = list_names(build_subgraph_environ(domain, servers))
    assert given & PASSWORDS == {f"{domain.upper()}_POSTGRES_PASSWORD"}
    assert "POSTGRES_PASSWORD" not in given


def test_only_auth_receives_the_signing_key(servers):
    domains = {
        domain for domain in DOMAINS if "AUTH_SIGNING_KEY_FILE" in build_subgraph_environ(domain, servers)
    }
    assert domains == {"auth"}
    assert "AUTH_SIGNING_KEY_FILE" not in build_worker_environ(servers, 1)


def test_only_the_calling_domain_receives_a_providers_secrets(servers):
    secrets = {"OPENAI_API_KEY": "sk-1", "OFFLINE_PAYMENTS_WEBHOOK_SECRET": "whsec-2"}
    given = {
        domain: list_names(build_subgraph_environ(domain, servers | secrets)) & secrets.keys()
        for domain in DOMAINS
    }
    assert given["ai"] == {"OPENAI_API_KEY"}
    assert given["orders"] == {"OFFLINE_PAYMENTS_WEBHOOK_SECRET"}
    assert not given["auth"] | given["books"] | given["print"]


def test_every_setting_of_subgraphs_and_workers_is_read():
    sources = [*ROOT.glob("subgraphs/**/*.py"), *ROOT.glob("workers/**/*.py")]
    read = set(re.findall(r"\.([a-z_]+)\b", "\n".join(each.read_text() for each in sources)))
    fields = {field for domain in DOMAINS.values() for field in domain.settings.model_fields}
    assert fields - read == set()


def test_the_router_receives_no_secret_but_the_service_token(servers):
    own = {"ROUTER_MAX_DEPTH": "9", "OTEL_TRACES_EXPORTER": "console", "BOOKS_URL": "http://b"}
    given = list_names(build_router_environ(servers | own))
    assert "SERVICE_TOKEN" in given, "subgraphs identify the router by it"
    assert not [name for name in given if "PASSWORD" in name or "KEY" in name or name.startswith("POSTGRES")]
    assert given >= own.keys()


def test_only_the_migrations_receive_the_database_owners_password(servers):
    assert build_migration_environ(servers)["POSTGRES_PASSWORD"] == servers["POSTGRES_PASSWORD"]
    assert "POSTGRES_PASSWORD" not in build_worker_environ(servers, 1)


def test_other_variables_are_not_inherited(servers, monkeypatch):
    monkeypatch.setenv("SOMETHING_PRIVATE", "1")
    assert "SOMETHING_PRIVATE" not in build_subgraph_environ("auth", servers)


def test_the_process_environment_overrides_the_env_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("API_PORT=4000\nLOG_LEVEL=debug\nPOSTGRES_HOST=\nUNKNOWN=1\n")
    monkeypatch.setattr(environment, "ENV_FILE", tmp_path / ".env")
    monkeypatch.setenv("API_PORT", "5000")
    monkeypatch.setenv("REDIS_HOST", "")
    given = read_settings()
    assert (given["API_PORT"], given["LOG_LEVEL"]) == ("5000", "debug")
    assert list_names(given).isdisjoint({"POSTGRES_HOST", "REDIS_HOST", "UNKNOWN"})


def test_the_example_file_lists_every_setting():
    example = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    kinds = [domain.settings for domain in DOMAINS.values()]
    assert {kind.get_variable(name) for kind in kinds for name in kind.model_fields} - example == set()


def test_the_example_file_copied_unchanged_changes_nothing(monkeypatch):
    defaults = list_settings({})
    for name, value in dotenv_values(ROOT / ".env.example").items():
        monkeypatch.setenv(name, value)
    assert list_settings({}) == defaults


def test_every_setting_reaches_a_process():
    kinds = [domain.settings for domain in DOMAINS.values()]
    variables = {kind.get_variable(name) for kind in kinds for name in kind.model_fields}
    settings = dict.fromkeys(variables, "given")
    environs = [environment.build_subgraph_environ(domain, settings) for domain in DOMAINS]
    environs.append(environment.build_worker_environ(settings, 1))
    # The local platform chooses a free port for the metrics of each process.
    assert variables - {name for environ in environs for name in environ} == {"METRICS_PORT"}

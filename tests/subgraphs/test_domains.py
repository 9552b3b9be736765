"""The manifests of domains agree with all other lists of domains, and common knows no domain."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from infra.checkout import ROOT
from subgraphs.domains import DOMAINS, load_subgraph_settings, load_worker_settings

HEAVY = ("graphql", "sqlalchemy", "starlette", "strawberry")


def test_every_package_of_subgraphs_but_common_is_a_domain() -> None:
    packages = {path.parent.name for path in (ROOT / "subgraphs").glob("*/__init__.py")}
    assert packages - {"common"} == set(DOMAINS)


@pytest.mark.parametrize("name", DOMAINS)
def test_the_tables_of_a_domain_are_in_the_schema_of_its_name(name: str) -> None:
    assert DOMAINS[name].name == DOMAINS[name].metadata.schema == name


def test_manifests_are_found_without_tables_schemas_or_applications() -> None:
    program = f"import sys, subgraphs.domains; print(*sys.modules.keys() & {HEAVY})"
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    assert found.stdout.split() == []


def test_the_url_of_a_domain_is_at_its_port_unless_a_setting_overrides_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTH_SERVICE_PORT", "4001")
    settings = load_subgraph_settings(DOMAINS["print"])
    assert settings.jwks_url == "http://127.0.0.1:4001/.well-known/jwks.json"
    monkeypatch.setenv("JWKS_URL", "https://keys.example")
    assert load_subgraph_settings(DOMAINS["print"]).jwks_url == "https://keys.example"


def test_files_have_the_public_address_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "4000")
    assert load_subgraph_settings(DOMAINS["print"]).files_url == "http://localhost:4000/files"
    monkeypatch.setenv("PUBLIC_URL", "https://books.example/")
    assert load_subgraph_settings(DOMAINS["print"]).files_url == "https://books.example/files"


def test_an_invalid_port_ends_every_process_that_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_SERVICE_PORT", "abc")
    with pytest.raises(SystemExit, match="AUTH_SERVICE_PORT: "):
        load_subgraph_settings(DOMAINS["books"])
    with pytest.raises(SystemExit, match="AUTH_SERVICE_PORT: "):
        load_worker_settings()


@pytest.mark.parametrize("variable", ["AI_WRITER", "METRICS_PORT", "POSTGRES_POOL_SIZE", "OUTGOING_CA_FILE"])
def test_an_empty_setting_counts_as_unset(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "")
    load_worker_settings()
    load_subgraph_settings(DOMAINS["ai"])


def test_a_file_or_a_store_that_cannot_be_used_ends_the_process_with_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for path in (tmp_path / "missing.pem", empty):
        monkeypatch.setenv("OUTGOING_CA_FILE", str(path))
        monkeypatch.setenv("STORAGE_URL", "/var/files")
        with pytest.raises(SystemExit) as ended:
            load_worker_settings()
        named = [line.strip().partition(":")[0] for line in str(ended.value).splitlines()[1:]]
        assert named == ["OUTGOING_CA_FILE", "STORAGE_URL"]


def test_supergraph_yaml_names_every_domain_at_its_port() -> None:
    config = yaml.safe_load((ROOT / "supergraph.yaml").read_text())
    assert config["subgraphs"] == {
        domain.name: {
            "routing_url": f"http://127.0.0.1:{domain.port}/graphql",
            "schema": {"file": f"./schema/{domain.name}.graphql"},
        }
        for domain in DOMAINS.values()
    }


def test_the_import_contracts_name_every_domain() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = {each["name"]: each for each in project["tool"]["importlinter"]["contracts"]}
    packages = [f"subgraphs.{name}" for name in DOMAINS]
    independence = contracts["A domain imports another domain's events and nothing else of it"]
    floors = contracts["A floor of a domain imports only what stands below it"]
    stack = contracts["Workers orchestrate domains; domains stand on common"]
    assert independence["modules"] == floors["containers"] == packages
    assert " : ".join(packages) in stack["layers"]


def test_the_example_environment_names_every_domain() -> None:
    example = (ROOT / ".env.example").read_text()
    for domain in DOMAINS.values():
        assert f"{domain.port_variable}={domain.port}\n" in example
        assert f"{domain.url_variable}=http://127.0.0.1:{domain.port}/graphql\n" in example


@pytest.mark.parametrize(
    "module", sorted((ROOT / "subgraphs/common").glob("*.py")), ids=lambda each: each.stem
)
def test_common_does_not_mention_any_domain(module: Path) -> None:
    names = "|".join(DOMAINS)
    assert re.findall(rf"[\"']({names})[\"']|subgraphs\.({names})\b|\b({names})_", module.read_text()) == []

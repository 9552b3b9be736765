"""The import contracts: the code keeps each of them, and each detects an import that breaks it."""

import ast
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract
from importlinter.domain.contract import Contract

from infra.checkout import ROOT

TYPES: dict[str, type[Any]] = {
    "forbidden": ForbiddenContract,
    "independence": IndependenceContract,
    "layers": LayersContract,
}
CONFIGURATION = read_configuration(str(ROOT / "pyproject.toml"))
CONTRACTS = {options["name"]: options for options in CONFIGURATION["contracts_options"]}

# For each contract, an import that it forbids.
FORBIDDEN_IMPORTS = {
    "Workers orchestrate domains; domains stand on common": (
        "subgraphs.common.clock",
        "subgraphs.books.models",
    ),
    "The router stands alone": ("router.config.settings", "subgraphs.common.settings"),
    "Nothing imports infra or the router": ("subgraphs.common.settings", "infra.checkout"),
    "A domain imports another domain's events and nothing else of it": (
        "subgraphs.ai.models",
        "subgraphs.books.models",
    ),
    "A floor of a domain imports only what stands below it": (
        "subgraphs.books.repository",
        "subgraphs.books.service",
    ),
    "An edge parses, calls a use case and maps: it knows nothing below the service": (
        "subgraphs.ai.mutations",
        "subgraphs.ai.providers.choice",
    ),
    "Use cases, SQL and tables know neither Strawberry nor Starlette": (
        "subgraphs.books.models",
        "strawberry",
    ),
    "A floor of the router imports only what stands below it": ("router.planner.plan", "router.executor.run"),
    "The network towards subgraphs stands on the configuration alone": (
        "router.transport.retries",
        "router.planner.plan",
    ),
    "Neither the edge, nor policies, nor planning speak to subgraphs": (
        "router.server.http",
        "router.transport.base",
    ),
    "The planner does no I/O": ("router.planner.plan", "asyncio"),
}


@cache
def build_import_graph() -> grimp.ImportGraph:
    """The imports of the code today."""
    packages = CONFIGURATION["session_options"]["root_packages"]
    return grimp.build_graph(*packages, include_external_packages=True, cache_dir=None)


def build_contract(name: str) -> Contract:
    options = CONTRACTS[name]
    checker: Contract = TYPES[options["type"]](name, CONFIGURATION["session_options"], options)
    return checker


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_code_keeps_the_contract(name):
    assert build_contract(name).check(deepcopy(build_import_graph()), verbose=False).kept


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_contract_notices_a_forbidden_import(name):
    importer, imported = FORBIDDEN_IMPORTS[name]
    broken = deepcopy(build_import_graph())
    assert importer in broken.modules
    if imported not in broken.modules:
        broken.add_module(imported, is_squashed=True)
    broken.add_import(importer=importer, imported=imported)
    assert not build_contract(name).check(broken, verbose=False).kept


def test_the_imports_have_no_cycles():
    packages = tuple(f"{name}." for name in CONFIGURATION["session_options"]["root_packages"])
    own = {module for module in build_import_graph().modules if module.startswith(packages)}
    imports = {each: build_import_graph().find_modules_directly_imported_by(each) & own for each in own}
    # It raises an error that names the modules of a circle.
    assert {*TopologicalSorter(imports).static_order()} == own


EDGES = {"queries", "mutations", "subscriptions", "routes"}
BELOW_AN_EDGE = {"errors", "inputs", "loaders", "results", "service", "types"}
ABOVE_AN_EDGE = {"app", "schema"}


def test_the_contract_of_the_edges_names_every_module_that_an_edge_must_not_import():
    options = CONTRACTS["An edge parses, calls a use case and maps: it knows nothing below the service"]
    forbidden = {
        module
        for expression in options["forbidden_modules"]
        for module in build_import_graph().find_matching_modules(expression)
    }
    others = {
        f"{domain}.{name}"
        for domain in CONTRACTS["A floor of a domain imports only what stands below it"]["containers"]
        for name in {
            module.removeprefix(f"{domain}.") for module in build_import_graph().find_children(domain)
        }
        - (EDGES | BELOW_AN_EDGE | ABOVE_AN_EDGE)
    }
    assert forbidden == others


def test_a_domain_may_import_another_domains_events():
    name = "A domain imports another domain's events and nothing else of it"
    allowed = deepcopy(build_import_graph())
    allowed.add_import(importer="subgraphs.ai.models", imported="subgraphs.books.events")
    assert build_contract(name).check(allowed, verbose=False).kept


TESTS = ROOT / "tests"


def find_imported_modules(source: str) -> Iterator[str]:
    """The modules of the tests that a source imports; of a package's names, those that are modules."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                yield from (each.name for each in names if each.name.split(".")[0] == "tests")
            case ast.ImportFrom(str(package), names, 0) if package.split(".")[0] == "tests":
                for each in names:
                    module = f"{package}.{each.name}"
                    path = ROOT.joinpath(*module.split("."))
                    is_module = path.is_dir() or path.with_suffix(".py").is_file()
                    yield module if is_module else package


def is_allowed(importer: str, imported: str) -> bool:
    """Whether a test module may import another: from `tests.support`, or a helper of an enclosing package."""
    package, _, name = imported.rpartition(".")
    if name.startswith("test_"):
        return False
    return f"{imported}.".startswith("tests.support.") or importer.startswith(f"{package}.")


def find_forbidden_imports(importer: str, source: str) -> list[str]:
    return [module for module in find_imported_modules(source) if not is_allowed(importer, module)]


def test_tests_share_helpers_through_their_package_or_support():
    files = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in TESTS.rglob("*.py")}
    forbidden = {name: find_forbidden_imports(name, file.read_text()) for name, file in files.items()}
    assert {name: modules for name, modules in forbidden.items() if modules} == {}


@pytest.mark.parametrize(
    ("source", "forbidden"),
    [
        ("from tests.workers.test_relay import publish", ["tests.workers.test_relay"]),
        ("from tests.workers import test_relay", ["tests.workers.test_relay"]),
        ("import tests.workers.test_relay", ["tests.workers.test_relay"]),
        ("from tests.e2e.parent_client import ParentClient", ["tests.e2e.parent_client"]),
        ("from tests.router.edge import raw_http", ["tests.router.edge.raw_http"]),
        ("from tests.router.running_library import run_library", ["tests.router.running_library"]),
        ("from tests.support.pictures import build_png", []),
        ("from tests.support import pictures", []),
        ("from tests.workers.harness import HoldStill", []),
        ("from tests.workers import harness", []),
        ("from tests.workers.conftest import queue", []),
    ],
)
def test_a_forbidden_import_between_tests_is_noticed(source: str, forbidden: list[str]):
    assert find_forbidden_imports("tests.workers.test_print", source) == forbidden


def test_a_test_may_import_helpers_of_an_enclosing_package():
    source = (
        "from tests.router.library import SUPERGRAPH\nfrom tests.router.server.event_streams import EXPECTED"
    )
    assert find_forbidden_imports("tests.router.server.test_sse", source) == []

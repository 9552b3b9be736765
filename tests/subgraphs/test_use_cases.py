"""Use cases have the same signature in all domains: the runtime, then the caller or a unit of work."""

from collections.abc import Callable
from importlib import import_module
from inspect import getmembers, isasyncgenfunction, iscoroutinefunction, isfunction, signature
from pkgutil import iter_modules
from typing import Any

import pytest

from subgraphs.domains import DOMAINS


def use_cases(domain: str) -> list[Callable[..., Any]]:
    service = import_module(f"subgraphs.{domain}.service")
    exported = (getattr(service, name) for name in service.__all__)
    return [each for each in exported if iscoroutinefunction(each) or isasyncgenfunction(each)]


def functions_of_service(domain: str) -> list[Callable[..., Any]]:
    service = import_module(f"subgraphs.{domain}.service")
    modules = [import_module(f"{service.__name__}.{each.name}") for each in iter_modules(service.__path__)]
    return [
        function
        for module in modules
        for _, function in getmembers(module, isfunction)
        if function.__module__ == module.__name__
    ]


@pytest.mark.parametrize(
    "use_case", [case for domain in DOMAINS for case in use_cases(domain)], ids=lambda case: case.__name__
)
def test_a_use_case_takes_the_runtime_and_then_the_caller(use_case: Callable[..., Any]) -> None:
    first, *others = signature(use_case).parameters.values()
    assert (first.name, first.annotation) == ("runtime", "Runtime")
    second = [each.name for each in others if each.annotation in {"Identity", "UnitOfWork"}]
    assert second in [[], [others[0].name]]
    assert not {"session", "context", "live", "graph"} & {each.name for each in others}


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_runtime_comes_first_and_a_unit_of_work_next_in_every_function_of_a_service(domain: str) -> None:
    for function in functions_of_service(domain):
        names = [*signature(function).parameters]
        contexts = [name for name in ("runtime", "uow") if name in names]
        assert names[: len(contexts)] == contexts, function.__qualname__

"""Use cases have the same signature in all domains: the runtime, then the caller or a unit of work."""

from collections.abc import Callable
from importlib import import_module
from inspect import isasyncgenfunction, iscoroutinefunction, signature
from typing import Any

import pytest

from subgraphs.domains import DOMAINS


def use_cases(domain: str) -> list[Callable[..., Any]]:
    service = import_module(f"subgraphs.{domain}.service")
    exported = (getattr(service, name) for name in service.__all__)
    return [each for each in exported if iscoroutinefunction(each) or isasyncgenfunction(each)]


@pytest.mark.parametrize(
    "use_case", [case for domain in DOMAINS for case in use_cases(domain)], ids=lambda case: case.__name__
)
def test_a_use_case_takes_the_runtime_and_then_the_caller(use_case: Callable[..., Any]) -> None:
    first, *others = signature(use_case).parameters.values()
    assert (first.name, first.annotation) == ("runtime", "Runtime")
    second = [each.name for each in others if each.annotation in {"Identity", "UnitOfWork"}]
    assert second in [[], [others[0].name]]
    assert not {"session", "context", "live", "graph"} & {each.name for each in others}

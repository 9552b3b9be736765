"""The registry of providers: new rows take the preferred one, and every row keeps its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from subgraphs.common.providers import ProviderFactory, ProviderNotConfigured, ProviderRegistry
from subgraphs.common.runtime import Runtime


def create_factory(provider: str, *, is_configured: bool) -> ProviderFactory[str]:
    @asynccontextmanager
    async def open_provider(_: Runtime) -> AsyncIterator[str]:
        yield provider

    return ProviderFactory(open_provider, lambda _: is_configured)


def create_registry(*, has_key: bool) -> ProviderRegistry[str]:
    factories = {
        "stripe": create_factory("Stripe", is_configured=has_key),
        "offline": create_factory("offline payments", is_configured=True),
    }
    return ProviderRegistry("payment provider", factories)


async def test_new_rows_take_the_first_provider_that_is_configured(runtime: Runtime) -> None:
    assert create_registry(has_key=True).get_default_name(runtime) == "stripe"
    assert create_registry(has_key=False).get_default_name(runtime) == "offline"


async def test_a_row_keeps_its_provider_whatever_new_rows_take(runtime: Runtime) -> None:
    async with create_registry(has_key=True).open(runtime, "offline") as provider:
        assert provider == "offline payments"


@pytest.mark.parametrize("name", ["stripe", "adyen"])
async def test_a_provider_that_is_not_configured_is_named(runtime: Runtime, name: str) -> None:
    with pytest.raises(ProviderNotConfigured, match=f"The payment provider '{name}' is not configured"):
        create_registry(has_key=False).open(runtime, name)

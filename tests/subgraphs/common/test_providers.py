"""The registry of providers: new rows take the preferred one, and every row keeps its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from subgraphs.common.providers import ProviderFactory, ProviderNotConfigured, ProviderRegistry
from subgraphs.common.runtime import Runtime


def factory(provider: str, *, is_configured: bool) -> ProviderFactory[str]:
    @asynccontextmanager
    async def open_provider(_: Runtime) -> AsyncIterator[str]:
        yield provider

    return ProviderFactory(open_provider, lambda _: is_configured)


def registry(*, has_key: bool) -> ProviderRegistry[str]:
    factories = {
        "stripe": factory("Stripe", is_configured=has_key),
        "offline": factory("offline payments", is_configured=True),
    }
    return ProviderRegistry("payment provider", factories)


async def test_new_rows_take_the_first_provider_that_is_configured(runtime: Runtime) -> None:
    assert registry(has_key=True).default_name(runtime) == "stripe"
    assert registry(has_key=False).default_name(runtime) == "offline"


async def test_a_row_keeps_its_provider_whatever_new_rows_take(runtime: Runtime) -> None:
    async with registry(has_key=True).open(runtime, "offline") as provider:
        assert provider == "offline payments"


@pytest.mark.parametrize("name", ["stripe", "adyen"])
async def test_a_provider_that_is_not_configured_is_named(runtime: Runtime, name: str) -> None:
    with pytest.raises(ProviderNotConfigured, match=f"The payment provider '{name}' is not configured"):
        registry(has_key=False).open(runtime, name)

"""Families at the public endpoint of a running platform."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from infra.local import Stack
from tests.e2e.family import Family, open_client


@dataclass(frozen=True, slots=True)
class Shelf:
    """A parent with a finished book, shared because generating one takes a while."""

    family: Family
    book_id: str


@pytest.fixture(scope="session")
async def filled_shelf(stack: Stack) -> AsyncIterator[Shelf]:
    async with open_client(stack.graphql_url) as parent:
        await parent.sign_up("CHILD_PROFILE", "AI_PROCESSING")
        yield Shelf(parent, await parent.create_finished_book())


@pytest.fixture
async def shelf(filled_shelf: Shelf) -> Shelf:
    """The shared shelf, whose parent has just signed in: a token may expire before the last test."""
    await filled_shelf.family.sign_in()
    return filled_shelf


@pytest.fixture
async def anybody(stack: Stack) -> AsyncIterator[Family]:
    """Somebody without an account."""
    async with open_client(stack.graphql_url) as someone:
        yield someone


@pytest.fixture
async def family(stack: Stack) -> AsyncIterator[Family]:
    """A parent with both consents."""
    async with open_client(stack.graphql_url) as parent:
        await parent.sign_up("CHILD_PROFILE", "AI_PROCESSING")
        yield parent


@pytest.fixture
async def stranger(stack: Stack) -> AsyncIterator[Family]:
    """Another parent."""
    async with open_client(stack.graphql_url) as parent:
        await parent.sign_up("CHILD_PROFILE", "AI_PROCESSING")
        yield parent

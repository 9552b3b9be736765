"""Parents at the public endpoint of a running platform."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from infra.local import Stack
from tests.e2e.parent_client import ParentClient, open_client


@dataclass(frozen=True, slots=True)
class FinishedBook:
    """A parent with a finished book, shared because generating one takes a while."""

    parent: ParentClient
    book_id: str


@pytest.fixture(scope="session")
async def shared_book(stack: Stack) -> AsyncIterator[FinishedBook]:
    async with open_client(stack.graphql_url) as parent:
        await parent.sign_up("CHILD_PROFILE", "AI_PROCESSING")
        yield FinishedBook(parent, await parent.create_finished_book())


@pytest.fixture
async def finished_book(shared_book: FinishedBook) -> FinishedBook:
    """The shared book, whose parent has just signed in: a token may expire before the last test."""
    await shared_book.parent.sign_in()
    return shared_book


@pytest.fixture
async def anybody(stack: Stack) -> AsyncIterator[ParentClient]:
    """Somebody without an account."""
    async with open_client(stack.graphql_url) as someone:
        yield someone


@pytest.fixture
async def parent(stack: Stack) -> AsyncIterator[ParentClient]:
    """A parent with both consents."""
    async with open_client(stack.graphql_url) as parent:
        await parent.sign_up("CHILD_PROFILE", "AI_PROCESSING")
        yield parent


@pytest.fixture
async def stranger(stack: Stack) -> AsyncIterator[ParentClient]:
    """Another parent."""
    async with open_client(stack.graphql_url) as parent:
        await parent.sign_up("CHILD_PROFILE", "AI_PROCESSING")
        yield parent

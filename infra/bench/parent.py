"""A parent who uses the platform through its public endpoint while it is measured."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Any

from infra.demo import documents
from infra.demo.client import GraphClient, UnexpectedResponse, expect

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class GenerationTimings:
    """The times at which events of a generation arrived, in seconds since `generateBook` was sent."""

    first_event: float
    first_words: float
    first_picture: float
    finished: float


class Parent:
    """A parent with one child."""

    def __init__(self, graph: GraphClient) -> None:
        self.graph = graph
        self._child_id = ""

    async def sign_up(self) -> None:
        """Sign up, record consents and create a child."""
        account = {
            "email": f"bench.{secrets.token_hex(6)}@example.com",
            "password": secrets.token_urlsafe(16),
            "displayName": "Bench Parent",
        }
        signed_up = (await self.graph.execute(documents.SIGN_UP, {"input": account}))["signUp"]
        self.graph.token = expect(signed_up, "SignedIn")["tokens"]["accessToken"]
        await self.graph.execute(documents.RECORD_CONSENTS, {"version": "2026-11"})
        details = {"name": "Mila", "birthMonth": "2021-05", "pronouns": "SHE"}
        created = (await self.graph.execute(documents.CREATE_CHILD, {"input": details}))["createChild"]
        self._child_id = expect(created, "Child")["id"]

    async def create_book(self, wish: str) -> str:
        """Create a book and return its id."""
        brief = {"childId": self._child_id, "wish": wish}
        return str((await self.graph.execute(documents.CREATE_BOOK, {"input": brief}))["createBook"]["id"])

    async def start_generation(self, book_id: str) -> str:
        """Start to generate a book; return the id of the generation."""
        result = await self.graph.execute(documents.GENERATE_BOOK, {"bookId": book_id})
        return str(expect(result["generateBook"], "Generation")["id"])

    async def generate(self, book_id: str) -> GenerationTimings:
        """Generate a book and record when its events arrive."""
        started = time.perf_counter()
        generation_id = await self.start_generation(book_id)
        first: dict[str, float] = {}
        events = self.graph.follow(documents.WATCH_GENERATION, "generation", {"id": generation_id})
        async for event in events:
            now = time.perf_counter() - started
            first.setdefault("any", now)
            first.setdefault(event["__typename"], now)
            if event["__typename"] in {"GenerationFailed", "GenerationCancelled"}:
                raise UnexpectedResponse(f"The generation ended with {event['__typename']}.")
        return GenerationTimings(
            first["any"], first["TextDelta"], first["IllustrationReady"], first["GenerationCompleted"]
        )

    async def approve(self, book_id: str) -> str:
        """Approve a book and return the id of its snapshot."""
        book = (await self.graph.execute(documents.READ_BOOK, {"id": book_id}))["book"]
        approval = {"bookId": book_id, "expectedVersion": book["version"]}
        approved = (await self.graph.execute(documents.APPROVE_BOOK, approval))["approveBook"]
        return str(expect(approved, "Snapshot")["id"])

    async def wait_for_print_files(self, snapshot_id: str) -> None:
        """Wait until both print files of a snapshot have been made."""
        while True:
            answer = await self.graph.execute(documents.PRINT_FILES, {"snapshotId": snapshot_id})
            if answer["snapshot"]["interior"] and answer["snapshot"]["cover"]:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def order(self, book_id: str, snapshot_id: str) -> None:
        """Order an approved book and wait until it is shipped, so that every domain has data."""
        variables = {"snapshotId": snapshot_id}
        snapshot = (await self.graph.execute(documents.PRINT_PRODUCTS, variables))["snapshot"]
        product = snapshot["format"]["printProducts"][0]
        quote_input: dict[str, Any] = {
            "bookId": book_id,
            "productId": product["id"],
            "quantity": 1,
            "shippingAddress": documents.ADDRESS,
            "shippingLevel": "MAIL",
        }
        quote = expect(
            (await self.graph.execute(documents.CREATE_QUOTE, {"input": quote_input}))["createQuote"], "Quote"
        )
        purchase = {"quoteId": quote["id"], "attemptKey": secrets.token_hex(6)}
        order = (await self.graph.execute(documents.CHECKOUT, purchase))["checkout"]
        shipped = self.graph.follow(documents.WATCH_ORDER, "order", {"id": expect(order, "Order")["id"]})
        async for event in shipped:
            if event["status"] == "SHIPPED":
                return

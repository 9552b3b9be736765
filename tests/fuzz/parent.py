"""The parents of a hunt: one is attacked as, one goes on quietly and has to be served all the time."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.target import Target
from tests.fuzz.wire import LOOPBACK, Exchange, Wire, posted

SERVED_WITHIN = 20.0
RENEWED_AFTER = 240.0
# In each value that must never be logged.
MARKER = "Quillmarrow"
PASSWORD = f"{MARKER}-lantern-42"

SIGN_UP = (
    "mutation ($input: SignUpInput!) { signUp(input: $input) { ... on SignedIn { tokens { accessToken } } } }"
)
SIGN_IN = (
    "mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignedIn { tokens { accessToken } } } }"
)
CONSENT = """mutation ($p: ConsentPurpose!) {
  recordConsent(input: {purpose: $p, policyVersion: "2026-11"}) { purpose }
}"""
CHILD = "mutation ($input: CreateChildInput!) { createChild(input: $input) { ... on Child { id } } }"
BOOK = "mutation ($input: CreateBookInput!) { createBook(input: $input) { id pages { id } } }"
DESCRIPTION = {
    "name": f"{MARKER} Mia",
    "birthMonth": "2020-05",
    "pronouns": "SHE",
    "appearance": f"red curls and a {MARKER} coat",
    "interests": ["foxes"],
}


class NotServedError(Exception):
    """A request that is always answered was not."""


@dataclass(slots=True)
class Parent:
    """Somebody with an account, a child and a book, at an address of their own."""

    target: Target
    address: str = LOOPBACK
    email: str = field(default_factory=lambda: f"{MARKER.lower()}.{secrets.token_hex(6)}@example.com")
    token: str = ""
    child: str = ""
    book: str = ""
    page: str = ""
    signed_in_at: float = 0.0

    async def arrive(self) -> None:
        """Make an account and a book that is not written yet."""
        account = {"email": self.email, "password": PASSWORD, "displayName": f"{MARKER} Ada"}
        self._sign(await self.get(SIGN_UP, input=account))
        for purpose in ("CHILD_PROFILE", "AI_PROCESSING"):
            await self.get(CONSENT, p=purpose)
        self.child = (await self.get(CHILD, input=DESCRIPTION))["id"]
        book = await self.get(BOOK, input={"childId": self.child, "wish": f"A {MARKER} fox"})
        self.book, self.page = book["id"], book["pages"][0]["id"]

    async def renew(self) -> None:
        """Sign in again, once the token has been in use for some minutes."""
        if time.monotonic() - self.signed_in_at > RENEWED_AFTER:
            self.token = ""
            self._sign(await self.get(SIGN_IN, input={"email": self.email, "password": PASSWORD}))

    def _sign(self, signed_in: Any) -> None:
        self.token, self.signed_in_at = signed_in["tokens"]["accessToken"], time.monotonic()

    async def get(self, document: str, **variables: Any) -> Any:
        """The value of the one root field.

        Raises:
            NotServedError: there is none.
        """
        exchange = await self.send(document, **variables)
        try:
            [value] = exchange.json()["data"].values()
        except (ValueError, KeyError, AttributeError, TypeError):
            raise NotServedError(str(exchange)) from None
        if value is None or exchange.status != 200:
            raise NotServedError(str(exchange))
        return value

    async def send(self, document: str, **variables: Any) -> Exchange:
        """One request, over a connection of its own."""
        headers = [("authorization", f"Bearer {self.token}")] if self.token else []
        try:
            wire = await Wire.open(self.target.port("router"), self.address)
        except (OSError, TimeoutError) as error:
            return Exchange(f"{document} ({type(error).__name__})", "refused")
        try:
            await wire.send(posted(document, variables, headers))
            return await wire.answer(document, SERVED_WITHIN)
        finally:
            await wire.close()


class Bystander:
    """Another client, who asks for what is known and what is new by turns, and notes what is not answered."""

    PAUSE = 0.1
    KNOWN = "query Known($id: ID!) { book(id: $id) { title pages { number text } } }"

    def __init__(self, parent: Parent) -> None:
        self.parent = parent
        self.turn = 0
        self.failures: list[str] = []
        self._asking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask."""
        self.turn, self.failures = 0, []
        self._asking = asyncio.create_task(self._ask())

    async def stop(self) -> None:
        """End, after at least one more known and one more new operation."""
        assert self._asking is not None
        self._asking.cancel()
        await asyncio.gather(self._asking, return_exceptions=True)
        self._asking = None
        await self._once()
        await self._once()

    async def _ask(self) -> None:
        while True:
            await self._once()
            await asyncio.sleep(self.PAUSE)

    async def _once(self) -> None:
        self.turn += 1
        try:
            if self.turn % 2:
                await self.parent.get(f"{{ me {{ id name_{secrets.token_hex(6)}: displayName }} }}")
            else:
                await self.parent.get(self.KNOWN, id=self.parent.book)
        except NotServedError as error:
            self.failures.append(str(error))

"""The clients of a campaign: the parent whose account the attacks use, and a bystander."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.raw_client import LOOPBACK, Exchange, RawConnection, build_graphql_request
from tests.fuzz.target import Target

RESPONSE_TIMEOUT = 20.0
TOKEN_RENEWAL_AGE = 240.0
# Part of every value that must never be logged.
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
CHILD_DETAILS = {
    "name": f"{MARKER} Mia",
    "birthMonth": "2020-05",
    "pronouns": "SHE",
    "appearance": f"red curls and a {MARKER} coat",
    "interests": ["foxes"],
}


class RequestFailedError(Exception):
    """A valid request was not answered correctly."""


@dataclass(slots=True)
class Parent:
    """A client with an account, a child, a book and a loopback address of its own."""

    target: Target
    address: str = LOOPBACK
    email: str = field(default_factory=lambda: f"{MARKER.lower()}.{secrets.token_hex(6)}@example.com")
    token: str = ""
    child: str = ""
    book: str = ""
    page: str = ""
    signed_in_at: float = 0.0

    async def sign_up(self, books: int = 1) -> None:
        """Sign up and create a child and books without content."""
        account = {"email": self.email, "password": PASSWORD, "displayName": f"{MARKER} Ada"}
        self._set_token(await self.execute(SIGN_UP, input=account))
        for purpose in ("CHILD_PROFILE", "AI_PROCESSING"):
            await self.execute(CONSENT, p=purpose)
        self.child = (await self.execute(CHILD, input=CHILD_DETAILS))["id"]
        for _ in range(books):
            book = await self.execute(BOOK, input={"childId": self.child, "wish": f"A {MARKER} fox"})
            self.book, self.page = book["id"], book["pages"][0]["id"]

    async def renew_token(self) -> None:
        """Sign in again before the token expires."""
        if time.monotonic() - self.signed_in_at > TOKEN_RENEWAL_AGE:
            self.token = ""
            self._set_token(await self.execute(SIGN_IN, input={"email": self.email, "password": PASSWORD}))

    def _set_token(self, signed_in: Any) -> None:
        self.token, self.signed_in_at = signed_in["tokens"]["accessToken"], time.monotonic()

    async def execute(self, document: str, **variables: Any) -> Any:
        """Execute an operation and return the value of its one root field.

        Raises:
            RequestFailedError: The response has no such value.
        """
        exchange = await self.send(document, **variables)
        try:
            [value] = exchange.parse_json()["data"].values()
        except (ValueError, KeyError, AttributeError, TypeError):
            raise RequestFailedError(str(exchange)) from None
        if value is None or exchange.status != 200:
            raise RequestFailedError(str(exchange))
        return value

    async def send(self, document: str, **variables: Any) -> Exchange:
        """Send an operation over a new connection."""
        headers = [("authorization", f"Bearer {self.token}")] if self.token else []
        try:
            connection = await RawConnection.open(self.target.get_port("router"), self.address)
        except (OSError, TimeoutError) as error:
            return Exchange(f"{document} ({type(error).__name__})", "refused")
        try:
            await connection.send(build_graphql_request(document, variables, headers))
            return await connection.read_response(document, RESPONSE_TIMEOUT)
        finally:
            await connection.close()


class Bystander:
    """Another client, which alternates a known query and new ones, and records failures."""

    PAUSE = 0.1
    KNOWN = "query Known($id: ID!) { book(id: $id) { title pages { number text } } }"

    def __init__(self, parent: Parent) -> None:
        self.parent = parent
        self.request_count = 0
        self.failures: list[str] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start sending requests in the background."""
        self.request_count, self.failures = 0, []
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop after one more known and one more new operation."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        await self._send_next()
        await self._send_next()

    async def _run(self) -> None:
        while True:
            await self._send_next()
            await asyncio.sleep(self.PAUSE)

    async def _send_next(self) -> None:
        self.request_count += 1
        try:
            if self.request_count % 2:
                await self.parent.execute(f"{{ me {{ id name_{secrets.token_hex(6)}: displayName }} }}")
            else:
                await self.parent.execute(self.KNOWN, id=self.parent.book)
        except RequestFailedError as error:
            self.failures.append(str(error))

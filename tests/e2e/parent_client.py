"""A parent at the public endpoint, with the operations that a frontend sends."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson

from tests.support.subgraph import Answer

Object = dict[str, Any]

PASSWORD = "lantern-fox-42"
CHILD = {
    "name": "Mia",
    "birthMonth": "2020-05",
    "pronouns": "SHE",
    "appearance": "red curls, freckles and a green coat",
    "interests": ["foxes", "lanterns"],
}
ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 Lantern Lane",
    "city": "Portland",
    "region": "OR",
    "postalCode": "97201",
    "countryCode": "US",
    "phone": "+1 503 555 0100",
}
SIGN_UP = """mutation ($input: SignUpInput!) { signUp(input: $input) {
  __typename ... on SignedIn { user { id } tokens { accessToken } } ... on EmailTaken { message }
} }"""
SIGN_IN = """mutation ($input: SignInInput!) { signIn(input: $input) {
  __typename ... on SignedIn { tokens { accessToken } }
} }"""
CONSENT = """mutation ($purpose: ConsentPurpose!) {
  recordConsent(input: {purpose: $purpose, policyVersion: "2026-11"}) { purpose revokedAt }
}"""
CREATE_CHILD = """mutation ($input: CreateChildInput!) { createChild(input: $input) {
  __typename ... on Child { id name } ... on ConsentRequired { purpose }
} }"""
CREATE_BOOK = """mutation ($input: CreateBookInput!) { createBook(input: $input) { id pageCount status } }"""
READ_BOOK = """query ($id: ID!) { book(id: $id) {
  id title status version pageCount
  pages { id number layout text version illustration { id sha256 url } }
} }"""
GENERATE = """mutation ($bookId: ID!) { generateBook(input: {bookId: $bookId}) {
  __typename ... on Generation { id status } ... on ConsentRequired { purpose }
} }"""
REGENERATE = """mutation ($pageId: ID!) { regeneratePage(input: {pageId: $pageId, parts: [ILLUSTRATION]}) {
  __typename ... on Generation { id kind }
} }"""
WATCH = """subscription ($id: ID!, $after: Int!) { generation(id: $id, after: $after) {
  __typename sequence generation { id }
  ... on StepStarted { step { id kind } }
  ... on TextDelta { writing: page { number } text }
  ... on OutlineWritten { title book { id title } }
  ... on PageWritten { written: page { number text version } }
  ... on IllustrationReady { drawnFor: page { number } illustration { sha256 width } }
  ... on GenerationCompleted { book { title } }
  ... on GenerationFailed { message }
} }"""
EDIT = """mutation ($input: EditPageInput!) { editPage(input: $input) {
  __typename
  ... on Page { id text version }
  ... on EditConflict { message current { text version } }
  ... on TextDoesNotFit { maximumCharacters }
} }"""
APPROVE = """mutation ($bookId: ID!, $version: Int!) {
  approveBook(input: {bookId: $bookId, expectedVersion: $version}) {
    __typename
    ... on Snapshot { id contentHash pageCount }
    ... on BookConflict { current { version } }
    ... on BookIncomplete { pages }
  }
}"""
QUOTE = """mutation ($input: CreateQuoteInput!) { createQuote(input: $input) {
  __typename
  ... on Quote {
    id items { amount } shipping { amount } fulfilment { amount } tax { amount } total { amount currency }
  }
  ... on BookNotApproved { message }
  ... on ProductDoesNotFit { message }
} }"""
CHECKOUT = """mutation ($quoteId: ID!, $method: String!, $key: String!) {
  checkout(input: {quoteId: $quoteId, paymentMethod: $method, attemptKey: $key}) {
    __typename
    ... on Order { id number status total { amount currency } }
    ... on PaymentDeclined { declineCode }
    ... on PaymentActionRequired { action { clientSecret } attempt { id } order { id } }
    ... on PaymentPending { order { id status } }
  }
}"""
COMPLETE_PAYMENT = """mutation ($id: ID!) {
  completePayment(attemptId: $id) { __typename ... on Order { id status } }
}"""
WATCH_ORDER = """subscription ($id: ID!, $after: Int!) { order(id: $id, after: $after) {
  sequence status order { id number }
} }"""


@dataclass(slots=True)
class ParentClient:
    """A signed-in parent, or an anonymous client if there is no token."""

    http: httpx2.AsyncClient
    url: str
    token: str | None = None
    user_id: str = ""
    email: str = field(default_factory=lambda: f"ada.{secrets.token_hex(6)}@example.com")

    async def execute(self, document: str, **variables: Any) -> Answer:
        """Send an operation."""
        body = {"query": document, "variables": variables}
        response = await self.http.post(self.url, json=body, headers=self._headers())
        return Answer.from_body(response.json())

    async def get(self, document: str, **variables: Any) -> Any:
        """Return the value of the only root field; there must be no error."""
        [value] = (await self.execute(document, **variables)).ok.values()
        return value

    async def watch(self, document: str, **variables: Any) -> AsyncGenerator[Any]:
        """Yield the values of a subscription's only root field until it completes; there must be no error."""
        async with aclosing(self.subscribe(document, **variables)) as answers:
            async for answer in answers:
                [event] = answer.ok.values()
                yield event

    async def subscribe(self, document: str, **variables: Any) -> AsyncGenerator[Answer]:
        """Yield the answers of a subscription until it completes."""
        body = {"query": document, "variables": variables}
        headers = self._headers() | {"accept": "text/event-stream"}
        async with self.http.stream("POST", self.url, json=body, headers=headers) as response:
            assert response.headers["content-type"].startswith("text/event-stream"), await response.aread()
            kind = ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(":")
                if name == "event":
                    kind = value.strip()
                elif name == "data" and kind == "next":
                    yield Answer.from_body(orjson.loads(value))
                if kind == "complete":
                    return
        raise AssertionError("the stream ended before it was complete")

    async def sign_up(self, *consents: str) -> None:
        """Create an account and record consents."""
        account = {"email": self.email, "password": PASSWORD, "displayName": "Ada"}
        signed_in = await self.get(SIGN_UP, input=account)
        assert signed_in["__typename"] == "SignedIn"
        self.token, self.user_id = signed_in["tokens"]["accessToken"], signed_in["user"]["id"]
        for purpose in consents:
            assert (await self.get(CONSENT, purpose=purpose))["revokedAt"] is None

    async def sign_in(self) -> None:
        """Sign in for a new access token, which is valid for ten minutes."""
        self.token = None
        signed_in = await self.get(SIGN_IN, input={"email": self.email, "password": PASSWORD})
        assert signed_in["__typename"] == "SignedIn"
        self.token = signed_in["tokens"]["accessToken"]

    async def create_book(self, **brief: Any) -> str:
        """Create a book for a new child; return its id."""
        child = await self.get(CREATE_CHILD, input=CHILD)
        brief = {
            "childId": child["id"],
            "wish": "A fox who has lost her lantern",
            "dedication": "For Mia",
        } | brief
        return str((await self.get(CREATE_BOOK, input=brief))["id"])

    async def generate(self, book_id: str) -> str:
        """Start a generation; return its id."""
        generation = await self.get(GENERATE, bookId=book_id)
        assert generation["__typename"] == "Generation"
        return str(generation["id"])

    async def watch_to_the_end(self, generation_id: str, after: int = 0) -> list[Object]:
        """Collect all events of a generation after a sequence number."""
        async with aclosing(self.watch(WATCH, id=generation_id, after=after)) as events:
            return [event async for event in events]

    async def create_finished_book(self) -> str:
        """Create a book and wait until it is generated; return its id."""
        book_id = await self.create_book()
        events = await self.watch_to_the_end(await self.generate(book_id))
        assert events[-1]["__typename"] == "GenerationCompleted"
        return book_id

    async def read(self, book_id: str) -> Any:
        """Read the current state of a book."""
        return await self.get(READ_BOOK, id=book_id)

    async def edit(self, page: Mapping[str, Any], **changes: Any) -> Any:
        """Edit a page at the version that was read."""
        edit = {"pageId": page["id"], "expectedVersion": page["version"], "text": page["text"]} | changes
        return await self.get(EDIT, input=edit)

    async def approve(self, book_id: str) -> Any:
        """Approve the current version of a book."""
        version = (await self.read(book_id))["version"]
        return await self.get(APPROVE, bookId=book_id, version=version)

    async def create_quote(self, book_id: str, **changes: Any) -> Any:
        """Create a quote."""
        wanted = {
            "bookId": book_id,
            "productId": "casewrap-8.5-square",
            "quantity": 1,
            "shippingLevel": "MAIL",
            "shippingAddress": ADDRESS,
        } | changes
        return await self.get(QUOTE, input=wanted)

    async def pay(self, quote_id: str, method: str = "pm_card_visa", key: str = "first") -> Any:
        """Check out a quote; the key names the attempt to pay for it."""
        return await self.get(CHECKOUT, quoteId=quote_id, method=method, key=key)

    async def wait_until_shipped(self, order_id: str) -> list[Object]:
        """Collect the events of an order until it is shipped or has failed."""
        seen = []
        async with aclosing(self.watch(WATCH_ORDER, id=order_id, after=0)) as events:
            async for event in events:
                seen.append(event)
                if event["status"] in {"SHIPPED", "PRINT_REJECTED", "CANCELLED"}:
                    break
        return seen

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[ParentClient]:
    """Open an anonymous client of an endpoint."""
    async with httpx2.AsyncClient(timeout=httpx2.Timeout(60, read=120)) as http:
        yield ParentClient(http, url)


def is_in_order(events: list[Object]) -> bool:
    """Whether each event has a higher number than the one before."""
    numbers = [event["sequence"] for event in events]
    return numbers == sorted(set(numbers))

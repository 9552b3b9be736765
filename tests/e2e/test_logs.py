"""Logs, metrics and spans of a whole journey contain no personal data."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from infra.checkout import ROOT
from infra.local import Stack
from infra.local.environment import build_router_environ
from tests.e2e.parent_client import (
    ADDRESS,
    CHILD,
    CREATE_BOOK,
    CREATE_CHILD,
    SIGN_UP,
    ParentClient,
    open_client,
)
from tests.support.otlp_collector import Collector
from tests.support.router_process import start_router, wait_for_origin
from tests.support.serving import serve_app

SIGN_IN = """mutation { signIn(input: {email: "EMAIL", password: "PASSWORD"}) { nothing } }"""
REGENERATE = """mutation ($input: RegeneratePageInput!) {
  regeneratePage(input: $input) { __typename ... on Generation { id } }
}"""
LONGEST_LINE = 20_000
UNIQUE = len("Mark") + 8
"""The characters with which a mark begins that no other has: a field may cut the rest off."""


@dataclass(frozen=True, slots=True)
class Marks:
    """A unique word for each private value, which occurs nowhere else on the platform."""

    words: Mapping[str, str]

    @classmethod
    def generate(cls) -> "Marks":
        names = ("email", "password", "parent", "child", "appearance", "interest", "wish", "dedication")
        places = ("addressee", "street", "flat", "city", "region", "postcode", "instruction", "edit")
        return cls({name: f"Mark{secrets.token_hex(4)}{name}" for name in (*names, *places)})

    def __getitem__(self, name: str) -> str:
        return self.words[name]

    def find_in(self, text: str) -> list[str]:
        """The marks that occur in a text."""
        lowered = text.lower()
        return [word for word in self.words.values() if word[:UNIQUE].lower() in lowered]


@asynccontextmanager
async def run_traced_router(stack: Stack, collector: Collector, log: bytearray) -> AsyncIterator[str]:
    """Run another router of the platform that exports all its spans; yield its endpoint."""
    keys = {"JWKS_URL": f"{stack.urls['auth']}/.well-known/jwks.json"}
    tracing = {"OTEL_BSP_SCHEDULE_DELAY": "20", "OTEL_TRACES_SAMPLER": "always_on"}
    async with (
        serve_app(collector.build_app()) as otlp,
        start_router(
            *("--supergraph", str(ROOT / "schema" / "supergraph.graphql"), "--port", "0"),
            **build_router_environ(stack.environ) | keys | tracing | {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp},
        ) as process,
    ):
        yield f"{await wait_for_origin(process)}/graphql"
        process.terminate()
        log += b"".join(await process.communicate())


async def test_logs_metrics_and_spans_contain_no_personal_data(stack: Stack) -> None:
    marks, collector, log = Marks.generate(), Collector(), bytearray()
    async with run_traced_router(stack, collector, log) as url, open_client(url) as parent:
        await run_main_journey(parent, marks)
        await send_failing_requests(stack, parent, marks)
    texts = {file.name: file.read_text(errors="replace") for file in stack.logs_dir.glob("*.log")}
    assert {"router.log", "auth.log", "books.log", "ai.log", "orders.log", "worker.log"} <= texts.keys()
    texts["traced router"] = log.decode(errors="replace")
    assert {"mutation", "subscription", "POST books"} <= {span.name for span in collector.spans}
    assert marks.find_in(b"".join(collector.bodies).decode(errors="replace")) == []
    async with httpx2.AsyncClient() as client:
        for name, url in stack.metrics_urls.items():
            texts[f"{name}/metrics"] = (await client.get(f"{url}/metrics")).text
    assert [(name, found) for name, text in texts.items() if (found := marks.find_in(text))] == []
    lines = [line for text in texts.values() for line in text.splitlines()]
    assert max(map(len, lines)) < LONGEST_LINE
    assert not [line for line in lines if "\x1b" in line or "\u202e" in line]


async def run_main_journey(parent: ParentClient, marks: Marks) -> None:
    """Go from sign-up to the shipped book, with a mark in every field."""
    parent.email = f"{marks['email']}@example.org"
    account = {"email": parent.email, "password": marks["password"], "displayName": marks["parent"]}
    signed_up = await parent.get(SIGN_UP, input=account)
    parent.token = signed_up["tokens"]["accessToken"]
    for purpose in ("CHILD_PROFILE", "AI_PROCESSING"):
        await parent.get(
            f'mutation {{ recordConsent(input: {{purpose: {purpose}, policyVersion: "1"}}) {{ id }} }}'
        )
    details = {
        "name": marks["child"][:14],
        "appearance": marks["appearance"],
        "interests": [marks["interest"]],
    }
    child = await parent.get(CREATE_CHILD, input=CHILD | details)
    brief = {"childId": child["id"], "wish": f"to find {marks['wish']}", "dedication": marks["dedication"]}
    book_id = (await parent.get(CREATE_BOOK, input=brief))["id"]
    await parent.watch_to_the_end(await parent.generate(book_id))
    wanted = {"pageId": (await parent.read(book_id))["pages"][3]["id"], "parts": ["TEXT"]}
    again = await parent.get(REGENERATE, input=wanted | {"instruction": f"mention {marks['instruction']}"})
    assert (await parent.watch_to_the_end(again["id"]))[-1]["__typename"] == "GenerationCompleted"
    page = (await parent.read(book_id))["pages"][3]
    assert (await parent.edit(page, text=marks["edit"]))["__typename"] == "Page"
    await parent.approve(book_id)
    address = ADDRESS | {
        "name": marks["addressee"],
        "line1": marks["street"],
        "line2": marks["flat"],
        "city": marks["city"],
        "region": marks["region"],
        "postalCode": marks["postcode"],
    }
    order = await parent.pay((await parent.create_quote(book_id, shippingAddress=address))["id"])
    assert (await parent.wait_until_shipped(order["id"]))[-1]["status"] == "SHIPPED"


async def send_failing_requests(stack: Stack, parent: ParentClient, marks: Marks) -> None:
    """Send marked requests that fail in every stage, at the router and at the subgraphs themselves."""
    document = SIGN_IN.replace("EMAIL", marks["email"]).replace("PASSWORD", marks["password"])
    wrong = {
        "email": f"{marks['email']}\x1b[2J\u202e",
        "password": marks["password"],
        "displayName": "x" * 9000,
    }
    bodies = [
        {"query": document},
        {"query": document[:-3]},
        {"query": SIGN_UP, "variables": {"input": wrong}},
        {"query": SIGN_UP, "variables": {"input": {"email": marks["email"]}}},
        {"query": SIGN_UP, "variables": {"input": [marks["password"]]}},
        {"query": f'{{ book(id: "{marks["wish"]}") {{ id }} }}'},
        {"query": f'{{ printProduct(id: "{marks["wish"]}{"x" * 500_000}") {{ id }} }}'},
        {"query": f"{{ {marks['child']} }}"},
    ]
    service = {
        "x-memorable-service-token": stack.environ["SERVICE_TOKEN"],
        "authorization": f"Bearer {parent.token}",
    }
    for url in [
        stack.graphql_url,
        parent.url,
        *(f"{stack.urls[domain]}/graphql" for domain in ("auth", "books", "print")),
    ]:
        for body in bodies:
            response = await parent.http.post(url, json=body, headers=service)
            assert response.json()["errors"]

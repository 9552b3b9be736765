"""What the processes tell of a whole job: nothing of who it is for."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from infra.checkout import ROOT
from infra.local import Stack
from infra.local.environment import build_router_environ
from tests.e2e.family import ADDRESS, CHILD, CREATE_BOOK, CREATE_CHILD, SIGN_UP, Family, at
from tests.support.otlp_collector import Collector
from tests.support.router_process import listening_at, router
from tests.support.serving import serving

SIGN_IN = """mutation { signIn(input: {email: "EMAIL", password: "PASSWORD"}) { nothing } }"""
LONGEST_LINE = 20_000


@dataclass(frozen=True, slots=True)
class Marks:
    """A word for each thing that is nobody's business, which nothing else on the platform holds."""

    words: Mapping[str, str]

    @classmethod
    def new(cls) -> "Marks":
        names = ("email", "password", "parent", "child", "appearance", "interest", "wish", "dedication")
        places = ("addressee", "street", "city", "instruction", "edit")
        return cls({name: f"Mark{secrets.token_hex(4)}{name}" for name in (*names, *places)})

    def __getitem__(self, name: str) -> str:
        return self.words[name]


@asynccontextmanager
async def traced_router(stack: Stack, collector: Collector, log: bytearray) -> AsyncIterator[str]:
    """Another router of the platform, which tells a collector of everything it does; yields its endpoint."""
    tracing = {"OTEL_BSP_SCHEDULE_DELAY": "20", "OTEL_TRACES_SAMPLER": "always_on"}
    async with (
        serving(collector.app()) as otlp,
        router(
            *("--supergraph", str(ROOT / "schema" / "supergraph.graphql"), "--port", "0"),
            **build_router_environ(stack.environ) | tracing | {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp},
        ) as process,
    ):
        yield f"{await listening_at(process)}/graphql"
        process.terminate()
        log += b"".join(await process.communicate())


async def test_no_log_no_metric_and_no_span_tells_of_a_parent_or_a_child(stack: Stack) -> None:
    marks, collector, log = Marks.new(), Collector(), bytearray()
    async with traced_router(stack, collector, log) as url, at(url) as parent:
        await the_main_job(parent, marks)
        await what_goes_wrong(stack, parent, marks)
    told = {file.name: file.read_text(errors="replace") for file in stack.logs_dir.glob("*.log")}
    assert {"router.log", "auth.log", "books.log", "ai.log", "orders.log", "worker.log"} <= told.keys()
    told["traced router"] = log.decode(errors="replace")
    assert {"mutation", "subscription", "POST books"} <= {span.name for span in collector.spans}
    spans = b"".join(collector.bodies).decode(errors="replace").lower()
    assert [mark for mark in marks.words.values() if mark.lower() in spans] == []
    async with httpx2.AsyncClient() as client:
        for name, url in stack.metrics_urls.items():
            told[f"{name}/metrics"] = (await client.get(f"{url}/metrics")).text
    found = [
        (name, mark)
        for name, text in told.items()
        for mark in marks.words.values()
        if mark.lower() in text.lower()
    ]
    assert found == []
    lines = [line for text in told.values() for line in text.splitlines()]
    assert max(map(len, lines)) < LONGEST_LINE
    assert not [line for line in lines if "\x1b" in line or "\u202e" in line]


async def the_main_job(parent: Family, marks: Marks) -> None:
    """From sign-up to the parcel, with a mark in every field."""
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
    page = (await parent.read(book_id))["pages"][3]
    assert (await parent.edit(page, text=marks["edit"]))["__typename"] == "Page"
    await parent.approve(book_id)
    address = ADDRESS | {"name": marks["addressee"], "line1": marks["street"], "city": marks["city"]}
    order = await parent.pay((await parent.quote(book_id, shippingAddress=address))["id"])
    assert (await parent.until_shipped(order["id"]))[-1]["status"] == "SHIPPED"


async def what_goes_wrong(stack: Stack, parent: Family, marks: Marks) -> None:
    """Requests that fail in every stage, at the router and at the subgraphs themselves, with marks too."""
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

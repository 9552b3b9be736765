"""The bounds of one operation in a subgraph: its time, its objects, its text, and its end with the caller."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2
import pytest
import strawberry
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from subgraphs.auth.models import User
from subgraphs.common import limits
from subgraphs.common.app import create_subgraph
from subgraphs.common.app_state import get_state
from subgraphs.common.arguments import MAX_ITEMS
from subgraphs.common.budget import MAX_OBJECTS
from subgraphs.common.context import Context
from subgraphs.common.gate import MAX_BODY_BYTES, MAX_BODY_COMMAS
from subgraphs.common.ids import new_id
from subgraphs.common.loaders import create_loader
from subgraphs.common.schema import create_schema
from subgraphs.domains import DOMAINS
from tests.support.serving import serve_app
from tests.support.subgraph import SubgraphClient, build_settings
from tests.support.tokens import serve_keys

Info = strawberry.Info[Context[DataLoader[int, int]], None]
STARTED, STOPPED = asyncio.Event(), asyncio.Event()
COMPLETED = {"names": 0, "made": 0}
BATCHES: list[int] = []
EMAIL = "deadline@example.org"


# Items in each list of a node; two levels of them are nearly as many objects as an answer may have.
NODES = 95
# Far more than anything completes in a turn of some milliseconds, and far less than all of them.
MAX_AT_ONCE = NODES**2 // 8


@strawberry.input
class Wish:
    words: str
    more: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class Node:
    @strawberry.field
    def nodes(self) -> list[Node]:
        return [Node() for _ in range(NODES)]

    @strawberry.field
    async def later(self) -> list[Node]:
        await asyncio.sleep(0)
        return [Node() for _ in range(NODES)]

    @strawberry.field
    def name(self) -> str:
        COMPLETED["names"] += 1
        return "node"

    @strawberry.field
    async def made(self, info: Info) -> int:
        found = await info.context.loaders.load(id(self))
        COMPLETED["made"] += 1
        return found

    @strawberry.field
    async def loaded(self, info: Info) -> int:
        return await info.context.loaders.load(id(self))

    @strawberry.field
    async def found(self, info: Info) -> list[Node]:
        await info.context.loaders.load(id(self))
        return [Node(), Node()]


@strawberry.federation.type(keys=["id"])
class Thing:
    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Thing:
        return cls(id=id)


@strawberry.type
class Query:
    thing: Thing | None = None

    @strawberry.field
    def node(self) -> Node:
        return Node()

    @strawberry.field
    def wished(self, wish: Wish | None = None, id: strawberry.ID | None = None, text: str = "") -> int:
        return len(wish.words if wish else text)

    @strawberry.field
    async def endless(self) -> int:
        STARTED.set()
        try:
            return await asyncio.Future()
        finally:
            STOPPED.set()

    @strawberry.field
    async def sleeping(self, info: Info) -> int:
        async with info.context.runtime.database.read() as session:
            await session.execute(text("SELECT pg_sleep(600), 'a sleeping statement'"))
        return 1


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add(self, info: Info, forget: bool) -> bool:
        async with info.context.runtime.unit_of_work() as uow:
            user = User(
                id=new_id("usr"),
                email=EMAIL,
                display_name="",
                password_hash="",
                scopes=[],
                created_at=uow.now,
            )
            uow.session.add(user)
            await uow.session.flush()
            STARTED.set()
            if forget:
                await asyncio.Future()
        return True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def twice(self) -> AsyncGenerator[Node, None]:
        yield Node()
        yield Node()


@pytest.fixture
async def subgraph(servers: Mapping[str, str]) -> AsyncIterator[SubgraphClient]:
    STARTED.clear()
    STOPPED.clear()
    COMPLETED["names"] = 0
    async with serve_keys() as jwks_url:
        app = create_subgraph(
            DOMAINS["auth"],
            build_settings("auth", {**servers, "JWKS_URL": jwks_url}),
            schema=create_schema(Query, Mutation, Subscription),
            loaders=lambda runtime, _: create_loader(runtime.database, _load_ones, 0),
        )
        async with serve_app(app) as address:
            client = SubgraphClient("auth", address, get_state(app))
            yield client
            await client.http.aclose()


async def _load_ones(_session: AsyncSession, keys: list[int]) -> dict[int, int]:
    BATCHES.append(len(keys))
    return dict.fromkeys(keys, 1)


async def execute_within(subgraph: SubgraphClient, milliseconds: int | str, query: str) -> httpx2.Response:
    return await subgraph.http.post(
        "/graphql", json={"query": query}, headers={"x-deadline-ms": str(milliseconds)}
    )


def read_code(response: httpx2.Response) -> str:
    [error] = response.json()["errors"]
    return str(error["extensions"]["code"])


async def test_an_operation_ends_at_its_callers_deadline(subgraph: SubgraphClient) -> None:
    response = await execute_within(subgraph, 50, "{ endless }")
    assert (response.status_code, read_code(response)) == (200, "DEADLINE_EXCEEDED")
    assert response.json()["data"] is None
    assert STOPPED.is_set()


@pytest.mark.parametrize("deadline", ["", "soon", "-1", "1e3", "9" * 5000, "٣"])
async def test_a_deadline_that_is_not_a_number_is_ignored(subgraph: SubgraphClient, deadline: str) -> None:
    response = await subgraph.http.post(
        "/graphql",
        json={"query": "{ node { name } }"},
        headers=[(b"x-deadline-ms", deadline.encode()), (b"content-type", b"application/json")],
    )
    assert response.json() == {"data": {"node": {"name": "node"}}}


async def test_a_statement_is_cancelled_with_its_operation(subgraph: SubgraphClient) -> None:
    assert read_code(await execute_within(subgraph, 200, "{ sleeping }")) == "DEADLINE_EXCEEDED"
    while await count_sleeping_statements(subgraph):  # noqa: ASYNC110 - PostgreSQL does not tell when one ends
        await asyncio.sleep(0.02)


async def count_sleeping_statements(subgraph: SubgraphClient) -> int:
    statement = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE query LIKE '%a sleeping statement%' AND state = 'active' AND pid <> pg_backend_pid()"
    )
    async with subgraph.runtime.database.read() as session:
        return int(await session.scalar(text(statement)) or 0)


async def test_an_operation_ends_when_its_caller_disconnects(subgraph: SubgraphClient) -> None:
    request = asyncio.create_task(subgraph.execute("{ endless }"))
    await STARTED.wait()
    request.cancel()
    await STOPPED.wait()
    assert (await subgraph.execute("{ node { name } }")).ok == {"node": {"name": "node"}}


async def test_a_mutation_that_is_cancelled_is_rolled_back(subgraph: SubgraphClient) -> None:
    response = await execute_within(subgraph, 2000, "mutation { add(forget: true) }")
    assert (read_code(response), STARTED.is_set()) == ("DEADLINE_EXCEEDED", True)
    assert await count_users(subgraph) == 0


async def count_users(subgraph: SubgraphClient) -> int:
    async with subgraph.runtime.database.read() as session:
        statement = select(func.count()).select_from(User).where(User.email == EMAIL)
        return int((await session.execute(statement)).scalar_one())


@pytest.mark.parametrize(
    "query",
    [
        "{ node { nodes { nodes { nodes { name } } } } }",
        "{ node { later { later { later { name } } } } }",
        "{ node { later { later { later { later { later { name } } } } } } }",
    ],
)
async def test_an_answer_has_a_bounded_number_of_objects(subgraph: SubgraphClient, query: str) -> None:
    answer = await subgraph.execute(query)
    assert (answer.data, answer.code) == (None, "OPERATION_TOO_LARGE")
    assert str(MAX_OBJECTS) in answer.errors[0]["message"]


@asynccontextmanager
async def watch_turns(field: str) -> AsyncIterator[list[int]]:
    """Yields a list that gets, in each iteration of the event loop, how many of a field were completed."""
    counts: list[int] = []

    async def watch() -> None:
        while True:
            counts.append(COMPLETED[field])
            COMPLETED[field] = 0
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    try:
        yield counts
    finally:
        watching.cancel()


@pytest.mark.parametrize("lists", ["nodes", "later"])
async def test_large_answers_do_not_block_the_event_loop(subgraph: SubgraphClient, lists: str) -> None:
    query = f"{{ node {{ {lists} {{ {lists} {{ name }} }} }} }}"
    async with watch_turns("names") as names:
        answers = await asyncio.gather(*(subgraph.execute(query) for _ in range(4)))
    for answer in answers:
        nodes = [node for each in answer.ok["node"][lists] for node in each[lists]]
        assert nodes == [{"name": "node"}] * NODES**2
    assert sum(names) + COMPLETED["names"] == 4 * NODES**2
    assert max(names) <= MAX_AT_ONCE


@pytest.mark.parametrize("lists", ["nodes", "later"])
async def test_a_large_answer_is_loaded_in_one_batch(subgraph: SubgraphClient, lists: str) -> None:
    BATCHES.clear()
    answer = await subgraph.execute(f"{{ node {{ {lists} {{ nodes {{ loaded }} }} }} }}")
    nodes = [node for each in answer.ok["node"][lists] for node in each["nodes"]]
    assert nodes == [{"loaded": 1}] * NODES**2
    assert len(BATCHES) == 1


async def test_each_level_of_a_large_answer_is_loaded_in_one_batch(
    subgraph: SubgraphClient,
) -> None:
    BATCHES.clear()
    answer = await subgraph.execute(
        "{ node { nodes { found { found { found { found { found { loaded } } } } } } } }"
    )
    assert len(answer.ok["node"]["nodes"]) == NODES
    assert len(BATCHES) == 6


async def test_very_many_fields_of_an_object_do_not_block_the_event_loop(subgraph: SubgraphClient) -> None:
    many = limits.MAX_ALIASES - 1
    async with watch_turns("names") as names:
        answer = await subgraph.execute("{ node " + repeat_selection("a#: name", many) + " }")
    assert list(answer.ok["node"].items()) == [(f"a{number}", "node") for number in range(many)]
    assert max(names) < many


async def test_fields_behind_a_loader_are_completed_over_many_turns(subgraph: SubgraphClient) -> None:
    async with watch_turns("made") as made:
        answer = await subgraph.execute("{ node { nodes { nodes { made } } } }")
    nodes = [node for each in answer.ok["node"]["nodes"] for node in each["nodes"]]
    assert nodes == [{"made": 1}] * NODES**2
    assert sum(made) + COMPLETED["made"] == NODES**2
    assert max(made) <= MAX_AT_ONCE


async def test_the_sdl_can_be_selected_once_in_an_operation(subgraph: SubgraphClient) -> None:
    answer = await subgraph.execute("{ a: _service { sdl } b: _service { sdl } }")
    assert (answer.code, answer.errors[0]["path"]) == ("OPERATION_TOO_LARGE", ["b", "sdl"])


async def test_the_limit_of_objects_holds_for_each_event_of_a_subscription(subgraph: SubgraphClient) -> None:
    query = "subscription { twice { nodes { nodes { name } } } }"
    answers = [answer.ok async for answer in subgraph.subscribe(query)]
    assert [len(answer["twice"]["nodes"]) for answer in answers] == [NODES, NODES]


def repeat_selection(what: str, times: int) -> str:
    return "{ " + " ".join(what.replace("#", str(place)) for place in range(times)) + " }"


def double_selections(selections: str, times: int) -> str:
    return (
        double_selections(f"{{ nodes {selections} nodes {selections} }}", times - 1) if times else selections
    )


FRAGMENTS = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(60))
TOO_LARGE = {
    "characters": "{ node { name } } #" + "x" * limits.MAX_CHARACTERS,
    "levels": "{ node " + "{ nodes " * limits.MAX_LEVELS + "{ name }" + " }" * (limits.MAX_LEVELS + 1),
    "aliases": repeat_selection("a#: wished", limits.MAX_ALIASES + 1),
    "fields": repeat_selection("f#", limits.MAX_FIELDS + 1),
    "the same fields": repeat_selection("wished", 1000),
    "the same fields of the same fields": "{ node " + double_selections("{ name }", 8) + " }",
    "fragments": repeat_selection("...f#", 300)
    + "".join(f" fragment f{n} on Query {{ wished }}" for n in range(300)),
    "fragments in fragments": f"{{ ...f0 }} {FRAGMENTS} fragment f60 on Query {{ wished }}",
    "cycle": "{ ...f } fragment f on Query { node { ...g } ...f } fragment g on Node { name ...g }",
}


@pytest.mark.parametrize("what", TOO_LARGE)
async def test_an_expensive_document_is_refused_quickly(subgraph: SubgraphClient, what: str) -> None:
    before = time.thread_time()
    answer = await subgraph.execute(TOO_LARGE[what])
    assert time.thread_time() - before < 1
    assert (answer.data, answer.code) == (None, "OPERATION_TOO_LARGE")


@pytest.mark.parametrize(
    "query", ["{ " + "wished " * (limits.MAX_TOKENS + 1) + "}", "{ node " + "{ nodes " * 5000]
)
async def test_a_document_that_is_too_long_or_deep_to_parse_is_refused(
    subgraph: SubgraphClient, query: str
) -> None:
    answer = await subgraph.execute(query)
    assert (answer.data, answer.code) == (None, "GRAPHQL_VALIDATION_FAILED")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (TOO_LARGE["characters"], "OPERATION_TOO_LARGE"),
        ("query Named { node", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_named_operation_is_refused_alike(subgraph: SubgraphClient, query: str, code: str) -> None:
    response = await subgraph.http.post("/graphql", json={"query": query, "operationName": "Named"})
    assert (response.status_code, read_code(response)) == (200, code)


async def test_a_document_as_large_as_a_router_sends_is_answered(subgraph: SubgraphClient) -> None:
    answer = await subgraph.execute(repeat_selection("a#: wished", limits.MAX_ALIASES))
    assert len(answer.ok) == limits.MAX_ALIASES


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"wish": {"words": "a\0b"}}, "words"),
        ({"wish": {"words": "", "more": ["fine", "x" * 10_001]}}, "more"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": "\0"}, "text"),
        ({"id": "x" * 65}, "id"),
        ({"id": ""}, "id"),
        ({"id": "book 1"}, "id"),
        ({"id": "../book"}, "id"),
    ],
)
async def test_an_invalid_variable_is_refused_by_the_name_of_its_field(
    subgraph: SubgraphClient, variables: dict[str, object], field: str
) -> None:
    query = 'query ($wish: Wish, $id: ID, $text: String! = "") { wished(wish: $wish, id: $id, text: $text) }'
    answer = await subgraph.execute(query, variables)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", field)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (r'text: "a\u0000b"', "text"),
        (r'wish: {words: "\u0000"}', "words"),
        (f'text: """{"x" * 10_001}"""', "text"),
        ('id: "no id"', "id"),
    ],
)
async def test_an_invalid_literal_is_refused_by_the_name_of_its_field(
    subgraph: SubgraphClient, arguments: str, field: str
) -> None:
    fragment = f"{{ ...f }} fragment f on Query {{ ... {{ wished({arguments}) }} }}"
    answer = await subgraph.execute(fragment)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", field)


ENTITIES = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Thing { id } } }"


async def test_entities_are_resolved_by_type_and_id_up_to_a_limit(subgraph: SubgraphClient) -> None:
    things = [{"__typename": "Thing", "id": str(number)} for number in range(MAX_ITEMS)]
    answer = await subgraph.execute(ENTITIES, {"r": things})
    assert answer.ok["_entities"] == [{"id": str(number)} for number in range(MAX_ITEMS)]
    answer = await subgraph.execute(ENTITIES, {"r": [*things, things[0]]})
    assert (answer.data, answer.code, answer.field) == (None, "BAD_USER_INPUT", "representations")


@pytest.mark.parametrize(
    "representation",
    [
        {"id": "1"},
        {"__typename": "Nothing", "id": "1"},
        {"__typename": "Query", "id": "1"},
        {"__typename": 7, "id": "1"},
        {"__typename": ["Thing"], "id": "1"},
        {"__typename": "Thing"},
        {"__typename": "Thing", "id": 7},
        {"__typename": "Thing", "id": "1", "more": 1},
        ["Thing", "1"],
        "Thing",
    ],
)
async def test_an_invalid_representation_is_refused_by_its_index(
    subgraph: SubgraphClient, representation: object
) -> None:
    known = {"__typename": "Thing", "id": "1"}
    answer = await subgraph.execute(ENTITIES, {"r": [known, representation]})
    assert (answer.data, answer.code, answer.field) == (None, "BAD_USER_INPUT", "representations.1")


async def test_error_messages_have_at_most_a_thousand_characters(subgraph: SubgraphClient) -> None:
    answer = await subgraph.execute(f'{{ node(x: "{"y" * 100_000}") {{ {"z" * 100_000} }} }}')
    assert max(len(error["message"]) for error in answer.errors) <= 1000


async def test_errors_contain_no_suggestions(subgraph: SubgraphClient) -> None:
    answer = await subgraph.execute('{ wishe nod wished(tex: "", wish: {wordz: "", words: ""}) { x } }')
    assert len(answer.errors) >= 3
    assert not [error for error in answer.errors if "Did you mean" in error["message"]]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json" + ";a=b" * 250_000}, 431),
        ({"content-type": "application/json" + ";a=b" * 100}, 415),
        ({"accept": "a/b," * 20_000}, 431),
        ({f"x-{number}": "" for number in range(120)}, 431),
    ],
)
async def test_oversized_headers_are_refused_quickly(
    subgraph: SubgraphClient, headers: dict[str, str], status: int
) -> None:
    before = time.thread_time()
    response = await subgraph.http.post("/graphql", content=b"{}", headers=headers)
    assert response.status_code in {status, 413}
    assert time.thread_time() - before < 0.5


async def test_a_body_over_the_size_limit_is_refused(subgraph: SubgraphClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 65_536 + 1):
            yield b" " * 65_536

    json = {"content-type": "application/json"}
    declared = await subgraph.http.post("/graphql", content=b" " * (MAX_BODY_BYTES + 1), headers=json)
    streamed = await subgraph.http.post("/graphql", content=chunks(), headers=json)
    assert [(each.status_code, read_code(each)) for each in (declared, streamed)] == [
        (413, "BAD_REQUEST")
    ] * 2


async def test_a_body_of_very_many_values_is_refused(subgraph: SubgraphClient) -> None:
    json = {"content-type": "application/json"}
    for count, status in ((MAX_BODY_COMMAS, 200), (MAX_BODY_COMMAS + 1, 413)):
        body = b'{"query": "{ __typename }", "x": [%b[]]}' % (b"[]," * (count - 1))
        response = await subgraph.http.post("/graphql", content=body, headers=json)
        assert response.status_code == status
    assert read_code(response) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "body", [b"\xff", b'{"query": "\\ud800"}', b"[" * 5000, b'{"a":' * 5000, b"1" * 5000]
)
async def test_a_body_that_is_not_json_is_refused_with_a_graphql_error(
    subgraph: SubgraphClient, body: bytes
) -> None:
    response = await subgraph.http.post(
        "/graphql", content=body, headers={"content-type": "application/json"}
    )
    assert (response.status_code, read_code(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("token", [None, "", "another", "😀"])
async def test_requests_without_the_service_token_are_refused(
    subgraph: SubgraphClient, token: str | None
) -> None:
    headers = {} if token is None else {b"x-memorable-service-token": token.encode()}
    async with httpx2.AsyncClient(base_url=subgraph.address) as stranger:
        refusal = await stranger.post("/graphql", json={"query": "{ node { name } }"}, headers=headers)
        alive = await stranger.get("/health/live")
    assert (refusal.status_code, read_code(refusal)) == (401, "BAD_REQUEST")
    assert alive.status_code == 200

"""What one caller meets is not what the others meet."""

import pytest

from tests.router.trouble.single import data, http, single

UNANSWERED = {
    "message": "The service 'a' did not respond.",
    "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "serviceName": "a"},
}


def only_for_good(refusal: bytes):
    return lambda head, _: data(s="x") if b"authorization: Bearer good" in head else refusal


@pytest.mark.parametrize(
    "refusal",
    [
        http(b'{"message": "no"}', "401 Unauthorized"),
        http(b"no", "403 Forbidden", "text/plain"),
        http(b"no", "404 Not Found", "text/html"),
        http(b"no", "429 Too Many Requests", "text/plain"),
        http(b'{"errors": [{"message": "no"}]}', "429 Too Many Requests"),
        http(b"no", "500 Internal Server Error", "text/plain"),
        http(rb'{"data": {"s": NaN}}'),
        http(b"\xef\xbb\xbf{}"),
        http(b'{"data": {"s": "\xff"}}'),
    ],
)
async def test_a_refusal_of_one_caller_is_sent_once_and_keeps_the_subgraph_from_nobody(refusal: bytes):
    async with single(only_for_good(refusal), breaker_failures=3, retries=1) as running:
        for _ in range(5):
            answer = await running.ask("{ s }")
            assert answer["data"] == {"s": None}
            assert [error["message"] for error in answer["errors"]] == [UNANSWERED["message"]]
        assert len(running.bodies) == 5
        assert await running.ask("{ s }", authorization="Bearer good") == {"data": {"s": "x"}}


@pytest.mark.parametrize("ending", [b"", b"no HTTP", http(b"no gzip", extra="content-encoding: gzip\r\n")])
async def test_whoever_makes_a_subgraph_hang_up_under_many_names_keeps_it_from_nobody(ending: bytes):
    def answer(head: bytes, _: bytes) -> bytes:
        if b"authorization: Bearer good" in head:
            return data(s="x")
        if not ending:
            raise ConnectionError
        return ending

    async with single(answer, breaker_failures=3, retries=0) as running:
        for number in range(6):
            answered = await running.ask("{ s }", baggage=f"k={number}", authorization=f"Bearer {number}")
            assert answered["data"] == {"s": None}
        assert len(running.bodies) == 6
        assert await running.ask("{ s }", authorization="Bearer good") == {"data": {"s": "x"}}


@pytest.mark.parametrize("wrong", ["Bearer good\n", "Bearer good\u2003", "Bearer \u1234", "Bearer good\0"])
async def test_a_token_that_no_header_can_hold_is_refused_before_anybody_is_asked(wrong: str):
    async with single(data(s="x"), breaker_failures=1, breaker_seconds=600) as running:
        socket = await running.client.ws_connect(
            f"{running.origin}/graphql", protocols=["graphql-transport-ws"]
        )
        await socket.send_json({"type": "connection_init", "payload": {"authorization": wrong}})
        await socket.receive()
        assert (socket.close_code, running.bodies) == (4403, [])
        assert await running.ask("{ s }") == {"data": {"s": "x"}}


async def test_a_subgraph_that_says_it_is_away_is_asked_again_and_then_left_alone_by_all():
    away = http(b"no", "503 Service Unavailable", "text/plain")
    async with single(away, breaker_failures=2, breaker_seconds=600, retries=1) as running:
        for _ in range(3):
            await running.ask("{ s }")
        assert len(running.bodies) == 2


async def test_a_caller_who_is_to_wait_is_answered_at_once_and_the_others_are_not():
    limit = http(b"no", "429 Too Many Requests", "text/plain", "retry-after: 30\r\n")
    async with single(only_for_good(limit)) as running:
        first, second = [await running.ask("{ s }", authorization="Bearer bad") for _ in range(2)]
        assert len(running.bodies) == 1
        assert await running.ask("{ s }", authorization="Bearer good") == {"data": {"s": "x"}}
        assert await running.ask("{ s }") == {**first, "errors": first["errors"]}
    extensions = {"code": "TOO_MANY_REQUESTS", "serviceName": "a", "retryAfter": 30}
    assert [answer["errors"][0]["extensions"] for answer in (first, second)] == [extensions] * 2


@pytest.mark.parametrize(
    ("query", "waits"),
    [("{ s }", "30"), ("{ s i }", "30"), ("{ s __typename }", None), ("{ sure { id } }", "30")],
)
async def test_an_answer_that_tells_nothing_but_to_wait_says_so_in_its_header(query: str, waits: str | None):
    limit = http(b"no", "429 Too Many Requests", "text/plain", "retry-after: 30\r\n")
    async with single(limit, cors_origins=["https://a.example"]) as running:
        url, origin = f"{running.origin}/graphql", {"origin": "https://a.example"}
        async with running.client.post(url, json={"query": query}, headers=origin) as response:
            assert response.headers.get("retry-after") == waits
            assert "retry-after" in response.headers["access-control-expose-headers"]


async def test_a_subgraph_that_asks_to_wait_for_long_is_not_asked_again_meanwhile():
    away = http(b"no", "503 Service Unavailable", "text/plain", "retry-after: 30\r\n")
    async with single(away, retries=2) as running:
        answer = await running.ask("{ s }")
        assert len(running.bodies) == 1
    assert answer["errors"][0]["extensions"]["retryAfter"] == 30

"""Failures that one caller provokes do not affect the other callers."""

import pytest

from tests.router.trouble.single import build_data_response, build_response, run_single

UNANSWERED = {
    "message": "The service 'a' did not respond.",
    "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "serviceName": "a"},
}


def answer_good_token_or(refusal: bytes):
    return lambda head, _: build_data_response(s="x") if b"authorization: Bearer good" in head else refusal


@pytest.mark.parametrize(
    "refusal",
    [
        build_response(b'{"message": "no"}', "401 Unauthorized"),
        build_response(b"no", "403 Forbidden", "text/plain"),
        build_response(b"no", "404 Not Found", "text/html"),
        build_response(b"no", "429 Too Many Requests", "text/plain"),
        build_response(b'{"errors": [{"message": "no"}]}', "429 Too Many Requests"),
        build_response(b"no", "500 Internal Server Error", "text/plain"),
        build_response(rb'{"data": {"s": NaN}}'),
        build_response(b"\xef\xbb\xbf{}"),
        build_response(b'{"data": {"s": "\xff"}}'),
    ],
)
async def test_a_refusal_of_one_caller_is_not_retried_and_does_not_open_the_circuit(refusal: bytes):
    async with run_single(answer_good_token_or(refusal), breaker_failures=3, retries=1) as running:
        for _ in range(5):
            answer = await running.execute("{ s }")
            assert answer["data"] == {"s": None}
            assert [error["message"] for error in answer["errors"]] == [UNANSWERED["message"]]
        assert len(running.bodies) == 5
        assert await running.execute("{ s }", authorization="Bearer good") == {"data": {"s": "x"}}


@pytest.mark.parametrize(
    "ending", [b"", b"no HTTP", build_response(b"no gzip", extra="content-encoding: gzip\r\n")]
)
async def test_broken_answers_provoked_under_many_identities_do_not_open_the_circuit(ending: bytes):
    def answer(head: bytes, _: bytes) -> bytes:
        if b"authorization: Bearer good" in head:
            return build_data_response(s="x")
        if not ending:
            raise ConnectionError
        return ending

    async with run_single(answer, breaker_failures=3, retries=0) as running:
        for number in range(6):
            answered = await running.execute("{ s }", baggage=f"k={number}", authorization=f"Bearer {number}")
            assert answered["data"] == {"s": None}
        assert len(running.bodies) == 6
        assert await running.execute("{ s }", authorization="Bearer good") == {"data": {"s": "x"}}


@pytest.mark.parametrize("wrong", ["Bearer good\n", "Bearer good\u2003", "Bearer \u1234", "Bearer good\0"])
async def test_a_token_that_no_header_can_hold_is_refused_before_any_fetch(wrong: str):
    async with run_single(build_data_response(s="x"), breaker_failures=1, breaker_seconds=600) as running:
        socket = await running.client.ws_connect(
            f"{running.origin}/graphql", protocols=["graphql-transport-ws"]
        )
        await socket.send_json({"type": "connection_init", "payload": {"authorization": wrong}})
        await socket.receive()
        assert (socket.close_code, running.bodies) == (4403, [])
        assert await running.execute("{ s }") == {"data": {"s": "x"}}


async def test_an_unavailable_subgraph_is_retried_and_then_its_circuit_opens_for_all():
    unavailable = build_response(b"no", "503 Service Unavailable", "text/plain")
    async with run_single(unavailable, breaker_failures=2, breaker_seconds=600, retries=1) as running:
        for _ in range(3):
            await running.execute("{ s }")
        assert len(running.bodies) == 2


async def test_a_throttled_caller_is_refused_at_once_and_others_are_not():
    limit = build_response(b"no", "429 Too Many Requests", "text/plain", "retry-after: 30\r\n")
    async with run_single(answer_good_token_or(limit)) as running:
        first, second = [await running.execute("{ s }", authorization="Bearer bad") for _ in range(2)]
        assert len(running.bodies) == 1
        assert await running.execute("{ s }", authorization="Bearer good") == {"data": {"s": "x"}}
        assert await running.execute("{ s }") == {**first, "errors": first["errors"]}
    extensions = {"code": "TOO_MANY_REQUESTS", "serviceName": "a", "retryAfter": 30}
    assert [answer["errors"][0]["extensions"] for answer in (first, second)] == [extensions] * 2


@pytest.mark.parametrize(
    ("query", "retry_after"),
    [("{ s }", "30"), ("{ s i }", "30"), ("{ s __typename }", None), ("{ sure { id } }", "30")],
)
async def test_an_answer_without_data_carries_retry_after(query: str, retry_after: str | None):
    limit = build_response(b"no", "429 Too Many Requests", "text/plain", "retry-after: 30\r\n")
    async with run_single(limit, cors_origins=["https://a.example"]) as running:
        url, origin = f"{running.origin}/graphql", {"origin": "https://a.example"}
        async with running.client.post(url, json={"query": query}, headers=origin) as response:
            assert response.headers.get("retry-after") == retry_after
            assert "retry-after" in response.headers["access-control-expose-headers"]


async def test_a_subgraph_with_a_long_retry_after_is_not_retried():
    unavailable = build_response(b"no", "503 Service Unavailable", "text/plain", "retry-after: 30\r\n")
    async with run_single(unavailable, retries=2) as running:
        answer = await running.execute("{ s }")
        assert len(running.bodies) == 1
    assert answer["errors"][0]["extensions"]["retryAfter"] == 30

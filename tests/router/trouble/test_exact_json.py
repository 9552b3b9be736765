"""Numbers of any size and JSON of any depth pass through the router, or are refused with an error."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest

from tests.router.trouble.single import (
    Single,
    build_chunked_response,
    build_data_response,
    build_response,
    run_single,
)
from tests.router.websocket_client import SUBPROTOCOL

BIG = b"123456789012345678901234567890"
NESTED = b"[" * 300 + b"]" * 300


async def test_a_large_integer_of_a_subgraph_keeps_its_digits():
    async with run_single(build_response(b'{"data":{"big":%b,"id":%b}}' % (BIG, BIG))) as running:
        answer = await running.fetch_text("{ big id }")
    assert answer == f'{{"data":{{"big":{BIG.decode()},"id":"{BIG.decode()}"}}}}'


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query($v: BigInt) { find(big: $v) }", b'{"v":%b}' % BIG),
        (f"query($v: BigInt = {BIG.decode()}) {{ find(big: $v) }}", b"{}"),
        ("query($v: ID) { find(id: $v) }", b'{"v":%b}' % BIG),
    ],
)
async def test_a_large_integer_of_a_client_reaches_the_subgraph_with_its_digits(query: str, variables: bytes):
    async with run_single(build_data_response(find="x")) as running:
        assert await running.execute(query, variables) == {"data": {"find": "x"}}
        assert b'"variables":{"v":%b}' % BIG in running.bodies[0].replace(b'"%b"' % BIG, BIG)


async def test_deep_json_of_a_subgraph_reaches_all_who_share_the_fetch():
    deep = b"[" * 260 + b"]" * 260
    async with run_single(build_response(b'{"data":{"json":%b}}' % deep), is_held=True) as running:
        tasks = [asyncio.create_task(running.fetch_text("{ json }")) for _ in range(4)]
        await running.wait_for_requests(1)
        running.may_answer.set()
        assert await asyncio.gather(*tasks) == [f'{{"data":{{"json":{deep.decode()}}}}}'] * 4


async def test_json_with_a_large_integer_may_be_as_deep_as_other_json():
    deep = b"[" * 300 + BIG + b"]" * 300
    async with run_single(build_response(b'{"data":{"json":%b}}' % deep)) as running:
        assert await running.fetch_text("{ json }") == f'{{"data":{{"json":{deep.decode()}}}}}'


async def test_deep_json_of_a_client_reaches_the_subgraph():
    deep, filters = b"[" * 190 + b"]" * 190, b'{"and":[' * 95 + b'{"colour":"RED"}' + b"]}" * 95
    async with run_single(build_data_response(find="x")) as running:
        for type_, name, value in (("JSON", "json", deep), ("Filter", "filter", filters)):
            query = f"query($v: {type_}) {{ find({name}: $v) }}"
            assert await running.execute(query, b'{"v":%b}' % value) == {"data": {"find": "x"}}
            assert b'"variables":{"v":%b}' % value in running.bodies[-1]


async def test_json_of_a_client_that_is_too_deep_is_an_error():
    async with run_single(build_data_response(find="x")) as running:
        answer = await running.execute(
            "query($v: JSON) { find(json: $v) }", b'{"v":%b}' % (b"[" * 260 + b"]" * 260)
        )
        assert running.bodies == []
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]


@pytest.mark.parametrize(("name", "value"), [("big", BIG), ("json", NESTED)])
class TestStreams:
    """Events with large integers or deep JSON arrive, and so do those after them."""

    def running(self, name: str, value: bytes) -> AbstractAsyncContextManager[Single]:
        event = b'event: next\ndata: {"data":{"%b":%b}}\n\n' % (name.encode(), value)
        return run_single(lambda *_: build_chunked_response(event, event, b"event: complete\n\n"))

    @pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"])
    async def test_events_arrive_over_http(self, name: str, value: bytes, accept: str):
        async with self.running(name, value) as running:
            text = await running.fetch_text(f"subscription {{ {name} }}", accept=accept)
        assert text.count(f'{{"data":{{"{name}":{value.decode()}}}}}') == 2

    async def test_events_arrive_over_a_single_connection(self, name: str, value: bytes):
        async with self.running(name, value) as running:
            url = f"{running.origin}/graphql"
            async with running.client.put(url) as response:
                token = await response.text()
            accept = {"accept": "text/event-stream"}
            async with running.client.get(url, params={"token": token}, headers=accept) as stream:
                tasks = {"query": f"subscription {{ {name} }}", "extensions": {"operationId": "1"}}
                headers = {"x-graphql-event-stream-token": token}
                async with running.client.post(url, json=tasks, headers=headers) as response:
                    assert response.status == 202
                text = (await stream.content.readuntil(b"event: complete")).decode()
        assert text.count(f'"payload":{{"data":{{"{name}":{value.decode()}}}}}') == 2

    async def test_events_arrive_over_websockets(self, name: str, value: bytes):
        async with (
            self.running(name, value) as running,
            running.client.ws_connect(f"{running.origin}/graphql", protocols=[SUBPROTOCOL]) as socket,
        ):
            await socket.send_json({"type": "connection_init"})
            await socket.receive_str(timeout=10)
            payload = {"query": f"subscription {{ {name} }}"}
            await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
            messages = [await socket.receive_str(timeout=10) for _ in range(3)]
        event = f'{{"id":"1","type":"next","payload":{{"data":{{"{name}":{value.decode()}}}}}}}'
        assert messages == [event, event, '{"id":"1","type":"complete"}']

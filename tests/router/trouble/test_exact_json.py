"""Numbers of any size and JSON of any depth pass through the router, or are refused with an error."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest

from tests.router.trouble.single import Single, chunked, data, http, single
from tests.router.websocket_client import SUBPROTOCOL

BIG = b"123456789012345678901234567890"
NESTED = b"[" * 300 + b"]" * 300


async def test_a_large_integer_of_a_subgraph_keeps_its_digits():
    async with single(http(b'{"data":{"big":%b,"id":%b}}' % (BIG, BIG))) as running:
        answer = await running.text("{ big id }")
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
    async with single(data(find="x")) as running:
        assert await running.ask(query, variables) == {"data": {"find": "x"}}
        assert b'"variables":{"v":%b}' % BIG in running.bodies[0].replace(b'"%b"' % BIG, BIG)


async def test_deep_json_of_a_subgraph_is_answered_to_all_who_share_the_fetch():
    deep = b"[" * 260 + b"]" * 260
    async with single(http(b'{"data":{"json":%b}}' % deep), held=True) as running:
        asked = [asyncio.create_task(running.text("{ json }")) for _ in range(4)]
        await running.asked(1)
        running.may_answer.set()
        assert await asyncio.gather(*asked) == [f'{{"data":{{"json":{deep.decode()}}}}}'] * 4


async def test_json_with_a_large_integer_may_be_as_deep_as_other_json():
    deep = b"[" * 300 + BIG + b"]" * 300
    async with single(http(b'{"data":{"json":%b}}' % deep)) as running:
        assert await running.text("{ json }") == f'{{"data":{{"json":{deep.decode()}}}}}'


async def test_json_of_a_client_reaches_the_subgraph_as_deep_as_it_may_be():
    deep, filters = b"[" * 190 + b"]" * 190, b'{"and":[' * 95 + b'{"colour":"RED"}' + b"]}" * 95
    async with single(data(find="x")) as running:
        for type_, name, value in (("JSON", "json", deep), ("Filter", "filter", filters)):
            query = f"query($v: {type_}) {{ find({name}: $v) }}"
            assert await running.ask(query, b'{"v":%b}' % value) == {"data": {"find": "x"}}
            assert b'"variables":{"v":%b}' % value in running.bodies[-1]


async def test_json_of_a_client_that_is_deeper_is_an_error():
    async with single(data(find="x")) as running:
        answer = await running.ask(
            "query($v: JSON) { find(json: $v) }", b'{"v":%b}' % (b"[" * 260 + b"]" * 260)
        )
        assert running.bodies == []
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]


@pytest.mark.parametrize(("name", "value"), [("big", BIG), ("json", NESTED)])
class TestStreams:
    """Whatever a subgraph's events carry, they come, and those after them."""

    def running(self, name: str, value: bytes) -> AbstractAsyncContextManager[Single]:
        event = b'event: next\ndata: {"data":{"%b":%b}}\n\n' % (name.encode(), value)
        return single(lambda *_: chunked(event, event, b"event: complete\n\n"))

    @pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"])
    async def test_over_http(self, name: str, value: bytes, accept: str):
        async with self.running(name, value) as running:
            text = await running.text(f"subscription {{ {name} }}", accept=accept)
        assert text.count(f'{{"data":{{"{name}":{value.decode()}}}}}') == 2

    async def test_over_one_connection_of_many_operations(self, name: str, value: bytes):
        async with self.running(name, value) as running:
            url = f"{running.origin}/graphql"
            async with running.client.put(url) as response:
                token = await response.text()
            accept = {"accept": "text/event-stream"}
            async with running.client.get(url, params={"token": token}, headers=accept) as stream:
                asked = {"query": f"subscription {{ {name} }}", "extensions": {"operationId": "1"}}
                headers = {"x-graphql-event-stream-token": token}
                async with running.client.post(url, json=asked, headers=headers) as response:
                    assert response.status == 202
                text = (await stream.content.readuntil(b"event: complete")).decode()
        assert text.count(f'"payload":{{"data":{{"{name}":{value.decode()}}}}}') == 2

    async def test_over_web_sockets(self, name: str, value: bytes):
        async with (
            self.running(name, value) as running,
            running.client.ws_connect(f"{running.origin}/graphql", protocols=[SUBPROTOCOL]) as socket,
        ):
            await socket.send_json({"type": "connection_init"})
            await socket.receive_str(timeout=10)
            payload = {"query": f"subscription {{ {name} }}"}
            await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
            told = [await socket.receive_str(timeout=10) for _ in range(3)]
        event = f'{{"id":"1","type":"next","payload":{{"data":{{"{name}":{value.decode()}}}}}}}'
        assert told == [event, event, '{"id":"1","type":"complete"}']

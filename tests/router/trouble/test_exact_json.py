"""Numbers of any size and JSON of any depth pass through the router, or are refused with an error."""

import asyncio

import pytest

from tests.router.trouble.single import data, http, single

BIG = b"123456789012345678901234567890"


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

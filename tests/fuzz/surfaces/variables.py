"""Variables and the JSON around them: deep, huge, twice, of the wrong type, and what no text may be."""

from __future__ import annotations

from collections.abc import Iterable

from tests.fuzz.arena import Arena
from tests.fuzz.attacks import ROUTER, SERVERS, attack
from tests.fuzz.wire import request

HEAD = [("content-type", "application/json"), ("connection", "close")]
NAMED = "query ($v: String!) { __type(name: $v) { name } }"


async def send_json(arena: Arena, body: str | bytes) -> None:
    data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    await arena.send(request(headers=[*HEAD, arena.token], body=data))


async def send_values(arena: Arena, values: Iterable[str]) -> None:
    """Each as it stands, as the value of a variable, of one that nobody declared, and beside the query."""
    for value in values:
        for body in (
            f'{{"query": "{NAMED}", "variables": {{"v": {value}}}}}',
            f'{{"query": "{{__typename}}", "variables": {{"other": {value}}}}}',
            f'{{"query": "{{__typename}}", "extensions": {{"x": {value}}}}}',
            f'{{"query": "{{__typename}}", "operationName": {value}}}',
            f'{{"query": "{{__typename}}", "more": {value}}}',
        ):
            await send_json(arena, body)


@attack("variables.deep", SERVERS)
async def deep(arena: Arena) -> None:
    for depth in (200, 260, arena.chance.randint(300, 900), 1_000, 1_100, 5_000, 100_000):
        await send_values(arena, ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth))


@attack("variables.deep-for-json-types", ROUTER)
async def deep_for_json_types(arena: Arena) -> None:
    """Where the value is passed on to a subgraph."""
    document = "query ($i: CreateChildInput!, $l: [String!]) { __typename } "
    for depth in (100, 240, 255, 260, 500, 990):
        nested = "[" * depth + "]" * depth
        mutation = "mutation ($i: CreateChildInput!) { createChild(input: $i) { __typename } }"
        await send_json(arena, f'{{"query": "{mutation}", "variables": {{"i": {nested}}}}}')
        await send_json(arena, f'{{"query": "{document}", "variables": {{"i": {{"interests": {nested}}}}}}}')
        await send_json(arena, f'{{"query": "{{book(id: {nested}){{id}}}}"}}')


@attack("variables.long-lists", ROUTER)
async def long_lists(arena: Arena) -> None:
    """Where each item is coerced, and may have an error of its own."""
    document = "mutation ($i: CreateChildInput!) { createChild(input: $i) { __typename } }"
    for item in ('""', "null", "7", "[]"):
        items = ",".join([item] * (900_000 // (len(item) + 1)))
        await send_json(arena, f'{{"query": "{document}", "variables": {{"i": {{"interests": [{items}]}}}}}}')
    many = ",".join(f'"k{n}": 1' for n in range(70_000))
    await send_json(arena, f'{{"query": "{document}", "variables": {{"i": {{{many}}}}}}}')


@attack("variables.numbers", SERVERS)
async def numbers(arena: Arena) -> None:
    values = (
        *(
            "9" * 30,
            "9" * 4_400,
            "9" * 100_000,
            "-" + "9" * 20,
            "1e400",
            "-1e400",
            "1e-400",
            "1E+309",
            "0.1e-99",
        ),
        *(
            "NaN",
            "Infinity",
            "-Infinity",
            "-0",
            "00",
            "0x10",
            "1_0",
            "4294967296",
            "2147483648",
            "-2147483649",
        ),
        *("9223372036854775808", "1.0", "1.5", "1e2", "1" + "0" * 300 + ".0"),
    )
    await send_values(arena, values)


@attack("variables.texts", SERVERS)
async def texts(arena: Arena) -> None:
    values = (
        '"\\u0000"',
        '"a\\u0000b"',
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\ud800"',
        '"\\u001b[31mred\\u0007"',
        '"\\u202egnp.exe"',
        '"\\u200b"',
        '"' + "x" * 500_000 + '"',
        '"' + "\\u0041" * 100_000 + '"',
        '"' + "\\n" * 100_000 + '"',
        '"\n"',
        "'a'",
        '"\\x41"',
    )
    await send_values(arena, values)


@attack("variables.wide", SERVERS)
async def wide(arena: Arena) -> None:
    many = ",".join(f'"{arena.salt()}": 1' for _ in range(30_000))
    same = ",".join('"v": "a"' for _ in range(60_000))
    await send_values(
        arena, ("[" + "1," * 300_000 + "1]", f"{{{many}}}", f"{{{same}}}", "[" + "[]," * 200_000 + "1]")
    )
    await send_json(arena, f'{{"query": "{NAMED}", "variables": {{{many}}}}}')
    await send_json(arena, f'{{"query": "{NAMED}", "variables": {{{same}}}}}')


@attack("variables.combining", SERVERS)
async def combining(arena: Arena) -> None:
    """What takes quadratic time to normalise."""
    half = arena.chance.choice([4_000, 30_000])
    text = "a" + "\u0301" * half + "\u0327" * half
    await send_values(arena, (f'"{text}"', '"' + "\ufdfa" * half + '"', '"' + "\u1100\u1161" * half + '"'))


@attack("variables.wrong-types", SERVERS)
async def wrong_types(arena: Arena) -> None:
    values = ("null", "true", "7", "1.5", '""', '"7"', "[]", "{}", "[null]", '{"v": 1}', '["a"]', "[[[]]]")
    await send_values(arena, values)


@attack("variables.half-json", SERVERS)
async def half_json(arena: Arena) -> None:
    whole = f'{{"query": "{NAMED}", "variables": {{"v": "abc", "w": [1, 2, {{"a": null}}]}}}}'
    for _ in range(25):
        place = arena.chance.randrange(len(whole))
        await send_json(arena, whole[:place])
        await send_json(
            arena, whole[:place] + arena.chance.choice('{}[]",:\\\x00\x01nt-+e.') + whole[place + 1 :]
        )

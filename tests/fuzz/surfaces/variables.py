"""Attacks by variables and request JSON: deep, large, duplicate and mistyped values, and invalid strings."""

from __future__ import annotations

from collections.abc import Iterable

from tests.fuzz.attacks import ROUTER, SERVERS
from tests.fuzz.context import AttackContext
from tests.fuzz.raw_client import CLOSE_CONNECTION, JSON, build_request
from tests.fuzz.registry import attack

NAMED = "query ($v: String!) { __type(name: $v) { name } }"


async def send_json(context: AttackContext, body: str | bytes) -> None:
    data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    await context.send(build_request(headers=[JSON, CLOSE_CONNECTION, context.token], body=data))


async def send_values(context: AttackContext, values: Iterable[str]) -> None:
    """Send each JSON value as a declared and an undeclared variable, and as other members of the request."""
    for value in values:
        for body in (
            f'{{"query": "{NAMED}", "variables": {{"v": {value}}}}}',
            f'{{"query": "{{__typename}}", "variables": {{"other": {value}}}}}',
            f'{{"query": "{{__typename}}", "extensions": {{"x": {value}}}}}',
            f'{{"query": "{{__typename}}", "operationName": {value}}}',
            f'{{"query": "{{__typename}}", "more": {value}}}',
        ):
            await send_json(context, body)


@attack("variables.deep", SERVERS)
async def deep(context: AttackContext) -> None:
    for depth in (200, 260, context.random.randint(300, 900), 1_000, 1_100, 5_000, 100_000):
        await send_values(context, ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth))


@attack("variables.deep-for-json-types", ROUTER)
async def deep_for_json_types(context: AttackContext) -> None:
    """Deep values in variables that the router forwards to a subgraph."""
    document = "query ($i: CreateChildInput!, $l: [String!]) { __typename } "
    for depth in (100, 240, 255, 260, 500, 990):
        nested = "[" * depth + "]" * depth
        mutation = "mutation ($i: CreateChildInput!) { createChild(input: $i) { __typename } }"
        await send_json(context, f'{{"query": "{mutation}", "variables": {{"i": {nested}}}}}')
        await send_json(
            context, f'{{"query": "{document}", "variables": {{"i": {{"interests": {nested}}}}}}}'
        )
        await send_json(context, f'{{"query": "{{book(id: {nested}){{id}}}}"}}')


@attack("variables.long-lists", ROUTER)
async def long_lists(context: AttackContext) -> None:
    """Long lists whose items are coerced one by one, each possibly with an error."""
    document = "mutation ($i: CreateChildInput!) { createChild(input: $i) { __typename } }"
    for item in ('""', "null", "7", "[]"):
        items = ",".join([item] * (900_000 // (len(item) + 1)))
        await send_json(
            context, f'{{"query": "{document}", "variables": {{"i": {{"interests": [{items}]}}}}}}'
        )
    many = ",".join(f'"k{n}": 1' for n in range(70_000))
    await send_json(context, f'{{"query": "{document}", "variables": {{"i": {{{many}}}}}}}')


@attack("variables.numbers", SERVERS)
async def numbers(context: AttackContext) -> None:
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
    await send_values(context, values)


@attack("variables.strings", SERVERS)
async def texts(context: AttackContext) -> None:
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
    await send_values(context, values)


@attack("variables.wide", SERVERS)
async def wide(context: AttackContext) -> None:
    many = ",".join(f'"{context.generate_name()}": 1' for _ in range(30_000))
    same = ",".join('"v": "a"' for _ in range(60_000))
    await send_values(
        context, ("[" + "1," * 300_000 + "1]", f"{{{many}}}", f"{{{same}}}", "[" + "[]," * 200_000 + "1]")
    )
    await send_json(context, f'{{"query": "{NAMED}", "variables": {{{many}}}}}')
    await send_json(context, f'{{"query": "{NAMED}", "variables": {{{same}}}}}')


@attack("variables.combining", SERVERS)
async def combining(context: AttackContext) -> None:
    """Combining characters, which a naive normalisation sorts in quadratic time."""
    half = context.random.choice([4_000, 30_000])
    text = "a" + "\u0301" * half + "\u0327" * half
    await send_values(context, (f'"{text}"', '"' + "\ufdfa" * half + '"', '"' + "\u1100\u1161" * half + '"'))


@attack("variables.wrong-types", SERVERS)
async def wrong_types(context: AttackContext) -> None:
    values = ("null", "true", "7", "1.5", '""', '"7"', "[]", "{}", "[null]", '{"v": 1}', '["a"]', "[[[]]]")
    await send_values(context, values)


@attack("variables.truncated-json", SERVERS)
async def truncated_json(context: AttackContext) -> None:
    whole = f'{{"query": "{NAMED}", "variables": {{"v": "abc", "w": [1, 2, {{"a": null}}]}}}}'
    for _ in range(25):
        place = context.random.randrange(len(whole))
        await send_json(context, whole[:place])
        await send_json(
            context, whole[:place] + context.random.choice('{}[]",:\\\x00\x01nt-+e.') + whole[place + 1 :]
        )

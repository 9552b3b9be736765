"""Attacks by documents: deep, wide, recursive, very large, misspelt and malformed ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from tests.fuzz.attacks import ROUTER, SERVERS
from tests.fuzz.context import AttackContext
from tests.fuzz.registry import attack

Documents = Callable[[Random], Iterable[str]]


def documents(name: str, targets: Iterable[str] = SERVERS) -> Callable[[Documents], Documents]:
    """Register an attack that sends the documents of a generator, which are valid for any schema."""

    def register(write: Documents) -> Documents:
        @attack(f"documents.{name}", targets)
        async def launch(context: AttackContext) -> None:
            for document in write(context.random):
                await context.execute(document)

        return write

    return register


TYPES = "__schema { types { name } }"


@documents("deep")
def deep(random: Random) -> Iterable[str]:
    for depth in (100, random.randint(1_000, 3_000), 20_000, 49_000):
        yield "{a" * depth + "}" * depth
        yield "{ __type(name: " + "[" * depth + "]" * depth + ") { name } }"
        yield "query ($v: " + "[" * depth + "Int" + "]" * depth + ") { __typename }"
        yield "{ __type(name: " + "{a:" * depth + "1" + "}" * depth + ") { name } }"


@documents("deep-introspection")
def deep_introspection(random: Random) -> Iterable[str]:
    for depth in (3, 6, 10, 15):
        inner = "name"
        for _ in range(depth):
            inner = f"fields {{ type {{ {inner} }} }}"
        yield f"{{ __schema {{ types {{ {inner} }} }} }}"
    inner = "name"
    for _ in range(12):
        inner = f"possibleTypes {{ name interfaces {{ {inner} }} }}"
    yield f"{{ __schema {{ types {{ {inner} }} }} }}"
    of_type = "name " + "ofType { name " * 15 + "}" * 15
    fields = f"fields {{ type {{ {of_type} }} args {{ type {{ {of_type} }} }} }}"
    yield f"{{ __schema {{ types {{ {fields} }} }} }}"


@documents("repeated-introspection")
def repeated_introspection(random: Random) -> Iterable[str]:
    whole = "types { name description fields { name description type { name kind } args { name } } }"
    yield "{" + " ".join(f"a{n}: __schema {{ {whole} }}" for n in range(25)) + "}"
    yield "{ __schema {" + " ".join(f"a{n}: {whole}" for n in range(90)) + "} }"
    yield "{" + " ".join(f'a{n}: __type(name: "Query") {{ name fields {{ name }} }}' for n in range(29)) + "}"


@documents("wide")
def wide(random: Random) -> Iterable[str]:
    yield "{" + " __typename" * 3_900 + "}"
    yield "{" + " ".join(f"a{n}: __typename" for n in range(1_300)) + "}"
    yield "{" + " ".join(f"a{n}: __typename" for n in range(100)) + "}"
    yield "{" + " ".join(f"unknown{n}" for n in range(3_900)) + "}"
    yield "{ __schema { types {" + " name" * 3_900 + "} } }"
    yield "{ __schema { types {" + " ".join(f"a{n}: name" for n in range(95)) + "} } }"
    yield "{" + "... { __typename }" * 780 + "}"


@documents("errors-after-many-lines")
def errors_after_many_lines(random: Random) -> Iterable[str]:
    lines = random.choice(["\n", "\r", "\r\n"]) * 45_000
    yield lines + "{" + " ".join(f"unknown{n}" for n in range(100)) + "}"
    yield lines + "{" + " ".join(f'a{n}: __type(name: "Query") {{ unknown }}' for n in range(29)) + "}"


@documents("fragments-spread-exponentially")
def fragments_spread_exponentially(random: Random) -> Iterable[str]:
    for count in (12, 20, 30, 95):
        names = [f"F{n}" for n in range(count)]
        parts = [
            f"fragment {a} on __Type {{ x: ofType {{ ...{b} }} y: ofType {{ ...{b} }} }}"
            for a, b in zip(names, [*names[1:], "End"], strict=True)
        ]
        yield "{ __schema { types { ...F0 } } } fragment End on __Type { name } " + " ".join(parts)
    twice = [f"fragment G{n} on __Type {{ ...G{n + 1} ...G{n + 1} }}" for n in range(60)]
    yield "{ __schema { types { ...G0 } } } fragment G60 on __Type { name } " + " ".join(twice)


@documents("cycles")
def cycles(random: Random) -> Iterable[str]:
    yield "{ __schema { types { ...A } } } fragment A on __Type { name ...A }"
    yield "{ __schema { types { ...A } } } fragment A on __Type { ...B } fragment B on __Type { ...A }"
    count = 99
    ring = " ".join(f"fragment F{n} on __Type {{ ...F{(n + 1) % count} }}" for n in range(count))
    yield "{ __schema { types { ...F0 } } } " + ring
    every = " ".join(f"...F{n}" for n in range(35))
    yield "{ __schema { types { ...F0 } } } " + " ".join(
        f"fragment F{n} on __Type {{ {every} }}" for n in range(35)
    )


@documents("overlapping")
def overlapping(random: Random) -> Iterable[str]:
    """Fields with the same response name, whose comparison can take quadratic time or worse."""
    yield "{ __schema {" + "types { name kind }" * 600 + "} }"
    yield (
        "{ __schema {" + " ".join(f"types {{ a: {'name' if n % 2 else 'kind'} }}" for n in range(400)) + "} }"
    )
    spread = " ".join(f"...F{n}" for n in range(90))
    yield f"{{ __schema {{ types {{ {spread} }} }} }}" + " ".join(
        f"fragment F{n} on __Type {{ a: name b: kind ofType {{ a: name b: kind }} }}" for n in range(90)
    )
    nested = "name"
    for _ in range(8):
        nested = f"ofType {{ {nested} }} " * 2
    yield f"{{ __schema {{ types {{ {nested} }} }} }}"
    yield "{" + " ".join(f'a: __type(name: "{n}") {{ name }}' for n in range(300)) + "}"
    objects = ", ".join(f"k{n}: {n}" for n in range(40))
    yield "{" + f"a: __type(name: {{{objects}}}) {{ name }} " * 22 + "}"


@documents("directives")
def directives(random: Random) -> Iterable[str]:
    yield "{ __typename" + " @include(if: true)" * 600 + "}"
    yield "{ __typename" + " @unknown" * 1_900 + "}"
    yield "query" + " @skip(if: false)" * 500 + "{ __typename }"
    yield "query ($a: Boolean!" + " @a" * 1_000 + ") { __typename }"
    yield "{ ... @defer { __typename } " + "... @defer(label: 1) { __typename }" * 90 + "}"
    yield "{ ... @defer(if: $no) { __typename } }"
    yield "{ __typename @include(if: null) b: __typename @skip c: __typename @include(if: [true]) }"
    variables = ", ".join(f"$v{n}: Boolean!" for n in range(90))
    yield f"query ({variables}) {{" + " ".join(f"a{n}: __typename @skip(if: $v{n})" for n in range(90)) + "}"
    nested = "__typename"
    for n in range(17):
        nested = f"... @include(if: true) {{ {nested} a{n}: __typename }}"
    yield f"{{ {nested} }}"


@documents("names")
def names(random: Random) -> Iterable[str]:
    long = "a" * 90_000
    yield f"{{ {long} }}"
    yield f"{{ {long}: __typename }}"
    yield f"query {long} {{ __typename }}"
    yield f"query (${long}: Int) {{ __typename }}"
    yield f"{{ ... on {long} {{ a }} }}"
    yield f"{{ __typename @{long} }}"
    yield f'{{ __type(name: "{long}") {{ name }} }}'
    yield "{ displayNam prnt bok usr childre orde pag snapsho quot generatio __typenam __schem _servic }"
    yield "{" + " ".join(f"printProduct{n}s" for n in range(1_900)) + "}"


@documents("reserved-names", ROUTER)
def reserved_names(random: Random) -> Iterable[str]:
    """Aliases that a router may generate itself."""
    for alias in (
        "__a",
        "__typename",
        "_",
        "__",
        "__0",
        "a__b",
        "_a0",
        "__defer",
        "_entities",
        "_0_id",
        "__key",
    ):
        yield f"{{ {alias}: me {{ id }} }}"
        yield f"{{ me {{ {alias}: id books {{ nodes {{ {alias}: title orders {{ {alias}: id }} }} }} }} }}"
        yield f"{{ me {{ id __typename: email }} {alias}: printProducts {{ id }} }}"
    yield "{ me { __typename: id } me { __typename } }"
    yield "{ printProducts { id: name __typename: id } }"


@documents("literals")
def literals(random: Random) -> Iterable[str]:
    for value in (
        "9" * 90_000,
        "-" + "9" * 5_000,
        "1e" + "9" * 80_000,
        "0." + "0" * 80_000 + "1",
        "1e-400",
        '"' + "a" * 90_000 + '"',
        '"' + "\\u0041" * 15_000 + '"',
        '"' + "\\\\" * 40_000 + '"',
        '"""' + "\n" * 80_000 + '"""',
        '"""' + " " * 40_000 + "\n" + " " * 40_000 + 'a"""',
        '"""' + '\\"""' * 20_000 + '"""',
        '"""' + "".join(" " * n + "a\n" for n in range(400)) + '"""',
        "[" + "1," * 1_900 + "]",
        "{" + " ".join(f"a{n}: 1" for n in range(900)) + "}",
        '"\\ud800"',
        '"\\u{110000}"',
        '"\\u{' + "0" * 50_000 + '41}"',
        '"\\uD83D\\uDE00"',
        "TRUE",
        "$",
        "&",
    ):
        yield f"{{ __type(name: {value}) {{ name }} }}"


@documents("comments")
def comments(random: Random) -> Iterable[str]:
    yield "{ __typename }" + "\n#" * 40_000
    yield "#" + "a" * 99_000 + "\n{ __typename }"
    yield "," * 95_000 + "{ __typename }"
    yield "\ufeff" * 3_000 + "{ __typename }"
    yield "{ __typename }" + " " * 900_000
    yield "\r\n" * 45_000 + "{ __typename"
    yield "\r" * 45_000 + "{ __typename } ?"


@documents("characters")
def characters(random: Random) -> Iterable[str]:
    for text in (
        "\x00",
        "\x1b[31m",
        "\u202e",
        "\u2028",
        "\ud7ff",
        "\U0010ffff",
        "é",
        "\x7f",
        "\u200b",
        "\u0301" * 9_000,
    ):
        yield f"{{ __typename }} {text}"
        yield f'{{ __type(name: "{text}") {{ name }} }}'
        yield f"{{ a{text}b }}"
        yield f"query {text} {{ __typename }}"
    yield "".join(chr(random.randint(1, 0xD7FF)) for _ in range(2_000))


@documents("definitions")
def definitions(random: Random) -> Iterable[str]:
    yield " ".join(f"query Q{n} {{ __typename }}" for n in range(990))
    yield " ".join("query Q { __typename }" for _ in range(99))
    yield "{ __typename } { __typename }"
    yield "{ __typename } " + " ".join(f"fragment F{n} on Query {{ __typename }}" for n in range(95))
    yield "{ __typename } " + " ".join("fragment F on Query { __typename }" for _ in range(95))
    yield "type Query { a: Int } extend type Query { b: Int } schema { query: Query }"
    yield "query (" + " ".join(f"$v{n}: Int = {n}" for n in range(790)) + ") { __typename }"
    yield "query (" + " ".join("$v: Int" for _ in range(990)) + ") { __typename }"
    yield "subscription { __typename }"
    yield "mutation { __typename }"
    yield "subscription { a: __typename b: __typename }"
    yield ""
    yield "{"
    yield "{ }"
    yield "fragment F on Query { __typename }"


@attack("documents.unique", ROUTER, burst=True)
async def unique(context: AttackContext) -> None:
    """600 new operations, 110 at a time, that may evict other clients' operations from the cache."""
    await context.run_concurrently(
        (context.execute(f"{{ {context.generate_name()}: __typename }}") for _ in range(600)), limit=110
    )


@attack("documents.unique-invalid", ROUTER, burst=True)
async def unique_invalid(context: AttackContext) -> None:
    wrong = " ".join(f"nothing{n}" for n in range(300))
    await context.run_concurrently((context.execute(f"{{ {wrong} }}") for _ in range(200)), limit=60)


@attack("documents.unique-large", ROUTER, burst=True)
async def unique_large(context: AttackContext) -> None:
    books = " ".join(f"a{n}: nodes {{ title pages {{ text }} orders {{ number }} }}" for n in range(24))
    await context.run_concurrently(
        (context.execute(f"{{ me {{ books {{ {books} }} }} }}") for _ in range(60)), limit=30
    )

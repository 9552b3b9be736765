"""GraphQL documents for fetches."""

from __future__ import annotations

from collections.abc import Container, Sequence

import orjson

from router.operation.selections import TYPENAME, Conditions, print_conditions
from router.planner.plan import FetchNode, Output
from router.transport.request_body import RequestBody


def root_body(fetch: FetchNode, name: str = "") -> RequestBody:
    """The request of a fetch that asks a root type, under a name that tells subgraphs why it is asked."""
    declared = [f"${name}:{type_}" for name, type_ in fetch.variables]
    head = f"({','.join(declared)})" if declared else ""
    head = f"{_named(fetch.kind, name)}{head}{fetch.directives}"
    return _body(f"{head}{compact(fetch.output)}", fetch.variables)


def entities_body(fetches: Sequence[FetchNode], name: str = "") -> RequestBody:
    """The request that carries entity fetches together; one may be there several times, for its contexts."""
    variables = dict(variable for fetch in fetches for variable in fetch.variables)
    declared = [f"${name}:{type_}" for name, type_ in sorted(variables.items())]
    names = tuple(_free(f"representations{index or ''}", variables) for index in range(len(fetches)))
    declared += [f"${name}:[_Any!]!" for name in names]
    declared += [
        f"${each.name}{suffix(index)}:{each.type}"
        for index, fetch in enumerate(fetches)
        for each in fetch.contexts
    ]
    asked = " ".join(
        f"{alias(index)}_entities(representations:${names[index]}){compact(fetch.output, suffix(index))}"
        for index, fetch in enumerate(fetches)
    )
    head = f"{_named('query', name)}({','.join(declared)}){fetches[0].directives}"
    return _body(f"{head}{{{asked}}}", tuple(sorted(variables.items())), names)


def entities_key(index: int) -> str:
    """The response name of one of the fetches sent together."""
    return f"_entities{index or ''}"


def suffix(index: int) -> str:
    """What the variables of contexts end in, in one of the fetches sent together."""
    return f"_{index}" if index else ""


def alias(index: int) -> str:
    """The alias of one of the fetches sent together; the first needs none."""
    return f"{entities_key(index)}:" if index else ""


def compact(output: Output, ending: str = "") -> str:
    """A selection set on one line; the variables of contexts get an ending."""
    parts = [TYPENAME] if output.typename else []
    for field in output.fields:
        name = field.name if field.key == field.name else f"{field.key}:{field.name}"
        below = compact(field.output, ending) if field.output else ""
        parts.append(_conditional(f"{name}{field.call(ending)}", field.conditions, below))
    parts += [f"...on {name}{compact(narrowed, ending)}" for name, narrowed in output.narrowed]
    return f"{{{' '.join(parts)}}}"


def _conditional(field: str, conditions: Conditions, below: str) -> str:
    """A field under its conditions; no directive may stand twice at one place, so others stand around."""
    own = {value: (variable, value) for variable, value in sorted(conditions, reverse=True)}
    text = f"{field}{print_conditions(frozenset(own.values()))}{below}"
    for each in sorted(conditions - set(own.values())):
        text = f"...{print_conditions(frozenset({each}))}{{{text}}}"
    return text


def _named(kind: str, name: str) -> str:
    return f"{kind} {name}" if name else kind


def _free(name: str, taken: Container[str]) -> str:
    """A name that no variable of the client has."""
    while name in taken:
        name = f"_{name}"
    return name


def _body(
    document: str, variables: tuple[tuple[str, str], ...], representations: tuple[str, ...] = ()
) -> RequestBody:
    head = b'{"query":' + orjson.dumps(document)
    return RequestBody(document, tuple(name for name, _ in variables), head, representations)

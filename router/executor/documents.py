"""Documents: the requests of fetches, printed compactly and without the values of their variables."""

from __future__ import annotations

from collections.abc import Container, Sequence

import orjson

from router.operation.conditions import Conditions, print_conditions
from router.operation.selections import TYPENAME
from router.planner.plan import FetchNode, Output
from router.transport.request_body import RequestBody


def build_root_request(fetch: FetchNode, name: str = "") -> RequestBody:
    """The request of a fetch that selects fields of a root type, with an operation name for the subgraph."""
    declared = [f"${name}:{type_}" for name, type_ in fetch.variables]
    head = f"({','.join(declared)})" if declared else ""
    head = f"{_print_head(fetch.kind, name)}{head}{fetch.directives}"
    return _build_body(f"{head}{print_compact(fetch.output)}", fetch.variables)


def build_entities_request(fetches: Sequence[FetchNode], name: str = "") -> RequestBody:
    """The request of several entity fetches; a contextual one may be among them several times.

    Two fetches make `{_entities(representations:$representations){…} _entities1:_entities(…){…}}`.
    """
    variables = dict(variable for fetch in fetches for variable in fetch.variables)
    declared = [f"${name}:{type_}" for name, type_ in sorted(variables.items())]
    names = tuple(
        _find_free_name(f"representations{index or ''}", variables) for index in range(len(fetches))
    )
    declared += [f"${name}:[_Any!]!" for name in names]
    declared += [
        f"${each.name}{get_variable_suffix(index)}:{each.type}"
        for index, fetch in enumerate(fetches)
        for each in fetch.contexts
    ]
    selections = " ".join(
        f"{_print_entities_alias(index)}_entities(representations:${names[index]})"
        f"{print_compact(fetch.output, get_variable_suffix(index))}"
        for index, fetch in enumerate(fetches)
    )
    head = f"{_print_head('query', name)}({','.join(declared)}){fetches[0].directives}"
    return _build_body(f"{head}{{{selections}}}", tuple(sorted(variables.items())), names)


def get_entities_response_name(index: int) -> str:
    """The response name of an entity fetch by its index in the request."""
    return f"_entities{index or ''}"


def get_variable_suffix(index: int) -> str:
    """The suffix of an entity fetch's context variables by its index in the request."""
    return f"_{index}" if index else ""


def _print_entities_alias(index: int) -> str:
    """The alias of an entity fetch by its index in the request; the first needs none."""
    return f"{get_entities_response_name(index)}:" if index else ""


def print_compact(output: Output, suffix: str = "") -> str:
    """A selection set on one line; context variables get a suffix."""
    parts = [TYPENAME] if output.has_typename else []
    for field in output.fields:
        name = field.name if field.key == field.name else f"{field.key}:{field.name}"
        below = print_compact(field.output, suffix) if field.output else ""
        parts.append(
            _print_conditional(
                f"{name}{field.print_arguments_and_directives(suffix)}", field.conditions, below
            )
        )
    parts += [f"...on {name}{print_compact(narrowed, suffix)}" for name, narrowed in output.narrowed]
    return f"{{{' '.join(parts)}}}"


def _print_conditional(field: str, conditions: Conditions, below: str) -> str:
    """A field with its conditions.

    A directive must not be repeated, so further conditions of a kind are on inline fragments around it.
    """
    own = {value: (variable, value) for variable, value in sorted(conditions, reverse=True)}
    text = f"{field}{print_conditions(frozenset(own.values()))}{below}"
    for each in sorted(conditions - set(own.values())):
        text = f"...{print_conditions(frozenset({each}))}{{{text}}}"
    return text


def _print_head(kind: str, name: str) -> str:
    return f"{kind} {name}" if name else kind


def _find_free_name(name: str, taken: Container[str]) -> str:
    """A name that none of the client's variables has."""
    while name in taken:
        name = f"_{name}"
    return name


def _build_body(
    document: str, variables: tuple[tuple[str, str], ...], representations: tuple[str, ...] = ()
) -> RequestBody:
    head = b'{"query":' + orjson.dumps(document)
    return RequestBody(document, tuple(name for name, _ in variables), head, representations)

"""Object completion: the fields of an object are selected from its data, and their values completed.

A loop over the fields is the plain form. Most objects of a response have all their keys, and leaves of the
right classes; with these the loop would take most of the router's time. So a function without one is
generated for each selection set. For a book in `{ books { title pages author { name } } }` it is

    def complete(value, path, response):
        try:
            v0 = value[k0]
            v1 = value[k1]
            v2 = value[k2]
        except (KeyError, TypeError):
            return interpret(value, path, response)
        if not ((v0.__class__ is str) and (v1.__class__ is int and -2147483648 <= v1 <= 2147483647)):
            return interpret(value, path, response)
        v2 = f2(v2, path, n2, response)
        if v2 is PROPAGATED:
            return None
        return {n0: v0, n1: v1, n2: v2}

which leaves all that may need an error to the loop, `interpret`. Keys, response names and the functions for
fields with selections are arguments of the function around this one: selection sets of one shape share its
code, and nothing that a client sent is ever part of it.

Where fields depend on variables, there is such a function for each variant, made when it is first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple, TypeAlias

from router.executor.response_builder import CompleteObject, LinkedPath, ResponseBuilder
from router.executor.value_completion import CALLED, PROPAGATED, UNREAD, CompleteValue
from router.operation.conditions import Conditions, are_met

# Python compiles this many fields in a millisecond or two, during which it runs nothing else.
MAX_FIELDS = 50
# The code of a shape takes up to 20 kB.
MAX_SHAPES = 1000
MAX_VARIANTS = 8

_Factory: TypeAlias = Callable[
    [Sequence[str], Sequence[str], Sequence[CompleteValue], CompleteObject, object], CompleteObject
]


class CompiledField(NamedTuple):
    """A field of an object: its response name, its key in the data, and how its value is completed.

    `check` is the condition, in Python, under which a value `{0}` is complete as it is; or `CALLED`: each
    value is to be completed, or `UNREAD`: the field has a value without having one in the data.
    """

    name: str
    key: str
    complete: CompleteValue
    check: str


def compile_fields(
    typename: str,
    fields: Sequence[tuple[Conditions, CompiledField]],
    unselected: Container[str],
) -> CompleteObject:
    """Compiles the completion of objects of a type.

    Of several fields with one response name, the last whose conditions hold is selected: those that only some
    types have come last, and select more. An object may lack the `unselected` keys, which no fetch selects.
    """
    conditions = [each for each, _ in fields]
    if not any(conditions):
        return _compile_variant(typename, _select_fields(fields, repeat(True)), unselected)
    variants: dict[tuple[bool, ...], CompleteObject] = {}
    identity = object()

    def complete(value: Any, path: LinkedPath, response: ResponseBuilder) -> Any:
        variant = response.variants.get(identity)
        if variant is None:
            variant = response.variants[identity] = find_variant(response)
        return variant(value, path, response)

    def find_variant(response: ResponseBuilder) -> CompleteObject:
        met = tuple(are_met(each, response.variables) for each in conditions)
        if met in variants:
            return variants[met]
        selected = _select_fields(fields, met)
        if len(variants) >= MAX_VARIANTS:
            return interpret_fields(typename, selected, unselected)
        response.count_compiled_fields(len(selected))
        variants[met] = _compile_variant(typename, selected, unselected)
        return variants[met]

    return complete


def _select_fields(
    fields: Iterable[tuple[Conditions, CompiledField]], met: Iterable[bool]
) -> tuple[CompiledField, ...]:
    selected: dict[str, CompiledField] = {}
    for (_, field), is_met in zip(fields, met, strict=False):
        if is_met:
            selected[field.name] = field
    return tuple(selected.values())


def _compile_variant(
    typename: str, fields: Sequence[CompiledField], unselected: Container[str]
) -> CompleteObject:
    interpret = interpret_fields(typename, fields, unselected)
    return generate_completion(fields, interpret)


def interpret_fields(
    typename: str, fields: Sequence[CompiledField], unselected: Container[str]
) -> CompleteObject:
    """Completes objects in a loop over their fields."""

    def complete(value: Any, path: LinkedPath, response: ResponseBuilder) -> Any:
        if not isinstance(value, dict):
            response.add_error(f"{typename} is an object, but the service sent something else.", path)
            return None
        projected: dict[str, Any] = {}
        for name, key, complete_field, _ in fields:
            found: Any = value.get(key)
            if found is None and key not in value and key not in unselected:
                found = response.complete_absent(value, key, typename, (path, name))
            found = complete_field(found, path, name, response)
            if found is PROPAGATED:
                return None
            projected[name] = found
        return projected

    return complete


def generate_completion(fields: Sequence[CompiledField], interpret: CompleteObject) -> CompleteObject:
    """Generates the completion of objects with these fields; `interpret` completes the unusual ones."""
    checks = tuple(field.check for field in fields)
    if len(checks) > MAX_FIELDS or set(checks) <= {UNREAD}:
        return interpret
    keys, names = [field.key for field in fields], [field.name for field in fields]
    return _compile_factory(checks)(keys, names, [field.complete for field in fields], interpret, PROPAGATED)


@lru_cache(maxsize=MAX_SHAPES)
def _compile_factory(checks: tuple[str, ...]) -> _Factory:
    namespace: dict[str, Any] = {}
    # The source consists of this module's words, numbers, and the checks of `value_completion`.
    exec(compile(_write_source(checks), "<generated completion>", "exec"), namespace)  # noqa: S102
    factory: _Factory = namespace["build"]
    return factory


def _write_source(checks: tuple[str, ...]) -> str:
    numbers = range(len(checks))
    called = [number for number in numbers if checks[number] in (CALLED, UNREAD)]
    is_usual = [f"({checks[number].format(f'v{number}')})" for number in numbers if number not in called]
    lines = [
        "def build(keys, names, functions, interpret, PROPAGATED):",
        f"    {_list('k', numbers)} = keys",
        f"    {_list('n', numbers)} = names",
        f"    {_list('f', numbers)} = functions",
        "    def complete(value, path, response):",
        "        try:",
        *(f"            v{number} = value[k{number}]" for number in numbers if checks[number] != UNREAD),
        "        except (KeyError, TypeError):",
        "            return interpret(value, path, response)",
        f"        if not ({' and '.join(is_usual) or True}):",
        "            return interpret(value, path, response)",
    ]
    for number in called:
        value = "None" if checks[number] == UNREAD else f"v{number}"
        lines += [
            f"        v{number} = f{number}({value}, path, n{number}, response)",
            f"        if v{number} is PROPAGATED:",
            "            return None",
        ]
    lines += [
        f"        return {{{', '.join(f'n{number}: v{number}' for number in numbers)}}}",
        "    return complete",
    ]
    return "\n".join(lines)


def _list(letter: str, numbers: Sequence[int]) -> str:
    return f"[{', '.join(f'{letter}{number}' for number in numbers)}]"

"""Fetch steps: the mutable parts from which the fetch graph is put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from router.deferral import ExecutionGroup
from router.planner.plan import (
    ContextVariable,
    FetchPath,
    Input,
    InputField,
    Output,
    OutputField,
    Representation,
    path_text,
)
from router.selections import ALWAYS, Conditions, braced


@dataclass(slots=True)
class SelectedField:
    """A field of a selection under construction."""

    key: str
    name: str
    arguments: str
    variables: frozenset[str]
    conditions: Conditions
    selection: Selection | None = None
    contextual: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Selection:
    """A selection under construction."""

    typename: bool = False
    fields: dict[tuple[str, Conditions], SelectedField] = field(default_factory=dict)
    narrowed: dict[str, Selection] = field(default_factory=dict)

    def field(self, wanted: SelectedField) -> SelectedField:
        """The field of this name and these conditions, added if it is not there."""
        always = self.fields.get((wanted.key, ALWAYS))
        return always or self.fields.setdefault((wanted.key, wanted.conditions), wanted)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is selected."""
        return not (self.typename or self.fields or self.narrowed)

    def narrow(self, type_name: str) -> Selection:
        """The part of the selection that concerns one type."""
        return self.narrowed.setdefault(type_name, Selection())

    def absorb(self, other: Selection) -> None:
        """Adds all of another selection."""
        self.typename |= other.typename
        for selected in other.fields.values():
            mine = self.field(selected)
            if mine is not selected and mine.selection and selected.selection:
                mine.selection.absorb(selected.selection)
        for type_name, selection in other.narrowed.items():
            self.narrow(type_name).absorb(selection)

    def outputs(self) -> Iterator[SelectedField]:
        """The fields of the first level, whatever type they are asked of."""
        yield from self.fields.values()
        for selection in self.narrowed.values():
            yield from selection.outputs()

    def finished(self, without: Conditions = ALWAYS) -> Output:
        """The selection as it is sent; conditions that hold for all of it are left out."""
        self._unite()
        fields = tuple(
            OutputField(
                each.key,
                each.name,
                each.arguments,
                each.variables,
                each.conditions - without,
                each.selection.finished() if each.selection else None,
                each.contextual,
            )
            for each in self.fields.values()
        )
        for selection in self.narrowed.values():
            selection.leave_out(self.fields)
        narrowed = tuple(
            (name, selection.finished(without))
            for name, selection in self.narrowed.items()
            if not selection.is_empty
        )
        return Output(self.typename or not (fields or narrowed), fields, narrowed)

    def leave_out(self, common: Mapping[tuple[str, Conditions], SelectedField]) -> None:
        """Drops scalars of one type that are asked of every type anyway."""
        for (key, conditions), selected in [*self.fields.items()]:
            if (key, ALWAYS) in common and selected.selection is None:
                del self.fields[key, conditions]

    def _unite(self) -> None:
        """Leaves out conditional fields that are asked unconditionally as well."""
        for (key, conditions), selected in [*self.fields.items()]:
            always = self.fields.get((key, ALWAYS))
            if conditions == ALWAYS or always is None:
                continue
            if always.selection and selected.selection:
                always.selection.absorb(selected.selection)
            del self.fields[key, conditions]


_Key: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class Presented:
    """How a step presents objects of one type: by which key, and with what."""

    key: str
    accepts: frozenset[str]
    input: Input


@dataclass(eq=False, slots=True)
class Step:
    """One fetch: where it goes, what it is given, what it asks, and which steps it waits for.

    `presented` is by the type named to the subgraph and the type the object has in the source.
    """

    number: int
    graph: str
    kind: str
    path: FetchPath
    group: ExecutionGroup | None = None
    selection: Selection = field(default_factory=Selection)
    presented: dict[_Key, Presented] = field(default_factory=dict)
    parents: set[Step] = field(default_factory=set)
    reason: Conditions = ALWAYS
    contexts: tuple[ContextVariable, ...] = ()

    @property
    def conditions(self) -> Conditions:
        """The conditions under which anything of the step is asked at all."""
        found = [each.conditions for each in self.selection.outputs()]
        return frozenset.intersection(*found) if found else ALWAYS

    def representations(self) -> tuple[Representation, ...]:
        """What the subgraph is told of the objects, types presented alike taken together."""
        alike: dict[tuple[str, str], Representation] = {}
        for (typename, _), each in self.presented.items():
            known = alike.get((typename, str(each.input)))
            accepts = each.accepts | known.accepts if known else each.accepts
            alike[typename, str(each.input)] = Representation(typename, accepts, each.input)
        return tuple(alike.values())

    def __str__(self) -> str:
        waits = ", ".join(str(number) for number in sorted(step.number for step in self.parents))
        after = (f" after {waits}" if waits else "") + (f" {self.group}" if self.group else "")
        at = f" at {path_text(self.path)}" if self.path else ""
        known = "".join(f"{each}\n" for each in self.contexts)
        known += "".join(f"{each} =>\n" for each in self.representations())
        return f"[{self.number}] {self.graph}{at}{after} {known}{braced(str(self.selection.finished()))}"


def united(one: Input, other: Input) -> Input:
    """A representation that carries all fields of both."""
    narrowed = {name: {each.name: each for each in fields} for name, fields in one.narrowed}
    for name, fields in other.narrowed:
        narrowed[name] = _united(narrowed.get(name, {}).values(), fields)
    return Input(
        tuple(_united(one.fields, other.fields).values()),
        tuple((name, tuple(fields.values())) for name, fields in narrowed.items()),
        one.typename or other.typename,
    )


def clash(one: Input, other: Input) -> bool:
    """Whether two inputs give one field different values, so that no representation can carry both."""
    mine = {each.name: each for each in one.fields}
    narrowed = dict(other.narrowed)
    return any(_differ(mine[each.name], each) for each in other.fields if each.name in mine) or any(
        clash(Input(fields), Input(narrowed[name])) for name, fields in one.narrowed if name in narrowed
    )


def _differ(one: InputField, other: InputField) -> bool:
    if one.key != other.key:
        return True
    return bool(one.input and other.input and clash(one.input, other.input))


def _united(one: Iterable[InputField], other: Iterable[InputField]) -> dict[str, InputField]:
    found = {each.name: each for each in one}
    for each in other:
        mine = found.get(each.name)
        both = united(mine.input, each.input) if mine and mine.input and each.input else each.input
        found[each.name] = InputField(each.name, each.key, both)
    return found

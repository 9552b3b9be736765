"""Fetch steps: the mutable parts from which the fetch graph is put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TypeAlias

from router.operation.deferral import ExecutionGroup
from router.operation.selections import ALWAYS, Conditions, braced
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
    directives: str = ""


@dataclass(slots=True)
class Selection:
    """A selection under construction; `naming` has the conditions under which a client asks the typename."""

    typename: bool = False
    naming: set[Conditions] = field(default_factory=set)
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

    def absorb(self, other: Selection, conditions: Conditions = ALWAYS) -> None:
        """Adds all of another selection, under some conditions more."""
        self.typename |= other.typename
        self.naming |= {each | conditions for each in other.naming}
        for selected in other.fields.values():
            wanted = replace(selected, conditions=selected.conditions | conditions)
            mine = self.field(wanted)
            if mine is not wanted and mine.selection and wanted.selection:
                mine.selection.absorb(wanted.selection, wanted.conditions - mine.conditions)
        for type_name, selection in other.narrowed.items():
            self.narrow(type_name).absorb(selection, conditions)

    def outputs(self) -> Iterator[SelectedField]:
        """The fields of the first level, whatever type they are asked of."""
        yield from self.fields.values()
        for selection in self.narrowed.values():
            yield from selection.outputs()

    def named(self) -> Iterator[Conditions]:
        """The conditions under which the client wants the typename of the first level."""
        yield from self.naming
        for selection in self.narrowed.values():
            yield from selection.named()

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
                each.directives,
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
                always.selection.absorb(selected.selection, conditions)
            del self.fields[key, conditions]


_Key: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class Presented:
    """How a step presents objects of some types: by which key, and with what.

    `concerns` are the types that what is asked of the `target` is asked of, `known` those that the subgraph
    knows by their own names. With `requires`, what is asked needs more than the key.
    """

    target: str
    key: str
    accepts: frozenset[str]
    input: Input
    concerns: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    requires: bool = False

    def named(self, type_name: str) -> str:
        """The name under which objects of a type are presented."""
        return type_name if type_name in self.known else self.target

    def joined(self, other: Presented) -> Presented:
        """The same objects presented with what both give."""
        given = united(self.input, other.input)
        return replace(self, input=given, requires=self.requires or other.requires)

    def conflicts(self, other: Presented) -> bool:
        """Whether no representation can serve both."""
        if any(self.named(each) != other.named(each) for each in self.accepts & other.accepts):
            return True
        both = self.accepts & other.accepts
        return bool(both) and (self.key != other.key or clash(self.input, other.input))

    def misses(self, other: Presented) -> bool:
        """Whether objects presented by another would be asked what needs more than they are given."""
        return self.requires and any(
            other.named(each) in self.concerns for each in other.accepts - self.accepts
        )


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
        found += self.selection.named()
        return frozenset.intersection(*found) if found else ALWAYS

    def representations(self) -> tuple[Representation, ...]:
        """What the subgraph is told of the objects: each with all that is needed of objects of its type."""
        alike: dict[tuple[str, str], Representation] = {}
        own = self.conditions
        for type_names, entries in self._by_types():
            narrowest = min(entries, key=lambda each: len(each.concerns))
            given = reduce(united, (each.input for each in entries)).conditioned(
                lambda conditions: conditions - own
            )
            known = alike.get((narrowest.target, str(given)))
            accepts = type_names | known.accepts if known else type_names
            alike[narrowest.target, str(given)] = Representation(
                narrowest.target, accepts, given, narrowest.known
            )
        # An object whose type is not known is presented as what most can be.
        return tuple(sorted(alike.values(), key=lambda each: -len(each.accepts)))

    def _by_types(self) -> Iterator[tuple[frozenset[str], list[Presented]]]:
        """The types of objects by the entries that present them."""
        together: dict[tuple[int, ...], set[str]] = defaultdict(set)
        entries = [*self.presented.values()]
        for name in dict.fromkeys(name for each in entries for name in sorted(each.accepts)):
            numbers = tuple(number for number, each in enumerate(entries) if name in each.accepts)
            together[numbers].add(name)
        for numbers in sorted(together):
            yield frozenset(together[numbers]), [entries[number] for number in numbers]

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
    nested = one.conditions <= other.conditions or other.conditions <= one.conditions
    if one.key != other.key or not nested:
        return True
    return bool(one.input and other.input and clash(one.input, other.input))


def _united(one: Iterable[InputField], other: Iterable[InputField]) -> dict[str, InputField]:
    found = {each.name: each for each in one}
    for each in other:
        mine = found.get(each.name)
        found[each.name] = _both(mine, each) if mine else each
    return found


def _both(one: InputField, other: InputField) -> InputField:
    """One field that gives what both do; where only one has conditions, those stand below it too."""
    below = united(one.input, other.input) if one.input and other.input else one.input or other.input
    return InputField(one.name, one.key, below, one.conditions & other.conditions)

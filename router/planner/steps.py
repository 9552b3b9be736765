"""Fetch steps: the fetches of a plan under construction, with their selections and representations.

Where paths enter one subgraph with the same objects, they add to one step. A field that is selected both
unconditionally and under conditions is merged once the step is complete: `a @include(if: $x) { b }` and
`a { c }` become `a { c b @include(if: $x) }`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

from router.operation.conditions import ALWAYS, Conditions
from router.operation.deferral import ExecutionGroup
from router.operation.selections import brace
from router.planner.plan import (
    ContextVariable,
    FetchPath,
    Input,
    InputField,
    Output,
    OutputField,
    Representation,
    print_path,
)


@dataclass(slots=True)
class SelectedField:
    """A field of a selection set under construction; each contextual argument has its variable."""

    key: str
    name: str
    arguments: str
    variables: frozenset[str]
    conditions: Conditions
    selection: SelectionBuilder | None = None
    contextual_arguments: tuple[tuple[str, str], ...] = ()
    directives: str = ""


@dataclass(slots=True)
class SelectionBuilder:
    """A selection set under construction.

    `has_typename` says that the subgraph is to send `__typename`; where the client selects it,
    `typename_conditions` has the conditions of each of its selections.
    """

    has_typename: bool = False
    typename_conditions: set[Conditions] = field(default_factory=set)
    fields: dict[tuple[str, Conditions], SelectedField] = field(default_factory=dict)
    narrowed: dict[str, SelectionBuilder] = field(default_factory=dict)

    def add_field(self, wanted: SelectedField) -> SelectedField:
        """Adds a field, or returns the one with its key that is unconditional or has the same conditions."""
        always = self.fields.get((wanted.key, ALWAYS))
        return always or self.fields.setdefault((wanted.key, wanted.conditions), wanted)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is selected."""
        return not (self.has_typename or self.fields or self.narrowed)

    def narrow(self, type_name: str) -> SelectionBuilder:
        """The selections on one type."""
        return self.narrowed.setdefault(type_name, SelectionBuilder())

    def merge_from(self, other: SelectionBuilder, conditions: Conditions = ALWAYS) -> None:
        """Adds all of another selection set, under additional conditions."""
        self.has_typename |= other.has_typename
        self.typename_conditions |= {each | conditions for each in other.typename_conditions}
        for selected in other.fields.values():
            wanted = replace(selected, conditions=selected.conditions | conditions)
            existing = self.add_field(wanted)
            if existing is not wanted and existing.selection and wanted.selection:
                existing.selection.merge_from(wanted.selection, wanted.conditions - existing.conditions)
        for type_name, selection in other.narrowed.items():
            self.narrow(type_name).merge_from(selection, conditions)

    def iterate_top_level_fields(self) -> Iterator[SelectedField]:
        """The fields of the first level, on whatever type."""
        yield from self.fields.values()
        for selection in self.narrowed.values():
            yield from selection.iterate_top_level_fields()

    def iterate_typename_conditions(self) -> Iterator[Conditions]:
        """The conditions of the client's `__typename` selections of the first level, on whatever type."""
        yield from self.typename_conditions
        for selection in self.narrowed.values():
            yield from selection.iterate_typename_conditions()

    def build_output(self, without: Conditions = ALWAYS) -> Output:
        """The selection set as it is sent, without the conditions that the whole fetch has."""
        self._merge_conditional_fields()
        fields = tuple(
            OutputField(
                each.key,
                each.name,
                each.arguments,
                each.variables,
                each.conditions - without,
                each.selection.build_output() if each.selection else None,
                each.contextual_arguments,
                each.directives,
            )
            for each in self.fields.values()
        )
        for selection in self.narrowed.values():
            selection.drop_common_leaves(self.fields)
        narrowed = tuple(
            (name, selection.build_output(without))
            for name, selection in self.narrowed.items()
            if not selection.is_empty
        )
        return Output(self.has_typename or not (fields or narrowed), fields, narrowed)

    def drop_common_leaves(self, common: Mapping[tuple[str, Conditions], SelectedField]) -> None:
        """Drops leaves of one type that are selected on all types anyway."""
        for (key, conditions), selected in [*self.fields.items()]:
            if (key, ALWAYS) in common and selected.selection is None:
                del self.fields[key, conditions]

    def _merge_conditional_fields(self) -> None:
        """Merges conditional fields into the unconditional one of the same key, where there is one."""
        for (key, conditions), selected in [*self.fields.items()]:
            always = self.fields.get((key, ALWAYS))
            if conditions == ALWAYS or always is None:
                continue
            if always.selection and selected.selection:
                always.selection.merge_from(selected.selection, conditions)
            del self.fields[key, conditions]


@dataclass(slots=True)
class StepRepresentation:
    """How a step represents objects of some source types: as which target type, and with which input.

    `target_types` are the target and its possible types, on which the step's fields are selected; objects of
    a type in `own_typenames` are represented by that name instead of the target's. With `has_requirements`
    the fields need more than the key.
    """

    target: str
    key: str
    source_types: frozenset[str]
    input: Input
    target_types: frozenset[str] = frozenset()
    own_typenames: frozenset[str] = frozenset()
    has_requirements: bool = False

    def get_typename(self, type_name: str) -> str:
        """The `__typename` in representations of objects of a type."""
        return type_name if type_name in self.own_typenames else self.target

    def merge(self, other: StepRepresentation) -> StepRepresentation:
        """The same objects, with the inputs of both."""
        merged = merge_inputs(self.input, other.input)
        return replace(self, input=merged, has_requirements=self.has_requirements or other.has_requirements)

    def conflicts_with(self, other: StepRepresentation) -> bool:
        """Whether some object would need a different representation for each."""
        if any(
            self.get_typename(each) != other.get_typename(each)
            for each in self.source_types & other.source_types
        ):
            return True
        both = self.source_types & other.source_types
        return bool(both) and (self.key != other.key or are_inputs_conflicting(self.input, other.input))

    def has_requirements_unmet_by(self, other: StepRepresentation) -> bool:
        """Whether objects of the other would be sent for this one's fields without their requirements."""
        return self.has_requirements and any(
            other.get_typename(each) in self.target_types for each in other.source_types - self.source_types
        )


@dataclass(eq=False, slots=True)
class FetchStep:
    """One fetch of a fetch graph; `parents` are the steps it waits for.

    `representations` is by target and source type. `field_conditions` are those of the field whose
    requirements or contextual arguments the step serves; a step that needs only a key has none.
    """

    number: int
    graph: str
    kind: str
    path: FetchPath
    group: ExecutionGroup | None = None
    selection: SelectionBuilder = field(default_factory=SelectionBuilder)
    representations: dict[tuple[str, str], StepRepresentation] = field(default_factory=dict)
    parents: set[FetchStep] = field(default_factory=set)
    field_conditions: Conditions = ALWAYS
    contexts: tuple[ContextVariable, ...] = ()

    @property
    def conditions(self) -> Conditions:
        """The conditions that all selections of the step share."""
        found = [each.conditions for each in self.selection.iterate_top_level_fields()]
        found += self.selection.iterate_typename_conditions()
        return frozenset.intersection(*found) if found else ALWAYS

    def build_representations(self) -> tuple[Representation, ...]:
        """The representations that are sent, by the types of objects.

        An object whose type has several representations is sent once, with the inputs of all, as the
        narrowest of their targets.
        """
        alike: dict[tuple[str, str], Representation] = {}
        own = self.conditions
        for type_names, entries in self._group_by_types():
            narrowest = min(entries, key=lambda each: len(each.target_types))
            merged_input = reduce(merge_inputs, (each.input for each in entries)).map_conditions(
                lambda conditions: conditions - own
            )
            existing = alike.get((narrowest.target, str(merged_input)))
            source_types = type_names | existing.source_types if existing else type_names
            alike[narrowest.target, str(merged_input)] = Representation(
                narrowest.target, source_types, merged_input, narrowest.own_typenames
            )
        # An object of unknown type is represented by the first of these: the one for the most types.
        return tuple(sorted(alike.values(), key=lambda each: -len(each.source_types)))

    def _group_by_types(self) -> Iterator[tuple[frozenset[str], list[StepRepresentation]]]:
        """The source types, grouped by the representations that they have."""
        together: dict[tuple[int, ...], set[str]] = defaultdict(set)
        entries = [*self.representations.values()]
        for name in dict.fromkeys(name for each in entries for name in sorted(each.source_types)):
            numbers = tuple(number for number, each in enumerate(entries) if name in each.source_types)
            together[numbers].add(name)
        for numbers in sorted(together):
            yield frozenset(together[numbers]), [entries[number] for number in numbers]

    def __str__(self) -> str:
        waits = ", ".join(str(number) for number in sorted(step.number for step in self.parents))
        after = (f" after {waits}" if waits else "") + (f" {self.group}" if self.group else "")
        at = f" at {print_path(self.path)}" if self.path else ""
        inputs = "".join(f"{each}\n" for each in self.contexts)
        inputs += "".join(f"{each} =>\n" for each in self.build_representations())
        return f"[{self.number}] {self.graph}{at}{after} {inputs}{brace(str(self.selection.build_output()))}"


def merge_inputs(one: Input, other: Input) -> Input:
    """An input with all fields of both."""
    narrowed = {name: {each.name: each for each in fields} for name, fields in one.narrowed}
    for name, fields in other.narrowed:
        narrowed[name] = _merge_input_fields(narrowed.get(name, {}).values(), fields)
    return Input(
        tuple(_merge_input_fields(one.fields, other.fields).values()),
        tuple((name, tuple(fields.values())) for name, fields in narrowed.items()),
        one.has_typename or other.has_typename,
    )


def are_inputs_conflicting(one: Input, other: Input) -> bool:
    """Whether no representation can have both inputs.

    They read one field from different keys, or under conditions of which neither implies the other.
    """
    mine = {each.name: each for each in one.fields}
    narrowed = dict(other.narrowed)
    return any(
        _are_fields_conflicting(mine[each.name], each) for each in other.fields if each.name in mine
    ) or any(
        are_inputs_conflicting(Input(fields), Input(narrowed[name]))
        for name, fields in one.narrowed
        if name in narrowed
    )


def _are_fields_conflicting(one: InputField, other: InputField) -> bool:
    nested = one.conditions <= other.conditions or other.conditions <= one.conditions
    if one.key != other.key or not nested:
        return True
    return bool(one.input and other.input and are_inputs_conflicting(one.input, other.input))


def _merge_input_fields(one: Iterable[InputField], other: Iterable[InputField]) -> dict[str, InputField]:
    found = {each.name: each for each in one}
    for each in other:
        existing = found.get(each.name)
        found[each.name] = _merge_input_field(existing, each) if existing else each
    return found


def _merge_input_field(one: InputField, other: InputField) -> InputField:
    """One field that reads what both do, as soon as the conditions of either hold."""
    below = merge_inputs(one.input, other.input) if one.input and other.input else one.input or other.input
    return InputField(one.name, one.key, below, one.conditions & other.conditions)

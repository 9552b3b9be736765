"""The query plan: a tree of fetches, with what each of them sends and where its result is merged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from router.operation.conditions import ALWAYS, Conditions, print_conditions
from router.operation.deferral import ExecutionGroup
from router.operation.selections import TYPENAME, brace
from router.planner.names import ResponseNames

LIST = "@"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A path segment that keeps only objects of one type."""

    type: str

    def __str__(self) -> str:
        return f"|[{self.type}]"


FetchPath: TypeAlias = tuple[str | Narrowing, ...]


@dataclass(frozen=True, slots=True)
class OutputField:
    """A field in a fetch's document; `key` is its response name there and in the merged data."""

    key: str
    name: str
    arguments: str = ""
    variables: frozenset[str] = frozenset()
    conditions: Conditions = frozenset()
    output: Output | None = None
    contextual_arguments: tuple[tuple[str, str], ...] = ()
    """Contextual arguments, each with its variable."""
    directives: str = ""

    def __str__(self) -> str:
        alias = f"{self.key}: " if self.key != self.name else ""
        head = f"{alias}{self.name}{self.print_arguments_and_directives()}{print_conditions(self.conditions)}"
        return head if self.output is None else f"{head} {brace(str(self.output))}"

    def print_arguments_and_directives(self, suffix: str = "") -> str:
        """Arguments and directives as they follow the name; variables of contexts get a suffix."""
        if not self.contextual_arguments:
            return f"{self.arguments}{self.directives}"
        given = [f"{name}: ${variable}{suffix}" for name, variable in self.contextual_arguments]
        arguments = ", ".join([self.arguments[1:-1], *given] if self.arguments else given)
        return f"({arguments}){self.directives}"


@dataclass(frozen=True, slots=True)
class Output:
    """A selection set in a fetch's document."""

    has_typename: bool
    fields: tuple[OutputField, ...]
    narrowed: tuple[tuple[str, Output], ...] = ()

    def __str__(self) -> str:
        lines = [TYPENAME] if self.has_typename else []
        lines += [str(each) for each in self.fields]
        lines += [f"... on {name} {brace(str(output))}" for name, output in self.narrowed]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of a representation, and the key under which the merged data has its value.

    It is left out unless its conditions hold.
    """

    name: str
    key: str
    input: Input | None = None
    conditions: Conditions = ALWAYS

    def __str__(self) -> str:
        alias = f"{self.name}: " if self.key != self.name else ""
        head = f"{alias}{self.key}{print_conditions(self.conditions)}"
        return head + (f" {brace(str(self.input))}" if self.input else "")

    def map_conditions(self, change: Callable[[Conditions], Conditions]) -> InputField:
        """The field and all below it, with other conditions."""
        below = self.input.map_conditions(change) if self.input else None
        return replace(self, input=below, conditions=change(self.conditions))


@dataclass(frozen=True, slots=True)
class Input:
    """The fields of a representation, or of an object in it, with its `__typename` if `has_typename`."""

    fields: tuple[InputField, ...]
    narrowed: tuple[tuple[str, tuple[InputField, ...]], ...] = ()
    has_typename: bool = False

    def __str__(self) -> str:
        lines = [TYPENAME] if self.has_typename else []
        lines += [str(each) for each in self.fields]
        for name, fields in self.narrowed:
            lines.append(f"... on {name} {brace(chr(10).join(map(str, fields)))}")
        return "\n".join(lines)

    def map_conditions(self, change: Callable[[Conditions], Conditions]) -> Input:
        """The same fields with other conditions."""
        fields = tuple(each.map_conditions(change) for each in self.fields)
        narrowed = tuple(
            (name, tuple(each.map_conditions(change) for each in those)) for name, those in self.narrowed
        )
        return replace(self, fields=fields, narrowed=narrowed)


@dataclass(frozen=True, slots=True)
class Representation:
    """How objects of some types are represented in `_entities`: under which `__typename`, with which fields.

    Objects of a type in `own_typenames` are represented under the name of their own type instead.
    """

    typename: str
    source_types: frozenset[str]
    input: Input
    own_typenames: frozenset[str] = frozenset()

    def __str__(self) -> str:
        fields = str(self.input)
        return f"... on {self.typename} {brace(TYPENAME + (chr(10) + fields if fields else ''))}"


@dataclass(frozen=True, slots=True)
class ContextVariable:
    """A variable whose value is the one leaf that is read from an object at a path.

    The path is a prefix of the fetch's: its objects enclose those that the fetch is about.
    """

    name: str
    type: str
    path: FetchPath
    input: Input

    def __str__(self) -> str:
        return f'"{print_path(self.path)}" {brace(str(self.input))} => ${self.name}: {self.type}'


@dataclass(frozen=True, slots=True)
class FetchNode:
    """One request to a subgraph.

    With `representations` it selects `_entities`, otherwise fields of a root type; with `contexts` it selects
    `_entities` once for each combination of the variables' values.
    """

    subgraph: str
    kind: str
    output: Output
    variables: tuple[tuple[str, str], ...] = ()
    representations: tuple[Representation, ...] = ()
    contexts: tuple[ContextVariable, ...] = ()
    directives: str = ""

    def __str__(self) -> str:
        body = brace(str(self.output))
        if self.representations:
            inputs = "\n".join(map(str, self.representations))
            body = f"{brace(inputs)} =>\n{body}"
        body = "\n".join([*map(str, self.contexts), body])
        return f'Fetch(service: "{self.subgraph}"){self.directives} {brace(body)}'


@dataclass(frozen=True, slots=True)
class FlattenNode:
    """A fetch that is merged into the objects at a path of the data.

    Within a batch it may have conditions; elsewhere these are nodes around it.
    """

    path: FetchPath
    fetch: FetchNode
    conditions: Conditions = ALWAYS

    def __str__(self) -> str:
        conditions = print_conditions(self.conditions)
        return f'Flatten(path: "{print_path(self.path)}"){conditions} {brace(str(self.fetch))}'


@dataclass(frozen=True, slots=True)
class BatchFetchNode:
    """Entity fetches to one subgraph that are sent in one request."""

    subgraph: str
    entries: tuple[FlattenNode, ...]

    def __str__(self) -> str:
        return f'BatchFetch(service: "{self.subgraph}") {brace(_print_nodes(self.entries))}'


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """Nodes that run one after the other."""

    nodes: tuple[PlanNode, ...]

    def __str__(self) -> str:
        return f"Sequence {brace(_print_nodes(self.nodes))}"


@dataclass(frozen=True, slots=True)
class ParallelNode:
    """Nodes that run at the same time."""

    nodes: tuple[PlanNode, ...]

    def __str__(self) -> str:
        return f"Parallel {brace(_print_nodes(self.nodes))}"


@dataclass(frozen=True, slots=True)
class ConditionNode:
    """A node that runs only if a boolean variable has a value."""

    variable: str
    value: bool
    node: PlanNode

    def __str__(self) -> str:
        name = "Include" if self.value else "Skip"
        return f"{name}(if: ${self.variable}) {brace(str(self.node))}"


PlanNode: TypeAlias = FetchNode | FlattenNode | BatchFetchNode | SequenceNode | ParallelNode | ConditionNode


@dataclass(frozen=True, slots=True)
class SubscriptionNode:
    """A subscription at one subgraph, and the fetches that complete each of its events."""

    primary: FetchNode
    rest: PlanNode | None

    def __str__(self) -> str:
        parts = f"Primary: {brace(str(self.primary))}"
        if self.rest is not None:
            parts += f",\nRest: {brace(str(self.rest))}"
        return f"Subscription {brace(parts)}"


@dataclass(frozen=True, slots=True)
class DeferredNode:
    """The fetches for one execution group; without a node, earlier fetches have returned its fields."""

    group: ExecutionGroup
    node: PlanNode | None

    def __str__(self) -> str:
        places = " | ".join(
            f'path: "{".".join(usage.path)}"' + (f', label: "{usage.label}"' if usage.label else "")
            for usage in self.group.ordered_usages
        )
        return f"Deferred({places}) {brace(str(self.node) if self.node else '')}"


@dataclass(frozen=True, slots=True)
class DeferNode:
    """The fetches for the initial response, and those for each execution group."""

    primary: PlanNode | None
    deferred: tuple[DeferredNode, ...]

    def __str__(self) -> str:
        primary = f"Primary {brace(str(self.primary) if self.primary else '')},\n"
        return f"Defer {brace(primary + _print_nodes(self.deferred))}"


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """The plan of one operation; without a node there is nothing to fetch.

    In a contextual plan, what is fetched for an object depends on the objects around it.
    """

    node: PlanNode | SubscriptionNode | DeferNode | None
    names: ResponseNames
    is_contextual: bool = False

    def __str__(self) -> str:
        return "QueryPlan {}" if self.node is None else f"QueryPlan {brace(str(self.node))}"


def print_path(path: FetchPath) -> str:
    """A path as plans print it: `books.@.author.@|[Writer]`."""
    text = ""
    for segment in path:
        text += str(segment) if isinstance(segment, Narrowing) or not text else f".{segment}"
    return text


def _print_nodes(nodes: tuple[object, ...]) -> str:
    return "".join(f"{node},\n" for node in nodes).rstrip("\n")

"""The query plan: which subgraph is asked what, in which order, and where its answer goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from router.operation.deferral import ExecutionGroup
from router.operation.selections import ALWAYS, TYPENAME, Conditions, braced, conditions_text
from router.planner.names import ResponseNames

LIST = "@"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A path segment that keeps only objects of one concrete type."""

    type: str

    def __str__(self) -> str:
        return f"|[{self.type}]"


FetchPath: TypeAlias = tuple[str | Narrowing, ...]


@dataclass(frozen=True, slots=True)
class OutputField:
    """A field as a subgraph is asked for it; `key` is its response name."""

    key: str
    name: str
    arguments: str = ""
    variables: frozenset[str] = frozenset()
    conditions: Conditions = frozenset()
    output: Output | None = None
    contextual: tuple[tuple[str, str], ...] = ()
    """Arguments that a context gives, each with its variable."""
    directives: str = ""

    def __str__(self) -> str:
        alias = f"{self.key}: " if self.key != self.name else ""
        head = f"{alias}{self.name}{self.asked()}{conditions_text(self.conditions)}"
        return head if self.output is None else f"{head} {braced(str(self.output))}"

    def asked(self, suffix: str = "") -> str:
        """The client's arguments and directives, and contextual arguments, whose variables get a suffix."""
        if not self.contextual:
            return f"{self.arguments}{self.directives}"
        given = [f"{name}: ${variable}{suffix}" for name, variable in self.contextual]
        arguments = ", ".join([self.arguments[1:-1], *given] if self.arguments else given)
        return f"({arguments}){self.directives}"


@dataclass(frozen=True, slots=True)
class Output:
    """A selection set as a subgraph is asked for it."""

    typename: bool
    fields: tuple[OutputField, ...]
    narrowed: tuple[tuple[str, Output], ...] = ()

    def __str__(self) -> str:
        lines = [TYPENAME] if self.typename else []
        lines += [str(each) for each in self.fields]
        lines += [f"... on {name} {braced(str(output))}" for name, output in self.narrowed]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of a representation, and the key under which the merged data holds its value.

    It is given only where its conditions hold.
    """

    name: str
    key: str
    input: Input | None = None
    conditions: Conditions = ALWAYS

    def __str__(self) -> str:
        alias = f"{self.name}: " if self.key != self.name else ""
        head = f"{alias}{self.key}{conditions_text(self.conditions)}"
        return head + (f" {braced(str(self.input))}" if self.input else "")

    def conditioned(self, change: Callable[[Conditions], Conditions]) -> InputField:
        """The field, with all that is below it, under changed conditions."""
        below = self.input.conditioned(change) if self.input else None
        return replace(self, input=below, conditions=change(self.conditions))


@dataclass(frozen=True, slots=True)
class Input:
    """What is read of an object for a representation; `typename` is None if its own goes along unchanged."""

    fields: tuple[InputField, ...]
    narrowed: tuple[tuple[str, tuple[InputField, ...]], ...] = ()
    typename: bool = False

    def __str__(self) -> str:
        lines = [TYPENAME] if self.typename else []
        lines += [str(each) for each in self.fields]
        for name, fields in self.narrowed:
            lines.append(f"... on {name} {braced(chr(10).join(map(str, fields)))}")
        return "\n".join(lines)

    def conditioned(self, change: Callable[[Conditions], Conditions]) -> Input:
        """The same fields under changed conditions."""
        fields = tuple(each.conditioned(change) for each in self.fields)
        narrowed = tuple(
            (name, tuple(each.conditioned(change) for each in those)) for name, those in self.narrowed
        )
        return replace(self, fields=fields, narrowed=narrowed)


@dataclass(frozen=True, slots=True)
class Representation:
    """How objects of some types are presented to a subgraph: as which type, and with which fields.

    An object of a type that the subgraph has an interface for and knows itself is presented as what it is.
    """

    typename: str
    accepts: frozenset[str]
    input: Input
    known: frozenset[str] = frozenset()

    def __str__(self) -> str:
        fields = str(self.input)
        return f"... on {self.typename} {braced(TYPENAME + (chr(10) + fields if fields else ''))}"


@dataclass(frozen=True, slots=True)
class ContextVariable:
    """A variable whose value is the one leaf that is read of each object at a path.

    The path is the beginning of that of the fetch: its objects enclose those that the fetch is about.
    """

    name: str
    type: str
    path: FetchPath
    input: Input

    def __str__(self) -> str:
        return f'"{path_text(self.path)}" {braced(str(self.input))} => ${self.name}: {self.type}'


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to a subgraph.

    With `representations` it asks `_entities` about the objects at its place, otherwise a root type; with
    `contexts` it asks about them once for each combination of the variables' values.
    """

    subgraph: str
    kind: str
    output: Output
    variables: tuple[tuple[str, str], ...] = ()
    representations: tuple[Representation, ...] = ()
    contexts: tuple[ContextVariable, ...] = ()
    directives: str = ""

    def __str__(self) -> str:
        body = braced(str(self.output))
        if self.representations:
            known = "\n".join(map(str, self.representations))
            body = f"{braced(known)} =>\n{body}"
        body = "\n".join([*map(str, self.contexts), body])
        return f'Fetch(service: "{self.subgraph}"){self.directives} {braced(body)}'


@dataclass(frozen=True, slots=True)
class Flatten:
    """A fetch about the objects at a path of the data.

    Only one that travels with others has conditions, under which it asks anything at all.
    """

    path: FetchPath
    fetch: Fetch
    conditions: Conditions = ALWAYS

    def __str__(self) -> str:
        conditions = conditions_text(self.conditions)
        return f'Flatten(path: "{path_text(self.path)}"){conditions} {braced(str(self.fetch))}'


@dataclass(frozen=True, slots=True)
class BatchFetch:
    """Several entity fetches to one subgraph that travel as one request."""

    subgraph: str
    entries: tuple[Flatten, ...]

    def __str__(self) -> str:
        return f'BatchFetch(service: "{self.subgraph}") {braced(_listed(self.entries))}'


@dataclass(frozen=True, slots=True)
class Sequence:
    """Nodes that run one after the other."""

    nodes: tuple[PlanNode, ...]

    def __str__(self) -> str:
        return f"Sequence {braced(_listed(self.nodes))}"


@dataclass(frozen=True, slots=True)
class Parallel:
    """Nodes that run at the same time."""

    nodes: tuple[PlanNode, ...]

    def __str__(self) -> str:
        return f"Parallel {braced(_listed(self.nodes))}"


@dataclass(frozen=True, slots=True)
class Condition:
    """A node that runs only if a boolean variable has a value."""

    variable: str
    value: bool
    node: PlanNode

    def __str__(self) -> str:
        name = "Include" if self.value else "Skip"
        return f"{name}(if: ${self.variable}) {braced(str(self.node))}"


PlanNode: TypeAlias = Fetch | Flatten | BatchFetch | Sequence | Parallel | Condition


@dataclass(frozen=True, slots=True)
class Subscription:
    """A stream opened at one subgraph, and what completes each of its events."""

    primary: Fetch
    rest: PlanNode | None

    def __str__(self) -> str:
        parts = f"Primary: {braced(str(self.primary))}"
        if self.rest is not None:
            parts += f",\nRest: {braced(str(self.rest))}"
        return f"Subscription {braced(parts)}"


@dataclass(frozen=True, slots=True)
class Deferred:
    """What completes the fields of one group; without a node, earlier fetches bring them along."""

    group: ExecutionGroup
    node: PlanNode | None

    def __str__(self) -> str:
        places = " | ".join(
            f'path: "{".".join(usage.path)}"' + (f', label: "{usage.label}"' if usage.label else "")
            for usage in self.group.ordered
        )
        return f"Deferred({places}) {braced(str(self.node) if self.node else '')}"


@dataclass(frozen=True, slots=True)
class Defer:
    """What the first answer needs, and what comes later."""

    primary: PlanNode | None
    deferred: tuple[Deferred, ...]

    def __str__(self) -> str:
        primary = f"Primary {braced(str(self.primary) if self.primary else '')},\n"
        return f"Defer {braced(primary + _listed(self.deferred))}"


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """The plan of one operation; without a node there is nothing to fetch.

    In a contextual plan, what is fetched of an object depends on the objects around it.
    """

    node: PlanNode | Subscription | Defer | None
    names: ResponseNames
    contextual: bool = False

    def __str__(self) -> str:
        return "QueryPlan {}" if self.node is None else f"QueryPlan {braced(str(self.node))}"


def path_text(path: FetchPath) -> str:
    """A path as plans print it: `books.@.author.@|[Writer]`."""
    text = ""
    for segment in path:
        text += str(segment) if isinstance(segment, Narrowing) or not text else f".{segment}"
    return text


def _listed(nodes: tuple[object, ...]) -> str:
    return "".join(f"{node},\n" for node in nodes).rstrip("\n")

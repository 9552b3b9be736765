"""Who may ask which field: `@authenticated`, `@requiresScopes` and `@policy` of the supergraph.

What an operation needs is worked out once, when it is prepared, as a list of guards; each request only
compares its caller with them, and the policies that hold for the caller. Whoever does not meet every guard is
refused before anything is fetched, or has what is behind those that are met.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    Node,
    SelectionSetNode,
    TypeDefinitionNode,
    get_named_type,
)

from router.errors import AccessError, ForbiddenError, UnauthenticatedError
from router.operation import Operation
from router.operation.fragments import iterate_fields
from router.policy.auth import Identity
from router.policy.decisions import NO_POLICIES, Policies
from router.supergraph.links import Vocabulary

Alternatives: TypeAlias = frozenset[frozenset[str]]
ANY_CALLER: Alternatives = frozenset({frozenset()})


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one directive demands: a caller who is known, and all scopes or policies of one alternative."""

    identified: bool = True
    scopes: Alternatives = ANY_CALLER
    policies: Alternatives = ANY_CALLER

    def met_by(self, identity: Identity | None, held: Policies) -> bool:
        """Whether a caller for whom these policies hold suffices."""
        if self.identified and identity is None:
            return False
        scopes = identity.scopes if identity else frozenset()
        return _any_within(self.scopes, scopes) and _any_within(self.policies, held)


@dataclass(frozen=True, slots=True)
class Guard:
    """A requirement at one response position of an operation."""

    path: tuple[str, ...]
    requirement: Requirement


class AccessRules:
    """The requirements of a supergraph, by type and by field."""

    def __init__(self) -> None:
        self._types: dict[str, tuple[Requirement, ...]] = {}
        self._fields: dict[str, dict[str, tuple[Requirement, ...]]] = defaultdict(dict)

    @classmethod
    def of(cls, supergraph: DocumentNode) -> AccessRules:
        """Reads the access directives of a supergraph document."""
        rules, vocabulary = cls(), Vocabulary(supergraph)
        for definition in supergraph.definitions:
            if not isinstance(definition, TypeDefinitionNode):
                continue
            name = definition.name.value
            if found := tuple(_requirements(vocabulary, definition)):
                rules._types[name] = found
            for field in getattr(definition, "fields", None) or ():
                if found := tuple(_requirements(vocabulary, field)):
                    rules._fields[name][field.name.value] = found
        return rules

    def __bool__(self) -> bool:
        return bool(self._types or self._fields)

    def of_type(self, name: str) -> tuple[Requirement, ...]:
        """What asking anything of a type requires."""
        return self._types.get(name, ())

    def of_field(self, type_name: str, field: str) -> tuple[Requirement, ...]:
        """What asking one field of a type requires, beside what the type requires."""
        return self._fields.get(type_name, {}).get(field, ())


def guards_of(rules: AccessRules, operation: Operation) -> tuple[Guard, ...]:
    """What an operation requires, in the order of its fields."""
    root = operation.schema.get_root_type(operation.node.operation)
    if not rules or root is None:
        return ()
    collector = _GuardCollector(rules, operation)
    return tuple(dict.fromkeys(collector.selections(operation.node.selection_set, root, ())))


def policies_of(required: Iterable[Guard]) -> Policies:
    """The policies that guards name."""
    return frozenset(
        name for guard in required for alternative in guard.requirement.policies for name in alternative
    )


def refusals(
    required: Sequence[Guard], identity: Identity | None, held: Policies = NO_POLICIES
) -> list[AccessError]:
    """Why a caller does not meet every guard, given the policies that hold for that caller.

    First that the caller is anonymous where a known one is needed, then that scopes or policies are lacking.
    """
    unmet = [guard for guard in required if not guard.requirement.met_by(identity, held)]
    unknown = [guard for guard in unmet if identity is None and guard.requirement.identified]
    lacking = [guard for guard in unmet if guard not in unknown]
    found: list[AccessError] = []
    if unknown:
        found.append(UnauthenticatedError("This needs a signed-in caller.", _paths(unknown)))
    if lacking:
        message = "The caller lacks the scopes or policies that this needs."
        found.append(ForbiddenError(message, _paths(lacking)))
    return found


class _GuardCollector:
    """Collects the guards of one operation's fields."""

    def __init__(self, rules: AccessRules, operation: Operation) -> None:
        self._rules = rules
        self._schema = operation.schema
        self._fragments = operation.fragments

    def selections(
        self, selections: SelectionSetNode, parent: GraphQLNamedType, path: tuple[str, ...]
    ) -> Iterator[Guard]:
        for node, type_ in iterate_fields(self._schema, self._fragments, selections, parent):
            yield from self._field(node, type_, path)

    def _field(self, node: FieldNode, parent: GraphQLNamedType, path: tuple[str, ...]) -> Iterator[Guard]:
        name = node.name.value
        here = (*path, (node.alias or node.name).value)
        for owner in self._owners(parent):
            requirements = (*self._rules.of_type(owner), *self._rules.of_field(owner, name))
            yield from (Guard(here, requirement) for requirement in requirements)
        definition = getattr(parent, "fields", {}).get(name)
        if definition is None:
            return
        answer = get_named_type(definition.type)
        yield from (Guard(here, requirement) for requirement in self._rules.of_type(answer.name))
        if node.selection_set:
            yield from self.selections(node.selection_set, answer, here)

    def _owners(self, parent: GraphQLNamedType) -> Iterable[str]:
        yield parent.name
        if isinstance(parent, GraphQLInterfaceType):
            yield from (possible.name for possible in self._schema.get_possible_types(parent))


def _requirements(vocabulary: Vocabulary, node: Node) -> Iterator[Requirement]:
    for _ in vocabulary.applications(node, "authenticated"):
        yield Requirement()
    for arguments in vocabulary.applications(node, "requiresScopes"):
        yield Requirement(scopes=_alternatives(arguments["scopes"]))
    for arguments in vocabulary.applications(node, "policy"):
        # A policy may hold for anybody, so that it is not for the router to ask for a token.
        yield Requirement(identified=False, policies=_alternatives(arguments["policies"]))


def _alternatives(value: Any) -> Alternatives:
    return frozenset(frozenset(_items(all_of)) for all_of in _items(value))


def _any_within(alternatives: Alternatives, held: frozenset[str]) -> bool:
    return any(all_of <= held for all_of in alternatives)


def _items(value: Any) -> Sequence[Any]:
    # GraphQL reads a single value where a list is expected as a list of one.
    return value if isinstance(value, list) else [value]


def _paths(required: Iterable[Guard]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(guard.path for guard in required))

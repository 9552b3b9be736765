"""Field authorisation: `@authenticated`, `@requiresScopes` and `@policy` of the supergraph.

The guards of an operation are collected once, when it is prepared; each request only checks its caller and
the caller's policies against them. A caller that does not satisfy all guards is refused before anything is
fetched, or gets only the fields whose guards are satisfied.
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
from router.operation.fragments import iterate_typed_fields
from router.policy.auth import Identity
from router.policy.decisions import NO_POLICIES, Policies
from router.supergraph.links import Vocabulary

Alternatives: TypeAlias = frozenset[frozenset[str]]
ANY_CALLER: Alternatives = frozenset({frozenset()})


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one directive requires: authentication, and all scopes or policies of one alternative."""

    requires_authentication: bool = True
    scopes: Alternatives = ANY_CALLER
    policies: Alternatives = ANY_CALLER

    def is_satisfied(self, identity: Identity | None, granted: Policies) -> bool:
        """Whether a caller with these granted policies satisfies it."""
        if self.requires_authentication and identity is None:
            return False
        scopes = identity.scopes if identity else frozenset()
        return _includes_any(scopes, self.scopes) and _includes_any(granted, self.policies)


@dataclass(frozen=True, slots=True)
class Guard:
    """A requirement of the field at a response path of an operation."""

    path: tuple[str, ...]
    requirement: Requirement


class AccessRules:
    """The requirements of a supergraph, by type and by field."""

    def __init__(self) -> None:
        self._types: dict[str, tuple[Requirement, ...]] = {}
        self._fields: dict[str, dict[str, tuple[Requirement, ...]]] = defaultdict(dict)

    @classmethod
    def read(cls, supergraph: DocumentNode) -> AccessRules:
        """The access rules of a supergraph document."""
        rules, vocabulary = cls(), Vocabulary(supergraph)
        for definition in supergraph.definitions:
            if not isinstance(definition, TypeDefinitionNode):
                continue
            name = definition.name.value
            if found := tuple(_read_requirements(vocabulary, definition)):
                rules._types[name] = found
            for field in getattr(definition, "fields", None) or ():
                if found := tuple(_read_requirements(vocabulary, field)):
                    rules._fields[name][field.name.value] = found
        return rules

    def __bool__(self) -> bool:
        return bool(self._types or self._fields)

    def get_type_requirements(self, name: str) -> tuple[Requirement, ...]:
        """The requirements of every field of a type."""
        return self._types.get(name, ())

    def get_field_requirements(self, type_name: str, field: str) -> tuple[Requirement, ...]:
        """The requirements of one field, in addition to those of its type."""
        return self._fields.get(type_name, {}).get(field, ())


def collect_guards(rules: AccessRules, operation: Operation) -> tuple[Guard, ...]:
    """The guards of an operation, in the order of its fields."""
    root = operation.schema.get_root_type(operation.node.operation)
    if not rules or root is None:
        return ()
    collector = _GuardCollector(rules, operation)
    return tuple(dict.fromkeys(collector.collect(operation.node.selection_set, root, ())))


def collect_policies(guards: Iterable[Guard]) -> Policies:
    """All policies that guards name."""
    return frozenset(
        name for guard in guards for alternative in guard.requirement.policies for name in alternative
    )


def find_refusals(
    guards: Sequence[Guard], identity: Identity | None, granted: Policies = NO_POLICIES
) -> list[AccessError]:
    """The errors for the guards that a caller with these granted policies does not satisfy.

    Missing authentication comes first, then missing scopes or policies.
    """
    unsatisfied = [guard for guard in guards if not guard.requirement.is_satisfied(identity, granted)]
    anonymous = [
        guard for guard in unsatisfied if identity is None and guard.requirement.requires_authentication
    ]
    forbidden = [guard for guard in unsatisfied if guard not in anonymous]
    errors: list[AccessError] = []
    if anonymous:
        errors.append(UnauthenticatedError("Authentication is required.", _list_paths(anonymous)))
    if forbidden:
        message = "The caller lacks a required scope or policy."
        errors.append(ForbiddenError(message, _list_paths(forbidden)))
    return errors


class _GuardCollector:
    """Collects the guards of one operation's fields."""

    def __init__(self, rules: AccessRules, operation: Operation) -> None:
        self._rules = rules
        self._schema = operation.schema
        self._fragments = operation.fragments

    def collect(
        self, selections: SelectionSetNode, parent: GraphQLNamedType, path: tuple[str, ...]
    ) -> Iterator[Guard]:
        for node, type_ in iterate_typed_fields(self._schema, self._fragments, selections, parent):
            yield from self._collect_field(node, type_, path)

    def _collect_field(
        self, node: FieldNode, parent: GraphQLNamedType, path: tuple[str, ...]
    ) -> Iterator[Guard]:
        name = node.name.value
        field_path = (*path, (node.alias or node.name).value)
        for type_name in self._iterate_possible_types(parent):
            requirements = (
                *self._rules.get_type_requirements(type_name),
                *self._rules.get_field_requirements(type_name, name),
            )
            yield from (Guard(field_path, requirement) for requirement in requirements)
        definition = getattr(parent, "fields", {}).get(name)
        if definition is None:
            return
        field_type = get_named_type(definition.type)
        yield from (
            Guard(field_path, requirement)
            for requirement in self._rules.get_type_requirements(field_type.name)
        )
        if node.selection_set:
            yield from self.collect(node.selection_set, field_type, field_path)

    def _iterate_possible_types(self, parent: GraphQLNamedType) -> Iterable[str]:
        """A type, and for an interface the types that implement it."""
        yield parent.name
        if isinstance(parent, GraphQLInterfaceType):
            yield from (possible.name for possible in self._schema.get_possible_types(parent))


def _read_requirements(vocabulary: Vocabulary, node: Node) -> Iterator[Requirement]:
    for _ in vocabulary.iterate_applications(node, "authenticated"):
        yield Requirement()
    for arguments in vocabulary.iterate_applications(node, "requiresScopes"):
        yield Requirement(scopes=_read_alternatives(arguments["scopes"]))
    for arguments in vocabulary.iterate_applications(node, "policy"):
        # A policy may be granted to anonymous callers too.
        yield Requirement(requires_authentication=False, policies=_read_alternatives(arguments["policies"]))


def _read_alternatives(value: Any) -> Alternatives:
    return frozenset(frozenset(_to_list(all_of)) for all_of in _to_list(value))


def _includes_any(names: frozenset[str], alternatives: Alternatives) -> bool:
    return any(all_of <= names for all_of in alternatives)


def _to_list(value: Any) -> Sequence[Any]:
    # GraphQL coerces a single value to a list of one (section 3.11).
    return value if isinstance(value, list) else [value]


def _list_paths(guards: Iterable[Guard]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(guard.path for guard in guards))

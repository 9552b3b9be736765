"""Who may ask which field: `@authenticated`, `@requiresScopes` and `@policy` of the supergraph.

What an operation needs is worked out once, when it is prepared, as a list of guards; each request only
compares its caller with them. A caller who does not meet every guard is refused before anything is fetched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLInterfaceType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    TypeDefinitionNode,
    ValueNode,
    get_named_type,
    is_composite_type,
)

from router.errors import ForbiddenError, UnauthenticatedError
from router.policy.auth import Identity

ANY_CALLER: frozenset[frozenset[str]] = frozenset({frozenset()})
NO_CALLER: frozenset[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a caller must be: identified, and holding all scopes of at least one alternative."""

    alternatives: frozenset[frozenset[str]] = ANY_CALLER

    def met_by(self, identity: Identity) -> bool:
        """Whether the scopes of an identified caller suffice."""
        return any(scopes <= identity.scopes for scopes in self.alternatives)


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
        rules = cls()
        for definition in supergraph.definitions:
            if not isinstance(definition, TypeDefinitionNode):
                continue
            name = definition.name.value
            if found := tuple(_requirements(definition.directives or ())):
                rules._types[name] = found
            for field in getattr(definition, "fields", None) or ():
                if found := tuple(_requirements(field.directives or ())):
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


def guards(
    rules: AccessRules, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> tuple[Guard, ...]:
    """What an operation requires, in the order of its fields."""
    root = schema.get_root_type(operation.operation)
    if not rules or root is None:
        return ()
    walk = _Walk(rules, schema, document)
    return tuple(dict.fromkeys(walk.selections(operation.selection_set, root, ())))


def enforce(required: Sequence[Guard], identity: Identity | None) -> None:
    """Refuses a caller who does not meet every guard.

    Raises:
        UnauthenticatedError: the caller is anonymous.
        ForbiddenError: the caller's token lacks scopes.
    """
    if not required:
        return
    if identity is None:
        raise UnauthenticatedError("This needs a signed-in caller.", _paths(required))
    if unmet := [guard for guard in required if not guard.requirement.met_by(identity)]:
        raise ForbiddenError("The token lacks the scopes that this needs.", _paths(unmet))


class _Walk:
    """Follows an operation's selections through its fragments and yields the guards met."""

    def __init__(self, rules: AccessRules, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._rules = rules
        self._schema = schema
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    def selections(
        self, selections: SelectionSetNode, parent: GraphQLCompositeType, path: tuple[str, ...]
    ) -> Iterator[Guard]:
        for selection in selections.selections:
            match selection:
                case FieldNode():
                    yield from self._field(selection, parent, path)
                case InlineFragmentNode(type_condition=condition):
                    inner = self._composite(condition.name.value) if condition else parent
                    yield from self.selections(selection.selection_set, inner, path)
                case FragmentSpreadNode():
                    fragment = self._fragments[selection.name.value]
                    inner = self._composite(fragment.type_condition.name.value)
                    yield from self.selections(fragment.selection_set, inner, path)

    def _field(self, node: FieldNode, parent: GraphQLCompositeType, path: tuple[str, ...]) -> Iterator[Guard]:
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
        if node.selection_set and is_composite_type(answer):
            yield from self.selections(node.selection_set, answer, here)

    def _owners(self, parent: GraphQLCompositeType) -> Iterable[str]:
        yield parent.name
        if isinstance(parent, GraphQLInterfaceType):
            yield from (possible.name for possible in self._schema.get_possible_types(parent))

    def _composite(self, name: str) -> GraphQLCompositeType:
        return cast("GraphQLCompositeType", self._schema.type_map[name])


def _requirements(directives: Iterable[DirectiveNode]) -> Iterator[Requirement]:
    for directive in directives:
        match directive.name.value:
            case "authenticated":
                yield Requirement()
            case "requiresScopes":
                yield Requirement(_alternatives(directive))
            case "policy":
                # Nothing here evaluates policies, so nobody meets one.
                yield Requirement(NO_CALLER)


def _alternatives(directive: DirectiveNode) -> frozenset[frozenset[str]]:
    [value] = [argument.value for argument in directive.arguments or () if argument.name.value == "scopes"]
    return frozenset(frozenset(_strings(scopes)) for scopes in _items(value))


def _strings(value: ValueNode) -> Iterator[str]:
    for item in _items(value):
        if isinstance(item, StringValueNode):
            yield item.value


def _items(value: ValueNode) -> Sequence[ValueNode]:
    # GraphQL reads a single value where a list is expected as a list of one.
    return value.values if isinstance(value, ListValueNode) else (value,)


def _paths(required: Iterable[Guard]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(guard.path for guard in required))

"""The supergraph: its subgraphs, what each of them can resolve, and the schema that clients see."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    Source,
    Token,
    build_ast_schema,
    is_abstract_type,
    is_introspection_type,
    is_specified_scalar_type,
)
from graphql.language.parser import Parser

from router.supergraph.join_spec import JoinedType, SubgraphInfo, read_subgraphs, read_types
from router.supergraph.links import Vocabulary
from router.supergraph.public_schema import strip_federation


class InvalidSupergraphError(ValueError):
    """The text is not a composed federation supergraph."""


class Supergraph:
    """An immutable supergraph."""

    def __init__(self, document: DocumentNode) -> None:
        self.document = document
        vocabulary = Vocabulary(document)
        if addresses := [link.address for link in vocabulary.links if not link.is_supported]:
            raise InvalidSupergraphError(
                f"The supergraph uses what this router does not support: {', '.join(addresses)}."
            )
        self.subgraphs: Mapping[str, SubgraphInfo] = {info.name: info for info in read_subgraphs(document)}
        if not self.subgraphs:
            raise InvalidSupergraphError("The document names no subgraph (enum join__Graph).")
        self.by_id: Mapping[str, SubgraphInfo] = {info.graph_id: info for info in self.subgraphs.values()}
        self.schema: GraphQLSchema = build_ast_schema(
            strip_federation(document, public=False), assume_valid=True
        )
        self.types: Mapping[str, JoinedType] = {
            joined.name: joined for joined in read_types(document, vocabulary, tuple(self.by_id))
        }

    @classmethod
    def parse(cls, sdl: str) -> Supergraph:
        """Reads a composed supergraph.

        Raises:
            InvalidSupergraphError: the text is not a supergraph, or links an unsupported specification.
        """
        try:
            return cls(_parse_document(sdl))
        except (GraphQLError, TypeError) as error:
            raise InvalidSupergraphError(f"The supergraph cannot be read: {error}") from error

    @cached_property
    def public_schema(self) -> GraphQLSchema:
        """The schema that clients see: no federation internals, nothing inaccessible."""
        return build_ast_schema(strip_federation(self.document, public=True), assume_valid=True)

    def dismantle(self) -> None:
        """Empties the types one by one, so that each is freed at once instead of by a full collection.

        The supergraph cannot be used afterwards.
        """
        for schema in (self.schema, self.public_schema):
            for type_ in schema.type_map.values():
                if not (is_specified_scalar_type(type_) or is_introspection_type(type_)):
                    vars(type_).clear()

    def get_possible_types(self, name: str) -> frozenset[str]:
        """The object types that a value of the named type can have; none for a scalar, enum or input."""
        type_ = self.schema.type_map[name]
        if isinstance(type_, GraphQLObjectType):
            return frozenset({name})
        if not is_abstract_type(type_):
            return frozenset()
        return frozenset(possible.name for possible in self.schema.get_possible_types(type_))

    def is_abstract(self, name: str) -> bool:
        """Whether the named type is an interface or a union."""
        return is_abstract_type(self.schema.type_map[name])

    def get_type(self, name: str) -> GraphQLNamedType:
        """A type of the full schema, inaccessible ones included."""
        return self.schema.type_map[name]

    def get_interfaces(self, name: str) -> frozenset[str]:
        """The interfaces that the named type implements in any subgraph."""
        type_ = self.schema.type_map[name]
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            return frozenset()
        return frozenset(interface.name for interface in type_.interfaces)

    def get_root_type_name(self, operation_type: str) -> str | None:
        """The name of the `query`, `mutation` or `subscription` type; None if there is none."""
        root = getattr(self.schema, f"{operation_type}_type")
        return root.name if root else None


def _parse_document(sdl: str) -> DocumentNode:
    """Parses without locations, and unlinks the tokens, whose chain only the garbage collector could free."""
    parser = Parser(Source(sdl), no_location=True)
    document = parser.parse_document()
    token: Token | None = parser._lexer.token  # noqa: SLF001 - nothing public leads to the tokens
    while token is not None:
        previous = token.prev
        token.prev = token.next = None
        token = previous
    return document

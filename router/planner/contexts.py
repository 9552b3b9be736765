"""Contexts: which objects set one, and what a contextual argument selects on such an object.

The router fills an argument with `@fromContext(field: "$shop { currency }")` from the nearest enclosing
object whose type, or an interface or union of it, has `@context(name: "shop")`. In the supergraph the
context's name starts with that of the subgraph: `money__shop`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from router.operation.normalize import normalize_field_set
from router.operation.selections import SelectionSet
from router.planner.moves import NO_CONTEXTS
from router.supergraph import Supergraph
from router.supergraph.join_spec import ContextArgument, read_top_level_names

_EFFECTFUL_ROOTS = ("mutation", "subscription")


class Contexts:
    """The contexts of a supergraph: who sets them, and which fields read them."""

    def __init__(self, supergraph: Supergraph) -> None:
        self._supergraph = supergraph
        self._set_by = defaultdict[str, frozenset[str]](frozenset)
        for type_ in supergraph.types.values():
            for name in supergraph.get_possible_types(type_.name) if type_.contexts else ():
                self._set_by[name] |= type_.contexts
        for kind in _EFFECTFUL_ROOTS:
            # Reading a context there would run another mutation, or open another stream.
            self._set_by.pop(supergraph.get_root_type_name(kind) or "", None)

    @cached_property
    def fields(self) -> frozenset[tuple[str, str]]:
        """The fields, by type and name, that have contextual arguments in some subgraph."""
        return frozenset(
            (type_name, name)
            for joined in self._supergraph.types.values()
            for name, joins in joined.fields.items()
            if any(join.context_arguments for join in joins.values())
            for type_name in (joined.name, *self._supergraph.get_possible_types(joined.name))
        )

    def get_contexts_read_by(self, type_name: str, name: str) -> frozenset[str]:
        """The contexts that a field reads in any subgraph."""
        joins = self._supergraph.types[type_name].fields.get(name, {}).values()
        return frozenset(each.context for join in joins for each in join.context_arguments)

    def get_contexts_set_by(self, types: Iterable[str]) -> frozenset[str]:
        """The contexts that an object sets, whichever of some object types it has."""
        found = [self._set_by.get(name, NO_CONTEXTS) for name in types]
        return frozenset.intersection(*found) if found else NO_CONTEXTS

    def build_selection(self, type_name: str, argument: ContextArgument) -> SelectionSet:
        """The selection of an argument, which leads to one leaf, on a type that sets its context.

        A selection without type conditions holds for each object type of an abstract one.
        """
        text = argument.selection.strip()
        text = text[1:-1] if text.startswith("{") else text
        type_ = self._supergraph.get_type(type_name)
        if any(name not in getattr(type_, "fields", ()) for name in read_top_level_names(text)):
            possible = sorted(self._supergraph.get_possible_types(type_name))
            text = " ".join(f"... on {name} {{ {text} }}" for name in possible)
        return normalize_field_set(self._supergraph.schema, type_name, text)

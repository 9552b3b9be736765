"""Context variables: the variables through which fetches get the values of contextual arguments."""

from __future__ import annotations

from collections.abc import Iterable

from router.planner.plan import ContextVariable, FetchPath, Input


class ContextVariables:
    """The context variables of one operation; their names differ from those of the client's variables."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._prefix = "contextualArgument"
        names = tuple(taken)
        while any(name.startswith(self._prefix) for name in names):
            self._prefix = f"_{self._prefix}"
        self._known: dict[tuple[str, FetchPath, Input], ContextVariable] = {}

    def assign(self, type_: str, path: FetchPath, input_: Input) -> ContextVariable:
        """The variable, of a GraphQL type, for what is read from the objects at a path."""
        key = (type_, path, input_)
        if key not in self._known:
            name = f"{self._prefix}_{len(self._known)}"
            self._known[key] = ContextVariable(name, type_, path, input_)
        return self._known[key]

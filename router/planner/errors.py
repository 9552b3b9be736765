"""Why an operation has no plan."""

from __future__ import annotations

from collections.abc import Iterable


class UnplannableError(Exception):
    """The subgraphs cannot resolve the operation; `path` is the first field that none of them can resolve.

    `unset` are contexts that the field reads and no enclosing object sets.
    """

    def __init__(self, path: tuple[str, ...], type_name: str, unset: Iterable[str] = ()) -> None:
        contexts = "".join(f" Nothing around it sets the context {name!r}." for name in sorted(unset))
        field = ".".join(path)
        super().__init__(f"No subgraph can resolve {field!r} on type {type_name!r} from there.{contexts}")
        self.path = path

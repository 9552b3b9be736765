"""Why an operation has no plan."""

from __future__ import annotations


class UnplannableError(Exception):
    """No combination of subgraphs can answer the operation; `path` is the first field that none can."""

    def __init__(self, path: tuple[str, ...], type_name: str) -> None:
        super().__init__(f"No subgraph can resolve {'.'.join(path)!r} on type {type_name!r} from there.")
        self.path = path

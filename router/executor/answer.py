"""An answer as it is put together: its errors, what has no value and why, and what of it comes later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from router.executor.absence import Absence, AbsentFields, absent_fields
from router.operation.deferral import ExecutionGroup
from router.operation.selections import TYPENAME

# A path is a chain of (parent, key), built only where there is something below.
Link: TypeAlias = tuple[Any, str | int] | None
CompleteObject: TypeAlias = "Callable[[Any, Link, Answer], Any]"
"""Completes an object, which stands at a link."""


class Answer:
    """An answer in the making: its variables, the errors found while projecting, and what comes later."""

    __slots__ = ("_absences", "_absent", "_explained", "deferred", "errors", "variables")

    def __init__(
        self,
        variables: Mapping[str, Any],
        errors: list[dict[str, Any]] | None = None,
        absences: Sequence[Absence] = (),
    ) -> None:
        self.variables = variables
        self.errors = [] if errors is None else errors
        self.deferred: list[DeferredObject] = []
        self._absences = absences
        self._absent: AbsentFields | None = None
        self._explained: _Explained | None = None

    def error(self, message: str, link: Link) -> None:
        """Notes an error at a place, unless an error of a fetch explains it already."""
        path = path_of(link)
        if not self._known().explain(path):
            self._add({"message": message, "path": path})

    def lacking(self, value: Any, key: str, typename: str, link: tuple[Link, str]) -> Any:
        """What an object has that lacks a field: null, and an error if anything is wrong with that."""
        if not self.told(value, key, link) and key != TYPENAME:
            self.error(f"The service sent nothing for {typename}.{link[1]}.", link)
        return None

    def told(self, value: Any, key: str, link: Link) -> bool:
        """Whether a fetch says why an object lacks a field; its errors are noted at a place."""
        if self._absent is None:
            self._absent = absent_fields(self._absences)
        errors = self._absent.get((id(value), key))
        for error in errors or ():
            self._add({**error, "path": path_of(link)})
        return errors is not None

    def _add(self, error: dict[str, Any]) -> None:
        self._known().add(error["path"])
        self.errors.append(error)

    def _known(self) -> _Explained:
        if self._explained is None:
            self._explained = _Explained(self.errors)
        return self._explained


class _Explained:
    """The places that errors tell of, looked up in as many steps as a path has."""

    def __init__(self, errors: Iterable[Mapping[str, Any]]) -> None:
        self._all = False
        self._at: set[tuple[str | int, ...]] = set()
        self._above: set[tuple[str | int, ...]] = set()
        for error in errors:
            self.add(error.get("path"))

    def add(self, path: Sequence[str | int] | None) -> None:
        """An error at a place; without one, it may be the reason for anything."""
        if path is None:
            self._all = True
            return
        self._at.add(tuple(path))
        self._above.update(tuple(path[:length]) for length in range(len(path)))

    def explain(self, path: Sequence[str | int]) -> bool:
        """Whether an error at, above or below a place tells why there is nothing."""
        if self._all or tuple(path) in self._above:
            return True
        return any(tuple(path[:length]) in self._at for length in range(len(path) + 1))


@dataclass(frozen=True, slots=True)
class DeferredObject:
    """An object of an answer with fields of one group that come later."""

    group: ExecutionGroup
    value: Any
    link: Link
    complete: CompleteObject

    def project(self, answer: Answer) -> dict[str, Any] | None:
        """The fields that come later, once the object has them; None if one that may not be null is."""
        projected: dict[str, Any] | None = self.complete(self.value, self.link, answer)
        return projected


def path_of(link: Link) -> list[str | int]:
    """A chain of keys as a list."""
    path: list[str | int] = []
    while link is not None:
        link, key = link
        path.append(key)
    return path[::-1]

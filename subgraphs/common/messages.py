"""Events and jobs: the messages that a transaction sends when it commits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Message:
    """A message with the ids of rows, which its handler loads."""

    @classmethod
    def name(cls) -> str:
        """Return the name on the queue: the domain and the class, such as `orders.OrderPaid`."""
        return f"{cls.__module__.split('.')[1]}.{cls.__name__}"

    def payload(self) -> dict[str, Any]:
        """Convert to a JSON object."""
        return asdict(self)

    @classmethod
    def of(cls, payload: dict[str, Any]) -> Self:
        """Read a message from its payload."""
        return cls(**payload)


@dataclass(frozen=True, slots=True)
class Event(Message):
    """A message about something that has happened, named in the past tense; any domain may consume it."""


@dataclass(frozen=True, slots=True)
class Job(Message):
    """A message about work to do, named in the imperative; exactly one task handles it."""

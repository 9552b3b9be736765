"""Events and jobs: the messages that leave with a transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Message:
    """A small frozen record of ids; its handler loads the rows."""

    @classmethod
    def name(cls) -> str:
        """The message's name on the queue: the domain and the class, `orders.OrderPaid`."""
        return f"{cls.__module__.split('.')[1]}.{cls.__name__}"

    def payload(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, payload: dict[str, Any]) -> Self:
        """Rebuild a message from its payload."""
        return cls(**payload)


@dataclass(frozen=True, slots=True)
class Event(Message):
    """A fact, in the past tense; any domain may consume it."""


@dataclass(frozen=True, slots=True)
class Job(Message):
    """An order to do something, in the imperative; exactly one task handles it."""

"""Events and jobs: the messages that a transaction sends when it commits, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from pydantic import TypeAdapter, ValidationError


class MessageUnreadable(Exception):
    """A message does not have the fields that its class needs; each problem names its field."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message with the ids of rows, which its handler loads.

    Sender and handler may know different versions of a class, while a new one is rolled out and when a job
    has waited for long. Unknown fields are therefore ignored, and a new field needs a default, or else an
    increased `version` and an `upgrade`.
    """

    version: ClassVar[int] = 1

    @classmethod
    def name(cls) -> str:
        """Return the name on the queue: the domain and the class, such as `orders.OrderPaid`."""
        return f"{cls.__module__.split('.')[1]}.{cls.__name__}"

    @classmethod
    def upgrade(cls, payload: Mapping[str, Any], version: int) -> Mapping[str, Any]:
        """Upgrade the payload of an earlier version to this one; a class with `version > 1` overrides it."""
        del version
        return payload

    def to_payload(self) -> dict[str, Any]:
        """Convert to a JSON object."""
        return asdict(self)

    @classmethod
    def read(cls, payload: Mapping[str, Any], version: int = 1) -> Self:
        """Read a message from its payload; MessageUnreadable names all fields that are missing or wrong."""
        if version < cls.version:
            payload = cls.upgrade(payload, version)
        try:
            message: Self = _get_adapter(cls).validate_python(dict(payload))
        except ValidationError as error:
            problems = (
                f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
                for problem in error.errors(include_input=False, include_url=False)
            )
            raise MessageUnreadable(f"{cls.name()}: {'; '.join(problems)}") from error
        return message


@dataclass(frozen=True, slots=True)
class Event(Message):
    """A message about something that has happened, named in the past tense; any domain may consume it."""


@dataclass(frozen=True, slots=True)
class Job(Message):
    """A message about work to do, named in the imperative; exactly one task handles it."""


_adapters: dict[type[Message], TypeAdapter[Any]] = {}


def _get_adapter(kind: type[Message]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]

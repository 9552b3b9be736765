"""The registry of handlers: one task for each job, any number of consumers for each event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

from subgraphs.common.messages import Event, Job
from subgraphs.domains import DOMAINS
from workers.platform import Platform

JobType = TypeVar("JobType", bound=Job)
EventType = TypeVar("EventType", bound=Event)
Handler = Callable[[Platform, dict[str, Any], str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Registry:
    """The handlers by their names on the queue, and the names of each event's consumers."""

    handlers: dict[str, Handler]
    consumers: defaultdict[str, list[str]]

    def add(self, name: str, handler: Handler) -> None:
        """Register a handler under a unique name."""
        if name in self.handlers:
            raise ValueError(f"A handler for {name} is already registered")
        self.handlers[name] = handler

    def find_destinations(self, kind: str, name: str) -> list[str]:
        """Find the names of the handlers that receive a message: a job's task, or an event's consumers."""
        return [name] if kind == "job" else self.consumers[name]


REGISTRY = Registry({}, defaultdict(list))


def load_tasks() -> None:
    """Register the tasks of every domain that has some, by importing `workers.<domain>`."""
    for domain in DOMAINS:
        if find_spec(f"workers.{domain}"):
            import_module(f"workers.{domain}")


def task(
    job: type[JobType],
) -> Callable[
    [Callable[[Platform, JobType], Awaitable[None]]], Callable[[Platform, JobType], Awaitable[None]]
]:
    """Register the task that runs a job. Delivery is at least once, so the task must be idempotent."""

    def register(
        function: Callable[[Platform, JobType], Awaitable[None]],
    ) -> Callable[[Platform, JobType], Awaitable[None]]:
        async def handle(platform: Platform, payload: dict[str, Any], _: str) -> None:
            await function(platform, job.of(payload))

        REGISTRY.add(job.name(), handle)
        return function

    return register


def on(
    event: type[EventType], *, consumer: str
) -> Callable[
    [Callable[[Platform, EventType, str], Awaitable[None]]],
    Callable[[Platform, EventType, str], Awaitable[None]],
]:
    """Register a consumer of an event, named `domain.function`.

    The function's third argument is the message id, which the inbox deduplicates by.
    """

    def register(
        function: Callable[[Platform, EventType, str], Awaitable[None]],
    ) -> Callable[[Platform, EventType, str], Awaitable[None]]:
        async def handle(platform: Platform, payload: dict[str, Any], message_id: str) -> None:
            await function(platform, event.of(payload), message_id)

        REGISTRY.add(consumer, handle)
        REGISTRY.consumers[event.name()].append(consumer)
        return function

    return register

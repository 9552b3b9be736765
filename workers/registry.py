"""The registry of handlers: a task for each job, any number of consumers for each event, and the schedule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar

from subgraphs.common.deliveries import Delivery
from subgraphs.common.messages import Event, Job
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.domains import DOMAINS
from workers import queues
from workers.platform import Platform

JobType = TypeVar("JobType", bound=Job)
EventType = TypeVar("EventType", bound=Event)
Task = Callable[[Platform, JobType], Awaitable[None]]
Consumer = Callable[[Platform, UnitOfWork, EventType], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handler:
    """What handles the deliveries to one destination, and the queue on which they wait."""

    handle: Callable[[Platform, Delivery], Awaitable[None]]
    queue: str


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job that a domain enqueues once in each period; the periods are counted from the epoch."""

    domain: str
    job: Job
    every: timedelta


@dataclass(frozen=True, slots=True)
class Registry:
    """The handlers by destination, the destinations of each event, and the scheduled jobs."""

    handlers: dict[str, Handler] = field(default_factory=dict)
    consumers: dict[str, list[str]] = field(default_factory=dict)
    schedule: list[ScheduledJob] = field(default_factory=list)

    def add(self, destination: str, handler: Handler) -> None:
        """Register the handler of a destination, which may have only one."""
        if destination in self.handlers:
            raise ValueError(f"A handler for {destination} is already registered")
        if handler.queue not in queues.CONCURRENCY:
            raise ValueError(f"There is no queue {handler.queue}")
        self.handlers[destination] = handler

    @property
    def known_events(self) -> list[str]:
        """The names of the events that have consumers."""
        return list(self.consumers)

    def find_destinations(self, kind: str, name: str) -> list[str]:
        """Find the destinations of a message: a job's task, or a known event's consumers."""
        return [name] if kind == "job" else self.consumers[name]

    def get_queue(self, destination: str) -> str:
        """Return the queue of a destination; an unknown one fails there, until a newer worker knows it."""
        handler = self.handlers.get(destination)
        return handler.queue if handler else queues.DEFAULT


REGISTRY = Registry()


def load_tasks() -> None:
    """Register the tasks of every domain that has some, by importing `workers.<domain>`, and the schedule."""
    for domain in DOMAINS:
        if find_spec(f"workers.{domain}"):
            import_module(f"workers.{domain}")
    import_module("workers.retention")


def task(job: type[JobType], *, queue: str) -> Callable[[Task[JobType]], Task[JobType]]:
    """Register the task that runs a job. Delivery is at least once, so the task must be idempotent."""

    def register(function: Task[JobType]) -> Task[JobType]:
        async def handle(platform: Platform, delivery: Delivery) -> None:
            await function(platform, job.read(delivery.payload, delivery.version))

        REGISTRY.add(job.name(), Handler(handle, queue))
        return function

    return register


def on(
    event: type[EventType], *, domain: str, queue: str = queues.DEFAULT
) -> Callable[[Consumer[EventType]], Consumer[EventType]]:
    """Register a domain's consumer of an event, which takes effect once for each message.

    It gets a unit of work of its domain in which the message has been received into the inbox, and must
    change nothing outside of it: what takes long, or is not a row, it enqueues as a job.
    """

    def register(function: Consumer[EventType]) -> Consumer[EventType]:
        consumer = f"{domain}.{function.__name__}"

        async def handle(platform: Platform, delivery: Delivery) -> None:
            message = event.read(delivery.payload, delivery.version)
            async with platform.runtimes[domain].unit_of_work() as uow:
                if await uow.receive(consumer, delivery.message_id):
                    await function(platform, uow, message)

        REGISTRY.add(consumer, Handler(handle, queue))
        REGISTRY.consumers.setdefault(event.name(), []).append(consumer)
        return function

    return register


def schedule(job: Job, *, domain: str, every: timedelta) -> None:
    """Let a domain enqueue a job once in each period."""
    REGISTRY.schedule.append(ScheduledJob(domain, job, every))

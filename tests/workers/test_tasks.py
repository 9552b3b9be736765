"""Every job of a domain has a task, and every event a consumer."""

from importlib import import_module
from importlib.util import find_spec

from subgraphs.common.messages import Event, Job, Message
from subgraphs.domains import DOMAINS
from workers.registry import REGISTRY, load_tasks


def find_messages(module: str, kind: type[Message]) -> set[str]:
    """The names of all messages of a kind in the domains' modules of this name."""
    modules = [f"subgraphs.{domain}.{module}" for domain in DOMAINS]
    return {
        each.name()
        for name in modules
        if find_spec(name)
        for each in vars(import_module(name)).values()
        if isinstance(each, type) and issubclass(each, kind) and each is not kind
    }


def test_every_job_of_every_domain_has_its_task() -> None:
    load_tasks()
    jobs = find_messages("jobs", Job)
    assert len(jobs) == 13
    assert jobs <= REGISTRY.handlers.keys()


def test_every_event_of_every_domain_has_a_consumer() -> None:
    load_tasks()
    events = find_messages("events", Event)
    assert len(events) == 5
    assert events == set(REGISTRY.known_events)


def test_every_domain_prunes_its_messages() -> None:
    load_tasks()
    assert {scheduled.domain for scheduled in REGISTRY.schedule} == set(DOMAINS)

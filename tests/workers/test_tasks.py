"""Every job of a domain has a task."""

from importlib import import_module
from importlib.util import find_spec

from subgraphs.common.messages import Job
from subgraphs.domains import DOMAINS
from workers.registry import REGISTRY, load_tasks


def test_every_job_of_every_domain_has_its_task() -> None:
    load_tasks()
    modules = [f"subgraphs.{domain}.jobs" for domain in DOMAINS]
    jobs = {
        each.name()
        for module in modules
        if find_spec(module)
        for each in vars(import_module(module)).values()
        if isinstance(each, type) and issubclass(each, Job) and each is not Job
    }
    assert len(jobs) == 8
    assert jobs <= REGISTRY.handlers.keys()

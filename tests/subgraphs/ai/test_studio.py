"""Which providers the settings choose for a new generation, and that its row keeps them."""

from collections.abc import Mapping
from typing import get_args

import pytest

from subgraphs.ai.models import Generation
from subgraphs.ai.providers.registry import ILLUSTRATORS, MODERATORS, WRITERS, StudioNames, choose_studio
from subgraphs.ai.settings import ProviderName, Settings
from subgraphs.common.ids import new_id
from subgraphs.common.runtime import open_runtime
from subgraphs.common.settings import InvalidSettings, read_settings
from subgraphs.domains import DOMAINS
from tests.subgraphs.ai.library import Parent
from tests.support.fakes.openai.server import MODERATIONS, FakeOpenAI
from tests.support.graph import FakeGraph
from tests.support.subgraph import build_settings, run_subgraph


@pytest.mark.parametrize(
    ("environ", "studio"),
    [
        ({}, StudioNames("offline", "offline", "offline")),
        ({"OPENAI_API_KEY": "your_key_here"}, StudioNames("offline", "offline", "offline")),
        ({"OPENAI_API_KEY": "sk-test"}, StudioNames("openai", "openai", "openai")),
        (
            {"OPENAI_API_KEY": "sk-test", "AI_WRITER": "offline"},
            StudioNames("offline", "openai", "openai"),
        ),
        (
            {"OPENAI_API_KEY": "sk-test", "AI_ILLUSTRATOR": "offline"},
            StudioNames("openai", "offline", "openai"),
        ),
        (
            {"OPENAI_API_KEY": "sk-test", "AI_MODERATOR": "offline"},
            StudioNames("openai", "openai", "offline"),
        ),
    ],
)
async def test_each_port_takes_the_provider_that_is_set_or_else_openai_if_it_has_a_key(
    environ: Mapping[str, str], studio: StudioNames
) -> None:
    async with open_runtime(DOMAINS["ai"], build_settings("ai", environ)) as runtime:
        assert choose_studio(runtime) == studio


@pytest.mark.parametrize(
    ("port", "provider"),
    [("writer", "openai, offline"), ("illustrator", "offline, openai"), ("moderator", "offline")],
)
async def test_a_new_generation_keeps_the_provider_of_each_port(
    servers: Mapping[str, str], graph: FakeGraph, port: str, provider: str
) -> None:
    names = dict.fromkeys(("writer", "illustrator", "moderator"), "offline") | {port: "openai"}
    async with FakeOpenAI().serve() as openai:
        environ = {
            **servers,
            "GRAPH_URL": graph.url,
            **openai.environ,
            **{f"AI_{each.upper()}": name for each, name in names.items()},
        }
        async with run_subgraph("ai", environ) as ai:
            generation = await Parent(ai).generate(new_id("book"))
            async with ai.runtime.database.read() as session:
                row = await session.get_one(Generation, generation["id"])
        assert {each: getattr(row, each) for each in names} == names
        assert generation["provider"] == provider
        assert row.moderation_usage is not None
        assert row.moderation_usage["provider"] == names["moderator"]
        assert [call.path for call in openai.calls] == ([MODERATIONS] if port == "moderator" else [])


@pytest.mark.parametrize("variable", ["AI_WRITER", "AI_ILLUSTRATOR", "AI_MODERATOR"])
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("openai", "openai needs OPENAI_API_KEY"),
        ("nobody", "Input should be 'openai' or 'offline'"),
    ],
)
def test_a_provider_that_cannot_be_used_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, name: str, problem: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv(variable, name)
    with pytest.raises(InvalidSettings) as refused:
        read_settings(Settings, ())
    assert refused.value.problems == [f"{variable}: {problem}"]


def test_the_settings_accept_the_names_of_the_registered_providers() -> None:
    names = set(get_args(ProviderName))
    assert names == set(WRITERS.factories) == set(ILLUSTRATORS.factories) == set(MODERATORS.factories)

"""The router's configuration file."""

from pathlib import Path

import pytest

from router.config.settings import InvalidSettingError, Settings, load
from router.config.traffic import PropagateHeader, RemoveHeader, SetHeader


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file that the router reads."""
    path = tmp_path / "router.yaml"
    monkeypatch.setenv("ROUTER_CONFIG", str(path))
    return path


def load_text(config: Path, text: str) -> Settings:
    config.write_text(text)
    return load()


def find_problems(config: Path, text: str) -> list[str]:
    """The problems of a file, with `router.yaml` for its path."""
    with pytest.raises(InvalidSettingError) as refusal:
        load_text(config, text)
    return str(refusal.value).replace(str(config), "router.yaml").split("; ")


def test_settings_of_all_groups_are_read_by_their_names(config: Path):
    settings = load_text(
        config,
        """
        api_port: 4001
        router_max_depth: 12
        router_compression: false
        router_trusted_proxies: 10.0.0.0/8
        router_subgraph_timeouts: {ai: 45}
        router_override_labels: {"on": true, "off": false, some: 12.5}
        router_headers:
          - propagate: User-Agent
          - {set: x-graph, value: memorable}
          - {remove: authorization, subgraph: print}
        """,
    )
    assert (settings.api_port, settings.limits.max_depth, settings.connections.compression) == (
        4001,
        12,
        False,
    )
    assert [str(network) for network in settings.connections.trusted_proxies] == ["10.0.0.0/8"]
    assert settings.traffic.subgraph_timeouts == {"ai": 45}
    assert settings.traffic.override_labels == {"on": 100, "off": 0, "some": 12.5}
    assert settings.traffic.headers == (
        PropagateHeader(propagate="user-agent"),
        SetHeader(set="x-graph", value="memorable"),
        RemoveHeader(remove="authorization", subgraph="print"),
    )


def test_the_environment_overrides_the_file_and_the_command_line_both(
    config: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ROUTER_MAX_DEPTH", "7")
    monkeypatch.setenv("API_PORT", "")
    settings = load_text(config, "router_max_depth: 12\napi_port: 4001")
    assert (settings.limits.max_depth, settings.api_port) == (7, 4001)
    assert load(api_port=5000).api_port == 5000


def test_an_empty_file_sets_nothing(config: Path):
    assert load_text(config, "# nothing yet") == load()


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "router_max_depth: 0\nrouter_subgraph_timeouts:\n  ai: 0\napi_port: http",
            [
                "router.yaml:1: router_max_depth: Input should be greater than or equal to 1 (got 0)",
                "router.yaml:2: router_subgraph_timeouts[ai]: Input should be greater than 0 (got 0)",
                "router.yaml:4: api_port: Input should be a valid integer, unable to parse",
            ],
        ),
        (
            'router_headers:\n  - remove: content-length\n  - {drop: a}\n  - {set: x-a, value: "a\\nb"}',
            [
                "router.yaml:1: router_headers[0]: the router sets content-length itself",
                "router.yaml:1: router_headers[1]: A rule has one of the keys propagate, set and remove",
                "router.yaml:1: router_headers[2]: String should match pattern '^[\\x20-\\x7e]*$'",
            ],
        ),
        (
            "router_subscriptions: {ai: {protocol: sse}}",
            ["router.yaml:1: router_subscriptions[ai]: Input should be 'graphql_ws' (got 'sse')"],
        ),
        (
            "router_override_labels: {beta: 101}",
            ["router.yaml:1: router_override_labels[beta]: Input should be less than or equal to 100"],
        ),
        (
            "\nrouter_max_dept: 3\nnothing_like_it: 1",
            [
                "router.yaml:2: router_max_dept is not a setting",
                "did you mean router_max_depth?",
                "router.yaml:3: nothing_like_it is not a setting",
            ],
        ),
        (
            "api_port: 1\napi_port: 2",
            ["router.yaml:2: api_port is set at router.yaml:1 already"],
        ),
        ("- api_port", ["router.yaml:1: the file is not a mapping"]),
        ("api_port: [", ["router.yaml:1: expected the node content, but found '<stream end>'"]),
        ("api_port: !!python/object:os.system x", ["router.yaml:1: could not determine a constructor"]),
    ],
)
def test_each_problem_is_named_with_its_line(config: Path, text: str, problems: list[str]):
    found = find_problems(config, text)
    assert len(found) == len(problems)
    for problem, expected in zip(found, problems, strict=True):
        assert problem.startswith(expected)


def test_a_file_that_is_missing_is_named(config: Path):
    with pytest.raises(InvalidSettingError, match=r"router\.yaml cannot be read"):
        load()


def test_a_value_that_may_be_secret_is_not_shown(config: Path):
    text = "router_headers: [{set: x-key, value: hidden, more: 1}]\nrouter_policy_url: ftp://user:hidden@host"
    assert "hidden" not in " ".join(find_problems(config, text))

"""The router's settings."""

import pytest

from router.config.settings import InvalidSettingError, load


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("API_PORT", "http", "API_PORT: Input should be a valid integer"),
        ("API_PORT", "70000", "API_PORT: Input should be less than or equal to 65535"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL: Input should be 'debug', 'info', 'warn' or 'error'"),
        ("ROUTER_SAFELIST", "true", "ROUTER_SAFELIST: ROUTER_TRUSTED_DOCUMENTS must name"),
        ("ROUTER_APQ_REDIS_URL", "http://a", "ROUTER_APQ_REDIS_URL: URL scheme should be 'redis'"),
        ("ROUTER_MAX_COST", "-1", "ROUTER_MAX_COST: Input should be greater than or equal to 0"),
        (
            "ROUTER_COST_PER_MINUTE",
            "9",
            "ROUTER_COST_REDIS_URL: ROUTER_COST_PER_MINUTE requires it",
        ),
        ("ROUTER_MAX_DEPTH", "0", "ROUTER_MAX_DEPTH: Input should be greater than or equal to 1"),
        ("ROUTER_SUBGRAPH_TIMEOUT", "0", "ROUTER_SUBGRAPH_TIMEOUT: Input should be greater than 0"),
        (
            "ROUTER_HEADERS",
            "[]",
            "ROUTER_HEADERS: it can only be set in the file that",
        ),
        ("ROUTER_POLICY_URL", "opa:8181", "ROUTER_POLICY_URL: URL scheme should be 'http' or 'https'"),
        ("ROUTER_POLICY_TIMEOUT", "0", "ROUTER_POLICY_TIMEOUT: Input should be greater than 0"),
        (
            "OTEL_TRACES_EXPORTER",
            "zipkin",
            "OTEL_TRACES_EXPORTER: Input should be 'otlp', 'console' or 'none'",
        ),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "OTEL_EXPORTER_OTLP_PROTOCOL: Input should be 'http/protobuf'",
        ),
        ("ROUTER_CORS_ORIGINS", "https://a.example/page", "ROUTER_CORS_ORIGINS[0]: String should match"),
        ("ROUTER_TRUSTED_PROXIES", "10.0.0.0/8,proxy", "ROUTER_TRUSTED_PROXIES: 'proxy' does"),
        ("ROUTER_PROXY_HEADER", "x-real-ip", "ROUTER_PROXY_HEADER: Input should be 'x-forwarded-for' or"),
        ("ROUTER_HEADER_TIMEOUT", "0", "ROUTER_HEADER_TIMEOUT: Input should be greater than 0"),
        ("ROUTER_MAX_CONNECTIONS", "0", "ROUTER_MAX_CONNECTIONS: Input should be greater than or equal to 1"),
        ("METRICS_PORT", "70000", "METRICS_PORT: Input should be less than or equal to 65535"),
        ("ENVIRONMENT", "production", "JWKS_URL: required in production"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettingError) as refusal:
        load()
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("environ", "exporter"),
    [
        ({}, "none"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"}, "none"),
        ({"OTEL_TRACES_EXPORTER": "OTLP"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "none"),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "none"),
        ({"OTEL_SDK_DISABLED": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "otlp"),
    ],
)
def test_the_span_exporter_follows_the_variables_of_opentelemetry(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], exporter: str
):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert load().telemetry.exporter == exporter


def test_an_empty_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("API_PORT", "")
    assert load().api_port == 3000


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("API_PORT", "4000")
    assert (load().api_port, load(api_port=5000).api_port) == (4000, 5000)


def test_subgraph_urls_come_from_the_command_line_then_the_environment_then_the_supergraph(
    monkeypatch: pytest.MonkeyPatch,
):
    assert load().get_subgraph_url("my-books", "http://supergraph") == "http://supergraph"
    monkeypatch.setenv("MY_BOOKS_URL", "http://environment")
    assert load().get_subgraph_url("my-books", "http://supergraph") == "http://environment"
    given = load(subgraph_urls={"my-books": "http://given"})
    assert given.get_subgraph_url("my-books", "http://supergraph") == "http://given"


@pytest.mark.parametrize(
    ("environ", "port"),
    [
        ({}, 4000),
        ({"API_PORT": "5000"}, 6000),
        ({"API_PORT": "0"}, 0),
        ({"API_PORT": "65000"}, 0),
        ({"METRICS_PORT": "9000"}, 9000),
    ],
)
def test_metrics_have_a_separate_port(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], port: int):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert load().effective_metrics_port == port


def test_the_shutdown_timeout_defaults_to_that_of_an_operation(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("ROUTER_OPERATION_TIMEOUT", "7.5")
    assert load().shutdown_seconds == 9
    monkeypatch.setenv("ROUTER_SHUTDOWN_TIMEOUT", "3")
    assert load().shutdown_seconds == 3


def test_credentials_are_not_allowed_for_every_origin(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROUTER_CORS_CREDENTIALS", "true")
    monkeypatch.setenv("ROUTER_CORS_ORIGINS", "*")
    with pytest.raises(InvalidSettingError, match="ROUTER_CORS_CREDENTIALS: not allowed"):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROUTER_APQ_REDIS_URL", "http://user:hidden@host"),
        ("ROUTER_COST_REDIS_URL", "http://user:hidden@host"),
        ("ROUTER_POLICY_URL", "ftp://user:hidden@host"),
    ],
)
def test_a_setting_that_may_hold_a_secret_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettingError) as refusal:
        load()
    assert name in str(refusal.value)
    assert "hidden" not in str(refusal.value)


def test_production_hides_the_schema(monkeypatch: pytest.MonkeyPatch):
    assert load().introspection
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("JWKS_URL", "https://auth.example/.well-known/jwks.json")
    monkeypatch.setenv("SERVICE_TOKEN", "x" * 32)
    assert not load().introspection


@pytest.mark.parametrize("token", ["", "development", "x" * 15])
def test_production_requires_a_service_token_and_does_not_show_it(
    monkeypatch: pytest.MonkeyPatch, token: str
):
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("JWKS_URL", "https://auth.example/.well-known/jwks.json")
    monkeypatch.setenv("SERVICE_TOKEN", token)
    with pytest.raises(InvalidSettingError) as refused:
        load()
    assert str(refused.value).startswith("SERVICE_TOKEN: production requires a secret")
    assert not token or token not in str(refused.value)

"""The explorer's page and its example tabs."""

from pathlib import Path

import pytest

from router.server import graphiql


def test_examples_are_tabs_in_the_order_of_their_names(tmp_path: Path):
    (tmp_path / "2-second.graphql").write_text("{ b }")
    (tmp_path / "1-first.graphql").write_text("query First($n: Int) { a(n: $n) }")
    (tmp_path / "1-first.variables.json").write_text('{"n":1}')
    (tmp_path / "1-first.headers.json").write_text('{"Authorization":"Bearer {{accessToken}}"}')
    assert graphiql.load_examples(tmp_path) == [
        {
            "query": "query First($n: Int) { a(n: $n) }",
            "variables": '{\n  "n": 1\n}',
            "headers": '{\n  "Authorization": "Bearer {{accessToken}}"\n}',
        },
        {"query": "{ b }", "variables": "", "headers": ""},
    ]


def test_a_supergraph_without_examples_has_none(tmp_path: Path):
    assert graphiql.load_examples(tmp_path / "nowhere") == []


def test_an_explorer_that_is_not_built_says_how_to_build_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(graphiql, "BUILT", tmp_path)
    page = graphiql.build_page("api.example:3000")
    assert page.status_code == 503
    assert b"npm ci && npm run build" in bytes(page.body)


def test_a_built_explorer_may_load_nothing_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(graphiql, "BUILT", tmp_path)
    (tmp_path / "index.html").write_text("<html></html>")
    page = graphiql.build_page("api.example:3000")
    assert (page.status_code, bytes(page.body)) == (200, b"<html></html>")
    policy = page.headers["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'self'"
    assert "connect-src 'self' ws://api.example:3000 wss://api.example:3000" in policy
    assert {"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("host", ["", "a b", "a; script-src *", "*", "a" * 300, "[::1", "a:123456"])
def test_an_invalid_host_is_kept_out_of_the_policy(host: str):
    assert "connect-src 'self';" in graphiql.build_security_policy(host)


def test_an_ipv6_host_is_allowed_in_the_policy():
    assert "ws://[::1]:3000 wss://[::1]:3000" in graphiql.build_security_policy("[::1]:3000")

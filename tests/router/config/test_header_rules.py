"""Header rules."""

import pytest

from router.config.header_rules import HeaderRule, HeaderRules, HeaderValue, Propagate, Remove, SetValue


def apply_rules(rules: list[HeaderRule], subgraph: str = "books", **client: str) -> dict[str, HeaderValue]:
    compiled = HeaderRules(rules)
    headers: dict[str, HeaderValue] = {"authorization": "token"}
    compiled.apply(subgraph, headers, compiled.select_client_headers(client))
    return headers


def test_only_the_named_headers_of_the_client_are_propagated_if_present():
    rules = [HeaderRule(Propagate("locale")), HeaderRule(Propagate("region"))]
    assert apply_rules(rules, locale="de", cookie="secret") == {"authorization": "token", "locale": "de"}


def test_a_later_rule_wins():
    rules = [HeaderRule(SetValue("locale", "en")), HeaderRule(Propagate("locale"))]
    assert apply_rules(rules)["locale"] == "en"
    assert apply_rules(rules, locale="de")["locale"] == "de"
    assert apply_rules(rules[::-1], locale="de")["locale"] == "en"


def test_a_header_of_the_router_can_be_removed_for_one_subgraph():
    rules = [HeaderRule(Remove("authorization"), "print")]
    assert apply_rules(rules, "print") == {}
    assert apply_rules(rules, "books") == {"authorization": "token"}


@pytest.mark.parametrize(
    ("payload", "propagated"),
    [
        ({"x-tenant": "fox"}, (("x-tenant", "fox"),)),
        ({"X-Tenant": "föx"}, (("x-tenant", "f\xc3\xb6x"),)),
        ({"x-user": "admin", "other": "x"}, ()),
        ({"x-tenant": "fox\r\nx-user: admin"}, ()),
        ({"x-tenant": "x" * 8193}, ()),
        ({"x-tenant": ["fox"]}, ()),
        ({"x-tenant": "\ud83d"}, (("x-tenant", "?"),)),
    ],
)
def test_an_entry_of_the_initial_payload_stands_for_a_header_only_where_a_rule_says_so(
    payload: dict[str, object], propagated: tuple[tuple[str, str], ...]
):
    rules = HeaderRules(
        [HeaderRule(Propagate("x-tenant", initial_payload=True)), HeaderRule(Propagate("x-user"))]
    )
    assert rules.select_from_payload(payload, ()) == propagated


def test_a_header_of_the_handshake_wins_over_the_initial_payload():
    rules = HeaderRules([HeaderRule(Propagate("x-tenant", initial_payload=True))])
    assert rules.select_from_payload({"x-tenant": "hen"}, (("x-tenant", "fox"),)) == ()

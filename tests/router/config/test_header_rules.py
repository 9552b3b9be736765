"""Header rules."""

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

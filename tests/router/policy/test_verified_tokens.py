"""The cache of verified tokens."""

import pytest

from router.policy import verified_tokens
from router.policy.verified_tokens import VerifiedTokens


def test_the_least_recently_used_tokens_are_evicted_beyond_the_size(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(verified_tokens, "MAX_TOKEN_CHARACTERS", 2 * (verified_tokens.ENTRY_OVERHEAD + 10))
    tokens = VerifiedTokens[str]()
    for name in ("a", "b"):
        tokens.put(name * 10, name)
    assert tokens.get("a" * 10) == "a"
    tokens.put("c" * 10, "c")
    assert [tokens.get(name * 10) for name in "abc"] == ["a", None, "c"]
    tokens.put("d" * 900, "d")
    assert [tokens.get(token) for token in ("a" * 10, "c" * 10, "d" * 900)] == [None, None, "d"]


def test_a_token_kept_twice_counts_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verified_tokens, "MAX_TOKEN_CHARACTERS", 2 * (verified_tokens.ENTRY_OVERHEAD + 1))
    tokens = VerifiedTokens[str]()
    for name in ("a", "b", "b"):
        tokens.put(name, name)
    assert tokens.get("a") == "a"

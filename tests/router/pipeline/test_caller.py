"""The caller of an operation."""

from router.pipeline.caller import Caller
from router.policy.auth import Identity


def get_client(subject: str | None, address: str) -> str:
    return Caller(Identity(subject, frozenset()) if subject else None, None, (), address).client


def test_callers_share_limits_by_the_subject_of_their_token_or_else_by_their_address():
    assert get_client("usr_1", "10.0.0.1") == get_client("usr_1", "10.0.0.2")
    assert get_client("usr_1", "10.0.0.1") != get_client("usr_2", "10.0.0.1")
    assert get_client(None, "10.0.0.1") == get_client(None, "10.0.0.1")
    assert get_client(None, "10.0.0.1") != get_client(None, "10.0.0.2")


def test_no_subject_has_the_key_of_an_address():
    assert get_client("10.0.0.1", "10.0.0.2") != get_client(None, "10.0.0.1")

"""Redaction of log lines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError

from subgraphs.common.errors import BadUserInput
from subgraphs.common.redaction import MAX_VALUE_LENGTH, describe_error, redact, redact_value

SECRET = "swordfish"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Credentials(BaseModel):
    password: int


def catch(action: Any) -> BaseException:
    with pytest.raises((ValueError, LookupError)) as raised:
        action()
    return raised.value


@pytest.mark.parametrize(
    "error",
    [
        KeyError(SECRET),
        ValueError(f"invalid literal for int() with base 10: '{SECRET}'"),
        DBAPIError(f"SELECT '{SECRET}'", {"a": SECRET}, Exception(SECRET)),
        catch(lambda: Credentials.model_validate({"password": SECRET})),
        catch(lambda: int(SECRET)),
        catch(lambda: SECRET.encode("ascii", "x").decode("utf-16", SECRET)),
        ExceptionGroup(SECRET, [KeyError(SECRET)]),
    ],
)
def test_a_logged_exception_does_not_repeat_its_values(error: BaseException) -> None:
    event = redact(None, "error", {"event": "Failed", "exc_info": error, "error": error})
    assert SECRET not in str(event)
    assert type(error).__name__ in str(event["exception"])


def test_our_own_messages_are_kept_with_their_place_and_cause() -> None:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as cause:
            raise BadUserInput("name", "name must have at least 1 character.") from cause
    except BadUserInput as error:
        lines = redact(None, "error", {"event": "Failed", "exc_info": error})["exception"]
    places = [line for line in lines if " in test_our_own_messages" in line]
    assert len(places) == 2
    assert [line for line in lines if line not in places] == [
        "builtins.KeyError",
        "BadUserInput: name must have at least 1 character.",
    ]


def test_a_group_is_described_by_its_members() -> None:
    errors = [OSError("full"), ExceptionGroup("inner", [KeyError(SECRET)])]
    described = describe_error(ExceptionGroup("unhandled errors in a TaskGroup", errors))
    assert described == "ExceptionGroup: OSError: full; ExceptionGroup: builtins.KeyError"


def test_true_means_the_exception_that_is_being_handled() -> None:
    try:
        raise ArithmeticError("lost")
    except ArithmeticError:
        event = redact(None, "error", {"event": "Failed", "exc_info": True})
    assert event["exception"][-1] == "ArithmeticError: lost"


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u202e", "\x9b31m", "\0", "\ud800", "\u200b", "\u2028"])
def test_logged_values_have_no_control_characters_or_line_breaks(text: str) -> None:
    shown = redact_value({"value": [text], text: 1})
    assert all(part.isprintable() for part in (*shown, *shown["value"]))


@given(VALUES)
def test_every_value_is_short_and_printable(value: Any) -> None:
    pending, texts = [redact_value(value)], 0
    while pending:
        match pending.pop():
            case str() as text:
                assert len(text) <= MAX_VALUE_LENGTH
                assert text.isprintable()
                texts += 1
            case dict() as found:
                pending += [*found, *found.values()]
            case list() as found:
                pending += found
    assert texts <= 50**3


def test_a_long_value_is_cut_and_a_huge_number_only_measured() -> None:
    assert redact_value("x" * 5000) == "x" * (MAX_VALUE_LENGTH - 1) + "…"
    assert redact_value(10**5000) == "a number of 16610 bits"
    assert len(redact_value(list(range(5000)))) == 50


def test_an_expected_error_is_logged_as_its_code() -> None:
    assert describe_error(RuntimeError("The pool is closed")) == "RuntimeError: The pool is closed"
    assert (
        describe_error(ValidationError.from_exception_data(SECRET, []))
        == "pydantic_core._pydantic_core.ValidationError"
    )

"""Messages: what later and earlier versions of a class read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from subgraphs.common.messages import Job, MessageUnreadable


@dataclass(frozen=True, slots=True)
class PaintFence(Job):
    """A job whose second version has `colours` instead of `colour`, and a field with a default."""

    version: ClassVar[int] = 2
    fence_id: str
    colours: tuple[str, ...]
    coats: int = 1

    @classmethod
    def upgrade(cls, payload: Mapping[str, Any], version: int) -> Mapping[str, Any]:
        assert version == 1
        return {**payload, "colours": [payload["colour"]]}


def test_a_message_is_read_as_it_was_sent() -> None:
    job = PaintFence("fnc_1", ("white", "green"), 2)
    assert PaintFence.read(job.to_payload(), job.version) == job


def test_unknown_fields_are_ignored_and_missing_ones_take_their_default() -> None:
    payload = {"fence_id": "fnc_1", "colours": ["white"], "brush": "wide"}
    assert PaintFence.read(payload, 3) == PaintFence("fnc_1", ("white",))


def test_an_earlier_version_is_upgraded() -> None:
    assert PaintFence.read({"fence_id": "fnc_1", "colour": "white"}, 1) == PaintFence("fnc_1", ("white",))


def test_an_unreadable_message_names_every_field_and_no_value() -> None:
    with pytest.raises(MessageUnreadable) as caught:
        PaintFence.read({"colours": "Mia", "coats": "many"}, 2)
    assert str(caught.value) == (
        f"{PaintFence.name()}: fence_id: Field required; colours: Input should be a valid tuple; "
        "coats: Input should be a valid integer, unable to parse string as an integer"
    )

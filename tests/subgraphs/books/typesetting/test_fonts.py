"""Which characters can be printed."""

import pytest

from subgraphs.books.typesetting.fonts import printable, unprintable


@pytest.mark.parametrize(
    "text",
    [
        "Mia, Zoë & Łucja “naïve” … © ½",
        "Жанна Ελένη נועה نور दीया แม่ մայր",
        "🦊🚀❤️ 👨‍👩‍👧 👋🏽 🇩🇪 ⭐",
        "one\ntwo",
        "<b>*markup*</b> #let $x$ \\ ` @",
    ],
)
def test_many_scripts_emoji_and_markup_can_be_printed(text: str) -> None:
    assert unprintable(text) == []
    assert printable(text) == text


def test_what_cannot_be_printed_is_named_once_and_can_be_left_out() -> None:
    assert unprintable("Mia 美雅 and 美") == ["美", "雅"]
    assert printable("Mia 美!") == "Mia !"

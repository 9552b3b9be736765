"""The characters that the fonts cover."""

import pytest

from subgraphs.books.typesetting.fonts import find_unprintable, remove_unprintable


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
    assert find_unprintable(text) == []
    assert remove_unprintable(text) == text


def test_unprintable_characters_are_found_once_and_can_be_removed() -> None:
    assert find_unprintable("Mia 美雅 and 美") == ["美", "雅"]
    assert remove_unprintable("Mia 美!") == "Mia !"

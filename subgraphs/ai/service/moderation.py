"""Moderation of what a parent has written, before anything is generated from it."""

from __future__ import annotations

from collections.abc import Mapping

from subgraphs.ai.errors import ModerationRejected
from subgraphs.ai.providers.ports import Moderator, ProviderFailed, Usage
from subgraphs.common.errors import DependencyFailed


async def require_moderation(
    moderator: Moderator, texts: Mapping[str, str | None], author: str
) -> Usage | None:
    """Raise ModerationRejected when a text, given by its input field, is not for a children's book.

    Return what the moderation used; None when there was no text.
    """
    given = {field: text for field, text in texts.items() if text}
    if not given:
        return None
    try:
        review = await moderator.moderate(given, author=author)
    except ProviderFailed as error:
        raise DependencyFailed("The story cannot be checked now; try again.") from error
    if review.rejection is not None:
        raise ModerationRejected(review.rejection.field, review.rejection.category)
    return review.usage

"""Moderation of what a parent has written, before anything is generated from it."""

from __future__ import annotations

from collections.abc import Mapping

from subgraphs.ai.errors import ModerationRejected
from subgraphs.ai.providers.protocol import Provider, ProviderFailed
from subgraphs.common.errors import DependencyFailed


async def require_moderation(provider: Provider, texts: Mapping[str, str | None], author: str) -> None:
    """Raise ModerationRejected when a text, given by its input field, is not for a children's book."""
    given = {field: text for field, text in texts.items() if text}
    if not given:
        return
    try:
        rejection = await provider.moderate(given, author=author)
    except ProviderFailed as error:
        raise DependencyFailed("The story cannot be checked now; try again.") from error
    if rejection is not None:
        raise ModerationRejected(rejection.field, rejection.category)

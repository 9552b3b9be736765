"""The use cases of the ai domain."""

from __future__ import annotations

from subgraphs.ai.service.cancellation import (
    CancellationReason,
    cancel_generation,
    cancel_generations_of_owner,
)
from subgraphs.ai.service.deletion import delete_generations_of_child, delete_pictures
from subgraphs.ai.service.generation import generate_book
from subgraphs.ai.service.progress import GenerationProgress, follow_generation
from subgraphs.ai.service.regeneration import PagePart, regenerate_page
from subgraphs.ai.service.run import find_owner, run_generation

__all__ = [
    "CancellationReason",
    "GenerationProgress",
    "PagePart",
    "cancel_generation",
    "cancel_generations_of_owner",
    "delete_generations_of_child",
    "delete_pictures",
    "find_owner",
    "follow_generation",
    "generate_book",
    "regenerate_page",
    "run_generation",
]

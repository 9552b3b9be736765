"""The mutations of the ai domain."""

from __future__ import annotations

import strawberry
from strawberry.federation.schema_directives import Cost

from subgraphs.ai import errors, results, service
from subgraphs.ai.inputs import GenerateBookInput, RegeneratePageInput
from subgraphs.ai.results import GenerateResult
from subgraphs.ai.types import Generation, Info
from subgraphs.common import types
from subgraphs.common.consent import ConsentRequired
from subgraphs.common.errors import DomainError

PARENT = [["parent"]]
# A provider moderates what the parent wrote, and a generation costs money.
_MODERATING = Cost(weight=500)


@strawberry.type
class Mutation:
    """The root mutation fields, one use case each."""

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_MODERATING],
        description="Write and illustrate a book; requires the consent AI_PROCESSING. "
        "Subscribe to `generation` for its progress.",
    )
    async def generate_book(self, info: Info, input: GenerateBookInput) -> GenerateResult:
        """Queue the generation of a book."""
        context = info.context
        try:
            generation = await service.generate_book(context.runtime, context.identity, input.book_id)
        except DomainError as error:
            return await _convert_refusal(info, error)
        return Generation.of(generation)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_MODERATING],
        description="Regenerate parts of a page, as a new version; earlier versions are kept.",
    )
    async def regenerate_page(self, info: Info, input: RegeneratePageInput) -> GenerateResult:
        """Queue the regeneration of a page."""
        context = info.context
        try:
            generation = await service.regenerate_page(
                context.runtime, context.identity, input.page_id, input.parts, input.instruction
            )
        except DomainError as error:
            return await _convert_refusal(info, error)
        return Generation.of(generation)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        description="Cancel a generation. Finished pages stay in the book; an ended generation is unchanged.",
    )
    async def cancel_generation(self, info: Info, id: strawberry.ID) -> Generation:
        """Cancel a generation; no provider is called after the response."""
        return Generation.of(await service.cancel_generation(info.context.runtime, info.context.identity, id))


async def _convert_refusal(info: Info, error: DomainError) -> GenerateResult:
    """Convert the error of a refused generation to its result; raise an error that has none."""
    match error:
        case ConsentRequired():
            return types.ConsentRequired.of(error)
        case errors.GenerationRunning():
            active = await info.context.loaders.generation.load(error.generation_id)
            assert active is not None
            return results.GenerationRunning(message=str(error), generation=Generation.of(active))
        case errors.GenerationLimitReached():
            return results.GenerationLimitReached(message=str(error), limit=error.limit)
        case errors.ModerationRejected():
            return results.ModerationRejected(
                stage=error.stage,
                field=error.field,
                category=error.category,
                retryable=error.retryable,
                message=str(error),
            )
    raise error

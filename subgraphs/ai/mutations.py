"""What can be done with generations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import strawberry
from strawberry.federation.schema_directives import Cost

from subgraphs.ai import errors, models, results, service
from subgraphs.ai.inputs import GenerateBookInput, RegeneratePageInput
from subgraphs.ai.providers.choice import open_provider
from subgraphs.ai.providers.protocol import Provider
from subgraphs.ai.results import GenerateResult
from subgraphs.ai.types import Generation, Info

PARENT = [["parent"]]
# A provider reads what the parent wrote, and the work that begins costs money.
_MODERATING = Cost(weight=500)


@strawberry.type
class Mutation:
    """Each field is one transaction."""

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_MODERATING],
        description="Write and illustrate a book; the consent AI_PROCESSING must stand. "
        "Subscribe to `generation` to watch.",
    )
    async def generate_book(self, info: Info, input: GenerateBookInput) -> GenerateResult:
        """Ask for all of a book."""
        parent, runtime = info.context.identity, info.context.runtime

        async def start(provider: Provider) -> models.Generation:
            truth = await service.ask_for_book(
                runtime.graph, provider, parent, input.book_id, runtime.clock()
            )
            async with info.context.unit_of_work() as uow:
                return await service.start_book(uow, parent, truth, provider.name, _limit(info))

        return await _started(info, start)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        directives=[_MODERATING],
        description="Make parts of a page anew, as a new version; the earlier ones are kept.",
    )
    async def regenerate_page(self, info: Info, input: RegeneratePageInput) -> GenerateResult:
        """Ask for parts of a page."""
        parent, runtime = info.context.identity, info.context.runtime

        async def start(provider: Provider) -> models.Generation:
            truth = await service.ask_for_page(
                runtime.graph, provider, parent, input.page_id, input.parts, input.instruction
            )
            async with info.context.unit_of_work() as uow:
                return await service.start_page(uow, parent, truth, provider.name, _limit(info))

        return await _started(info, start)

    @strawberry.federation.mutation(
        requires_scopes=PARENT,
        description="Stop a generation. What is in the book stays there; one that has ended stays as it is.",
    )
    async def cancel_generation(self, info: Info, id: strawberry.ID) -> Generation:
        """Cancel; no provider is called after the answer."""
        async with info.context.unit_of_work() as uow:
            generation = await service.cancel_generation(
                uow, info.context.runtime.live, info.context.identity, id
            )
        return Generation.of(generation)


def _limit(info: Info) -> int:
    return info.context.runtime.settings.ai_generations_per_parent


async def _started(info: Info, start: Callable[[Provider], Awaitable[models.Generation]]) -> GenerateResult:
    """The generation that was started, or why there is none."""
    try:
        async with open_provider(info.context.runtime.settings) as provider:
            return Generation.of(await start(provider))
    except errors.ConsentRequired as missing:
        return results.ConsentRequired(purpose=missing.purpose, message=str(missing))
    except errors.GenerationRunning as running:
        active = await info.context.loaders.generation.load(running.generation_id)
        assert active is not None
        return results.GenerationRunning(message=str(running), generation=Generation.of(active))
    except errors.GenerationLimitReached as reached:
        return results.GenerationLimitReached(message=str(reached), limit=reached.limit)
    except errors.ModerationRejected as rejected:
        return results.ModerationRejected(
            stage=rejected.stage,
            field=rejected.field,
            category=rejected.category,
            retryable=rejected.retryable,
            message=str(rejected),
        )

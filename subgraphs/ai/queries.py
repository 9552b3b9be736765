"""The queries of the ai domain."""

from __future__ import annotations

import strawberry

from subgraphs.ai.types import Generation, Info


@strawberry.type
class Query:
    """The root query fields."""

    @strawberry.federation.field(authenticated=True, description="A generation of the caller's.")
    async def generation(self, info: Info, id: strawberry.ID) -> Generation:
        """Find a generation; NotFound when it is not the caller's."""
        found = await Generation.resolve_reference(info, id)
        return info.context.require_found("Generation", id, found)

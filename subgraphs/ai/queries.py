"""The queries of the ai domain."""

from __future__ import annotations

import strawberry

from subgraphs.ai.types import Generation, Info
from subgraphs.common.errors import NotFound


@strawberry.type
class Query:
    """The root query fields; what is not the caller's is not found."""

    @strawberry.federation.field(authenticated=True, description="A generation of the caller's.")
    async def generation(self, info: Info, id: strawberry.ID) -> Generation:
        """Find a generation."""
        found = await Generation.resolve_reference(info, id) if info.context.identity else None
        if found is None:
            raise NotFound("Generation", id)
        return found

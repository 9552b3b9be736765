"""What the resolvers of the books domain get."""

from __future__ import annotations

import strawberry

from subgraphs.books.loaders import Loaders
from subgraphs.common.context import Context

Info = strawberry.Info[Context[Loaders], None]

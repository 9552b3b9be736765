"""The schema of the print domain."""

from __future__ import annotations

from subgraphs.common.schema import create_schema
from subgraphs.print.queries import Query
from subgraphs.print.types import BookFormat, Order

schema = create_schema(Query, types=[BookFormat, Order])

"""The schema of the books domain."""

from __future__ import annotations

from subgraphs.books.mutations import Mutation
from subgraphs.books.queries import Query
from subgraphs.books.types import Illustration, PageVersion, User
from subgraphs.common.schema import create_schema

schema = create_schema(Query, Mutation, types=[User, Illustration, PageVersion])

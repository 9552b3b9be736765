"""The schema of the auth domain."""

from __future__ import annotations

from subgraphs.auth.mutations import Mutation
from subgraphs.auth.queries import Query
from subgraphs.auth.types import Consent, User
from subgraphs.common.schema import create_schema

schema = create_schema(Query, Mutation, types=[User, Consent])

"""The schema of the ai domain."""

from __future__ import annotations

from subgraphs.ai.mutations import Mutation
from subgraphs.ai.queries import Query
from subgraphs.ai.subscriptions import Subscription
from subgraphs.ai.types.events import EVENT_TYPES
from subgraphs.common.schema import create_schema

schema = create_schema(Query, Mutation, Subscription, types=EVENT_TYPES)

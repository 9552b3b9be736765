"""The pools of workers: together with everything else they fit into PostgreSQL's limit, or are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import InfraError
from infra.local.connection_pools import (
    DEFAULT_POOL_SIZE,
    MIN_POOL_SIZE,
    RESERVED,
    compute_worker_pool_size,
    require_room,
)
from subgraphs.domains import DOMAINS


def compute_total(pool_size: int, workers: int) -> int:
    """The connections that all processes may open together."""
    return RESERVED + len(DOMAINS) * DEFAULT_POOL_SIZE + workers * (len(DOMAINS) * pool_size + 1)


@given(st.integers(20, 1000), st.integers(1, 60))
def test_all_pools_fit_into_the_limit_and_are_as_large_as_possible(limit: int, workers: int):
    try:
        size = compute_worker_pool_size(limit, workers)
    except InfraError:
        assert compute_total(MIN_POOL_SIZE, workers) > limit
    else:
        assert MIN_POOL_SIZE <= size <= DEFAULT_POOL_SIZE
        assert compute_total(size, workers) <= limit
        assert size == DEFAULT_POOL_SIZE or compute_total(size + 1, workers) > limit


@given(st.integers(20, 1000), st.integers(1, 60), st.integers(2, 50))
def test_pools_of_a_size_that_is_set_fit_or_are_refused(limit: int, workers: int, size: int):
    needed = RESERVED + len(DOMAINS) * size + workers * (len(DOMAINS) * size + 1)
    if needed <= limit:
        require_room(limit, workers, size)
    else:
        with pytest.raises(InfraError, match=f"needs {needed} connections with {workers} workers"):
            require_room(limit, workers, size)


def test_too_many_workers_are_refused_with_the_number_that_is_possible():
    with pytest.raises(InfraError, match="enough for 13 workers, not for 16"):
        compute_worker_pool_size(200, 16)
    assert compute_worker_pool_size(200, 13) == MIN_POOL_SIZE

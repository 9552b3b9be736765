"""Root fields: every subgraph that has one is asked, all at the same time."""

from tests.support.planning import planned, shown


def test_root_fields_of_different_subgraphs_run_in_parallel():
    plan = planned("profiles", "{ onlyA onlyB }")

    assert plan == shown("""
        QueryPlan {
          Parallel {
            Fetch(service: "a") {
              {
                onlyA
              }
            },
            Fetch(service: "b") {
              {
                onlyB
              }
            },
          }
        }
    """)


def test_a_shared_root_field_joins_a_fetch_that_is_made_anyway():
    plan = planned("profiles", "{ onlyB both }")

    assert plan == shown("""
        QueryPlan {
          Fetch(service: "b") {
            {
              onlyB
              both
            }
          }
        }
    """)


def test_a_value_type_without_a_key_is_asked_from_the_root_in_each_subgraph():
    plan = planned("profiles", "{ profile { first { street city } } }")

    assert plan == shown("""
        QueryPlan {
          Parallel {
            Fetch(service: "a") {
              {
                profile {
                  first {
                    street
                  }
                }
              }
            },
            Fetch(service: "b") {
              {
                profile {
                  first {
                    city
                  }
                }
              }
            },
          }
        }
    """)


def test_typename_of_the_root_needs_no_fetch():
    plan = planned("profiles", "{ __typename }")

    assert plan == shown("""
        QueryPlan {}
    """)


def test_a_field_that_returns_the_query_root_leads_to_every_subgraph():
    plan = planned("profiles", "{ query { onlyB } }")

    assert plan == shown("""
        QueryPlan {
          Sequence {
            Fetch(service: "a") {
              {
                query {
                  __typename
                }
              }
            },
            Flatten(path: "query") {
              Fetch(service: "b") {
                {
                  onlyB
                }
              }
            },
          }
        }
    """)

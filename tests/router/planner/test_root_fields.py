"""Root fields are fetched from their subgraphs in parallel."""

from tests.support.planning import dedent_plan, render_plan


def test_root_fields_of_different_subgraphs_run_in_parallel():
    plan = render_plan("profiles", "{ onlyA onlyB }")

    assert plan == dedent_plan("""
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
    plan = render_plan("profiles", "{ onlyB both }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "b") {
            {
              onlyB
              both
            }
          }
        }
    """)


def test_a_value_type_without_a_key_is_fetched_from_the_root_of_each_subgraph():
    plan = render_plan("profiles", "{ profile { first { street city } } }")

    assert plan == dedent_plan("""
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
    plan = render_plan("profiles", "{ __typename }")

    assert plan == dedent_plan("""
        QueryPlan {}
    """)


def test_a_field_that_returns_the_query_root_leads_to_every_subgraph():
    plan = render_plan("profiles", "{ query { onlyB } }")

    assert plan == dedent_plan("""
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

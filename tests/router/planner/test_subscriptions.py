"""Subscriptions: one subgraph streams, others complete each event."""

from tests.support.planning import dedent_plan, render_plan


def test_the_rest_of_an_event_is_fetched_by_its_keys():
    plan = render_plan("profiles", "subscription { noted { text likes } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Subscription {
            Primary: {
              Fetch(service: "a") {
                {
                  noted {
                    text
                    id
                  }
                }
              }
            },
            Rest: {
              Flatten(path: "noted") {
                Fetch(service: "b") {
                  {
                    ... on Note {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Note {
                      likes
                    }
                  }
                }
              }
            }
          }
        }
    """)


def test_an_event_that_one_subgraph_resolves_completely_needs_no_fetch():
    plan = render_plan("profiles", "subscription { noted { text } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Subscription {
            Primary: {
              Fetch(service: "a") {
                {
                  noted {
                    text
                  }
                }
              }
            }
          }
        }
    """)

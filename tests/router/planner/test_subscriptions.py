"""Subscriptions: one subgraph streams, others complete each event."""

from tests.support.planning import planned, shown


def test_the_rest_of_an_event_is_fetched_by_its_keys():
    plan = planned("profiles", "subscription { noted { text likes } }")

    assert plan == shown("""
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


def test_an_event_that_one_subgraph_knows_whole_has_no_rest():
    plan = planned("profiles", "subscription { noted { text } }")

    assert plan == shown("""
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

"""Unions: members are asked one by one."""

from tests.support.planning import planned, shown


def test_members_are_selected_by_type():
    plan = planned("media", "{ item { ... on Book { pages } ... on Film { minutes } } }")

    assert plan == shown("""
        QueryPlan {
          Fetch(service: "library") {
            {
              item {
                __typename
                ... on Book {
                  pages
                }
                ... on Film {
                  minutes
                }
              }
            }
          }
        }
    """)


def test_a_union_without_fields_is_asked_for_its_type():
    plan = planned("media", "{ item { __typename } }")

    assert plan == shown("""
        QueryPlan {
          Fetch(service: "library") {
            {
              item {
                __typename
              }
            }
          }
        }
    """)


def test_members_hop_to_their_own_subgraphs():
    plan = planned("media", "{ item { ... on Film { title } ... on Book { author { email } } } }")

    assert plan == shown("""
        QueryPlan {
          Sequence {
            Fetch(service: "library") {
              {
                item {
                  __typename
                  ... on Film {
                    id
                  }
                  ... on Book {
                    id
                  }
                }
              }
            },
            Parallel {
              Flatten(path: "item") {
                Fetch(service: "films") {
                  {
                    ... on Film {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Film {
                      title
                    }
                  }
                }
              },
              Flatten(path: "item") {
                Fetch(service: "books") {
                  {
                    ... on Book {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Book {
                      author {
                        email
                      }
                    }
                  }
                }
              },
            },
          }
        }
    """)

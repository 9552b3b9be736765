"""`@interfaceObject`: a subgraph that adds fields to an interface without knowing its types."""

from tests.support.planning import dedent_plan, render_plan


def test_a_field_of_the_interface_object_is_fetched_for_all_types_at_once():
    plan = render_plan("accounts", "{ accounts { id credit } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "accounts") {
              {
                accounts {
                  __typename
                  id
                }
              }
            },
            Flatten(path: "accounts.@") {
              Fetch(service: "credit") {
                {
                  ... on Account {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Account {
                    credit
                  }
                }
              }
            },
          }
        }
    """)


def test_concrete_types_are_fetched_from_the_subgraph_that_knows_them():
    plan = render_plan("accounts", "{ richest { credit ... on Parent { children } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "credit") {
              {
                richest {
                  credit
                  id
                }
              }
            },
            Flatten(path: "richest") {
              Fetch(service: "accounts") {
                {
                  ... on Account {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Account {
                    __typename
                    ... on Parent {
                      children
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_typename_is_never_fetched_from_the_interface_object():
    plan = render_plan("accounts", "{ richest { __typename credit } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "credit") {
              {
                richest {
                  id
                  credit
                }
              }
            },
            Flatten(path: "richest") {
              Fetch(service: "accounts") {
                {
                  ... on Account {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Account {
                    __typename
                  }
                }
              }
            },
          }
        }
    """)


def test_an_interface_object_requires_fields_of_the_interface():
    plan = render_plan("accounts", "{ accounts { greeting } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "accounts") {
              {
                accounts {
                  __typename
                  id
                  email
                }
              }
            },
            Flatten(path: "accounts.@") {
              Fetch(service: "credit") {
                {
                  ... on Account {
                    __typename
                    id
                    email
                  }
                } =>
                {
                  ... on Account {
                    greeting
                  }
                }
              }
            },
          }
        }
    """)


def test_a_fragment_on_one_type_fetches_the_interface_objects_field_for_that_type():
    plan = render_plan("accounts", "{ accounts { ... on Staff { desk credit } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "accounts") {
              {
                accounts {
                  __typename
                  ... on Staff {
                    desk
                    id
                  }
                }
              }
            },
            Flatten(path: "accounts.@") {
              Fetch(service: "credit") {
                {
                  ... on Account {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Account {
                    credit
                  }
                }
              }
            },
          }
        }
    """)

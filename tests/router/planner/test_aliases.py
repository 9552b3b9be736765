"""Aliases: the planner keeps those of the client and adds its own where response names would conflict."""

from router.operation.selections import FieldSelection
from tests.support.planning import dedent_plan, render_plan, start_planning


def test_aliases_and_arguments_keep_fields_apart():
    plan = render_plan("shop", '{ a: product(id: "1") { name } b: product(id: "2") { label: name } }')

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "catalogue") {
            {
              a: product(id: "1") {
                name
              }
              b: product(id: "2") {
                label: name
              }
            }
          }
        }
    """)


def test_one_response_name_for_types_of_different_shape_is_aliased():
    plan = render_plan("mixed", "{ things { ... on Cat { id } ... on Dog { id } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "a") {
            {
              things {
                __typename
                ... on Cat {
                  id
                }
                ... on Dog {
                  _id_1: id
                }
              }
            }
          }
        }
    """)


def test_a_conflict_below_composite_fields_is_aliased_where_it_occurs():
    plan = render_plan("mixed", "{ things { ... on Cat { tag { id } } ... on Ant { tag { id } } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "a") {
            {
              things {
                __typename
                ... on Cat {
                  tag {
                    id
                  }
                }
                ... on Ant {
                  tag {
                    _id_1: id
                  }
                }
              }
            }
          }
        }
    """)


def test_keys_of_types_in_conflict_are_presented_under_their_own_name():
    plan = render_plan("mixed", "{ things { ... on Cat { owner } ... on Dog { owner2: owner } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "a") {
              {
                things {
                  __typename
                  ... on Cat {
                    id
                  }
                  ... on Dog {
                    _id_1: id
                  }
                }
              }
            },
            Flatten(path: "things.@") {
              Fetch(service: "b") {
                {
                  ... on Cat {
                    __typename
                    id
                  }
                  ... on Dog {
                    __typename
                    id: _id_1
                  }
                } =>
                {
                  ... on Cat {
                    owner
                  }
                  ... on Dog {
                    owner2: owner
                  }
                }
              }
            },
          }
        }
    """)


def test_keys_of_different_scalars_are_aliased():
    plan = render_plan("mixed", "{ things { ... on Cow { milk } ... on Pig { mud } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "a") {
              {
                things {
                  __typename
                  ... on Cow {
                    code
                  }
                  ... on Pig {
                    _code_1: code
                  }
                }
              }
            },
            Flatten(path: "things.@") {
              Fetch(service: "b") {
                {
                  ... on Cow {
                    __typename
                    code
                  }
                  ... on Pig {
                    __typename
                    code: _code_1
                  }
                } =>
                {
                  ... on Cow {
                    milk
                  }
                  ... on Pig {
                    mud
                  }
                }
              }
            },
          }
        }
    """)


def test_lists_of_different_shape_under_one_name_are_aliased():
    plan = render_plan("mixed", "{ things { ... on Cat { nicknames } ... on Dog { nicknames } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "a") {
            {
              things {
                __typename
                ... on Cat {
                  nicknames
                }
                ... on Dog {
                  _nicknames_1: nicknames
                }
              }
            }
          }
        }
    """)


def test_a_clients_alias_may_be_the_name_that_the_planner_gave():
    plan = render_plan("mixed", "{ things { ... on Cat { id } ... on Dog { id _id_1: id } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "a") {
            {
              things {
                __typename
                ... on Cat {
                  id
                }
                ... on Dog {
                  _id_1: id
                }
              }
            }
          }
        }
    """)


def test_names_of_the_client_and_of_the_data_map_both_ways():
    stages = start_planning("mixed", "{ things { ... on Cat { id } ... on Dog { id } } }")
    _ = stages.plan

    [things] = stages.names.locate([()], "Query", FieldSelection("things", "things")).paths
    identity = FieldSelection("id", "id")
    assert stages.names.locate([things], "Cat", identity).keys == ("id",)
    assert stages.names.locate([things], "Dog", identity).keys == ("_id_1",)
    assert stages.names.get_client_name(("things",), "_id_1") == "id"
    assert stages.names.get_client_name(("things",), "_id_2") is None


def test_assigned_names_keep_the_response_names_of_the_client():
    names = start_planning("shop", '{ a: product(id: "1") { label: name } }').plan.names
    assert names.field_count == 2

    names.discard_uses()

    assert (names.field_count, names.get_client_name(("a",), "label")) == (2, "label")

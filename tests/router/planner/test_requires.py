"""`@requires`: required fields are fetched first and sent in the representation."""

import pytest

from router.planner import UnplannableError
from tests.support.planning import dedent_plan, render_plan


def test_required_fields_are_fetched_first_and_sent_along():
    plan = render_plan("shipping", "{ parcel { rate } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                parcel {
                  id
                  weight(unit: "KG")
                  box {
                    width
                    height
                  }
                }
              }
            },
            Flatten(path: "parcel") {
              Fetch(service: "rates") {
                {
                  ... on Parcel {
                    __typename
                    id
                    weight
                    box {
                      width
                      height
                    }
                  }
                } =>
                {
                  ... on Parcel {
                    rate
                  }
                }
              }
            },
          }
        }
    """)


def test_a_field_without_requirements_waits_for_nothing_but_the_key():
    plan = render_plan("shipping", "{ parcels { volume } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                parcels {
                  id
                }
              }
            },
            Flatten(path: "parcels.@") {
              Fetch(service: "rates") {
                {
                  ... on Parcel {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Parcel {
                    volume
                  }
                }
              }
            },
          }
        }
    """)


def test_requirements_chain_across_subgraphs():
    plan = render_plan("shipping", "{ parcel { tax } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                parcel {
                  id
                  weight(unit: "KG")
                  box {
                    width
                    height
                  }
                }
              }
            },
            Flatten(path: "parcel") {
              Fetch(service: "rates") {
                {
                  ... on Parcel {
                    __typename
                    id
                    weight
                    box {
                      width
                      height
                    }
                  }
                } =>
                {
                  ... on Parcel {
                    rate
                  }
                }
              }
            },
            Flatten(path: "parcel") {
              Fetch(service: "customs") {
                {
                  ... on Parcel {
                    __typename
                    id
                    rate
                  }
                } =>
                {
                  ... on Parcel {
                    duty
                  }
                }
              }
            },
            Flatten(path: "parcel") {
              Fetch(service: "rates") {
                {
                  ... on Parcel {
                    __typename
                    id
                    duty
                  }
                } =>
                {
                  ... on Parcel {
                    tax
                  }
                }
              }
            },
          }
        }
    """)


def test_fields_required_of_a_union_or_interface_are_sent_by_type():
    plan = render_plan("shipping", "{ parcel { label } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                parcel {
                  id
                  item {
                    __typename
                    ... on Book {
                      pages
                    }
                    ... on Toy {
                      parts
                    }
                  }
                }
              }
            },
            Flatten(path: "parcel") {
              Fetch(service: "rates") {
                {
                  ... on Parcel {
                    __typename
                    id
                    item {
                      __typename
                      ... on Book {
                        pages
                      }
                      ... on Toy {
                        parts
                      }
                    }
                  }
                } =>
                {
                  ... on Parcel {
                    label
                  }
                }
              }
            },
          }
        }
    """)


def test_a_required_argument_that_differs_from_the_clients_gets_its_own_name():
    plan = render_plan("shipping", '{ parcel { weight(unit: "LB") rate } }')

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                parcel {
                  weight(unit: "LB")
                  id
                  _weight_1: weight(unit: "KG")
                  box {
                    width
                    height
                  }
                }
              }
            },
            Flatten(path: "parcel") {
              Fetch(service: "rates") {
                {
                  ... on Parcel {
                    __typename
                    id
                    weight: _weight_1
                    box {
                      width
                      height
                    }
                  }
                } =>
                {
                  ... on Parcel {
                    rate
                  }
                }
              }
            },
          }
        }
    """)


def test_a_required_field_that_the_client_selects_identically_is_fetched_once():
    plan = render_plan("shipping", '{ parcel { weight(unit: "KG") rate } }')

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                parcel {
                  weight(unit: "KG")
                  id
                  box {
                    width
                    height
                  }
                }
              }
            },
            Flatten(path: "parcel") {
              Fetch(service: "rates") {
                {
                  ... on Parcel {
                    __typename
                    id
                    weight
                    box {
                      width
                      height
                    }
                  }
                } =>
                {
                  ... on Parcel {
                    rate
                  }
                }
              }
            },
          }
        }
    """)


def test_an_alias_that_takes_the_name_of_a_required_field_does_not_disturb_it():
    plan = render_plan("shipping", "{ parcel { box: id rate } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                parcel {
                  box: id
                  id
                  weight(unit: "KG")
                  _box_1: box {
                    width
                    height
                  }
                }
              }
            },
            Flatten(path: "parcel") {
              Fetch(service: "rates") {
                {
                  ... on Parcel {
                    __typename
                    id
                    weight
                    box: _box_1 {
                      width
                      height
                    }
                  }
                } =>
                {
                  ... on Parcel {
                    rate
                  }
                }
              }
            },
          }
        }
    """)


def test_an_entity_with_requirements_is_entered_by_the_key_that_costs_least():
    plan = render_plan("shop", "{ products { shelfLabel } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                products {
                  id
                  name
                }
              }
            },
            Flatten(path: "products.@") {
              Fetch(service: "stock") {
                {
                  ... on Product {
                    __typename
                    id
                    name
                  }
                } =>
                {
                  ... on Product {
                    shelfLabel
                  }
                }
              }
            },
          }
        }
    """)


def test_a_required_typename_is_sent_along():
    plan = render_plan("shipping", "{ parcel { kind } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                parcel {
                  id
                  item {
                    __typename
                  }
                }
              }
            },
            Flatten(path: "parcel") {
              Fetch(service: "rates") {
                {
                  ... on Parcel {
                    __typename
                    id
                    item {
                      __typename
                    }
                  }
                } =>
                {
                  ... on Parcel {
                    kind
                  }
                }
              }
            },
          }
        }
    """)


def test_a_field_selected_twice_requires_its_fields_once():
    plan = render_plan("shipping", "{ parcel { label again: label } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                parcel {
                  id
                  item {
                    __typename
                    ... on Book {
                      pages
                    }
                    ... on Toy {
                      parts
                    }
                  }
                }
              }
            },
            Flatten(path: "parcel") {
              Fetch(service: "rates") {
                {
                  ... on Parcel {
                    __typename
                    id
                    item {
                      __typename
                      ... on Book {
                        pages
                      }
                      ... on Toy {
                        parts
                      }
                    }
                  }
                } =>
                {
                  ... on Parcel {
                    label
                    again: label
                  }
                }
              }
            },
          }
        }
    """)


def test_fields_that_require_each_other_fail_the_operation():
    with pytest.raises(UnplannableError, match=r"'parcel\.net' on type 'Parcel'"):
        render_plan("shipping", "{ parcel { net } }")

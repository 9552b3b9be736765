"""Interfaces: fields are selected on the interface if every type resolves them, else type by type."""

from tests.support.planning import dedent_plan, render_plan


def test_a_field_that_every_type_resolves_is_selected_on_the_interface():
    plan = render_plan("media", "{ media { id } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "library") {
            {
              media {
                __typename
                id
              }
            }
          }
        }
    """)


def test_a_field_that_some_type_does_not_resolve_is_selected_type_by_type():
    plan = render_plan("media", "{ media { title } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "library") {
              {
                media {
                  __typename
                  ... on Book {
                    title
                  }
                  ... on Film {
                    id
                  }
                }
              }
            },
            Flatten(path: "media.@") {
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
          }
        }
    """)


def test_fields_of_one_type_hop_for_that_type_alone():
    plan = render_plan("media", "{ media { id ... on Film { director { name } } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "library") {
              {
                media {
                  __typename
                  id
                }
              }
            },
            Flatten(path: "media.@") {
              Fetch(service: "films") {
                {
                  ... on Film {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Film {
                    director {
                      name
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_hops_from_several_types_below_an_interface_run_together():
    plan = render_plan(
        "media", "{ media { ... on Film { director { email } } ... on Book { author { email } } } }"
    )

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "library") {
              {
                media {
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
              Flatten(path: "media.@") {
                Fetch(service: "films") {
                  {
                    ... on Film {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Film {
                      director {
                        id
                      }
                    }
                  }
                }
              },
              Flatten(path: "media.@") {
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
            Flatten(path: "media.@|[Film].director") {
              Fetch(service: "books") {
                {
                  ... on Person {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Person {
                    email
                  }
                }
              }
            },
          }
        }
    """)


def test_a_fragment_on_a_wider_interface_is_kept():
    plan = render_plan("media", "{ media { ... on Node { id } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "library") {
            {
              media {
                __typename
                id
              }
            }
          }
        }
    """)


def test_a_fragment_on_a_narrower_interface_is_expanded_to_its_types():
    plan = render_plan("media", "{ nodes { ... on Media { id } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "library") {
            {
              nodes {
                __typename
                ... on Book {
                  id
                }
                ... on Film {
                  id
                }
              }
            }
          }
        }
    """)


def test_typename_of_an_interface_comes_from_the_subgraph():
    plan = render_plan("media", "{ nodes { kind: __typename } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "library") {
            {
              nodes {
                __typename
              }
            }
          }
        }
    """)


def test_a_subgraph_that_returns_one_of_the_types_serves_only_that():
    plan = render_plan("media", "{ featured { title ... on Film { minutes } ... on Book { pages } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Parallel {
            Fetch(service: "films") {
              {
                featured {
                  __typename
                  title
                }
              }
            },
            Fetch(service: "library") {
              {
                featured {
                  __typename
                  ... on Film {
                    minutes
                  }
                }
              }
            },
          }
        }
    """)


def test_an_object_selects_typename_although_its_subgraph_returns_only_one_type():
    plan = render_plan("media", "{ featured { ... on Film { director { name } } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "films") {
            {
              featured {
                __typename
                director {
                  name
                }
              }
            }
          }
        }
    """)

"""Print's part of the graph, over HTTP: who sees which job, and in how many statements."""

from collections.abc import AsyncIterator, Mapping

import pytest

from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.print import service
from subgraphs.print.models import PrintJob
from subgraphs.print.providers.choice import choose_print_provider
from tests.subgraphs.print.conftest import SteppingClock
from tests.subgraphs.print.jobs import DELIVERY, checked, created
from tests.support.subgraph import SubgraphClient, subgraph_client
from tests.support.tokens import token_for

COST = """
query Cost($pages: Int!, $quantity: Int! = 1, $country: String!, $level: ShippingLevel!) {
  printProduct(id: "casewrap-8.5-square") {
    cost(pageCount: $pages, quantity: $quantity, countryCode: $country, shippingLevel: $level) {
      items { amount currency } shipping { amount } fulfilment { amount } tax { amount } total { amount }
    }
  }
}
"""
JOB = """... on Order {
  printJob {
    id status providerReference
    order { id } product { id name }
    preflight { passed effectivePpi issues { code page message } }
    shipment { carrier trackingId trackingUrl shippedAt }
    history { sequence status message }
  }
}"""


@pytest.fixture
async def graph(servers: Mapping[str, str]) -> AsyncIterator[SubgraphClient]:
    async with subgraph_client("print", servers) as client:
        yield client


def order(job: PrintJob) -> dict[str, str]:
    return {"__typename": "Order", "id": job.order_id}


async def test_anyone_may_look_at_the_catalogue(graph: SubgraphClient) -> None:
    answer = await graph.execute(
        """{ printProducts {
          id name podPackageId trimWidth trimHeight binding minimumPages maximumPages
        } }"""
    )
    assert answer.ok["printProducts"] == [
        {
            "id": "casewrap-8.5-square",
            "name": "Square hardcover picture book",
            "podPackageId": "0850X0850.FC.PRE.CW.080CW444.MXX",
            "trimWidth": 8.5,
            "trimHeight": 8.5,
            "binding": "CASEWRAP",
            "minimumPages": 24,
            "maximumPages": 800,
        }
    ]


async def test_a_cost_is_exact(graph: SubgraphClient) -> None:
    answer = await graph.execute(COST, {"pages": 32, "quantity": 2, "country": "US", "level": "MAIL"})
    assert answer.ok["printProduct"]["cost"] == {
        "items": {"amount": 3432, "currency": "USD"},
        "shipping": {"amount": 669},
        "fulfilment": {"amount": 175},
        "tax": {"amount": 0},
        "total": {"amount": 4276},
    }


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"pages": 23}, "pageCount"),
        ({"pages": 33}, "pageCount"),
        ({"quantity": 0}, "quantity"),
        ({"country": "Atlantis"}, "countryCode"),
    ],
)
async def test_an_impossible_cost_names_the_argument(
    graph: SubgraphClient, changed: dict[str, object], field: str
) -> None:
    asked = {"pages": 32, "quantity": 1, "country": "US", "level": "MAIL"}
    answer = await graph.execute(COST, asked | changed)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", field)


async def test_an_unknown_product_is_not_found(graph: SubgraphClient) -> None:
    answer = await graph.execute('{ printProduct(id: "scroll") { name } }')
    assert answer.code == "NOT_FOUND"


async def test_a_product_joins_where_another_subgraph_names_it(graph: SubgraphClient) -> None:
    [found] = await graph.represent(
        "... on PrintProduct { name }", [{"__typename": "PrintProduct", "id": "casewrap-8.5-square"}]
    )
    assert found == {"name": "Square hardcover picture book"}


async def test_an_order_shows_its_owner_the_whole_job(
    graph: SubgraphClient, runtime: Runtime, clock: SteppingClock
) -> None:
    job = await checked(runtime)
    shop = choose_print_provider(runtime)
    await service.submit_print_job(runtime, job.id, 1, DELIVERY, provider=shop)
    clock.go_on(seconds=40)
    await service.reconcile_print_job(runtime, job.id, 1, provider=shop)
    [found] = await graph.represent(JOB, [order(job)], token_for("usr_ada"))
    shown = found["printJob"]
    assert (shown["id"], shown["status"]) == (job.id, "SHIPPED")
    assert shown["order"] == {"id": job.order_id}
    assert shown["product"]["id"] == "casewrap-8.5-square"
    assert shown["providerReference"].startswith("shop_")
    assert shown["preflight"] == {"passed": True, "effectivePpi": None, "issues": []}
    assert shown["shipment"]["carrier"] == "Offline Parcel"
    assert [(step["sequence"], step["status"]) for step in shown["history"]] == [
        (1, "CREATED"),
        (2, "PREFLIGHT"),
        (3, "SUBMITTING"),
        (4, "SUBMITTED"),
        (5, "SHIPPED"),
    ]


async def test_a_rejected_job_shows_why(graph: SubgraphClient, runtime: Runtime) -> None:
    job = await checked(runtime, interior=b"not a pdf")
    [found] = await graph.represent(JOB, [order(job)], token_for("usr_ada"))
    assert found["printJob"]["status"] == "REJECTED"
    [issue] = found["printJob"]["preflight"]["issues"]
    assert (issue["code"], issue["page"]) == ("UNREADABLE", None)


async def test_nobody_else_sees_a_job(graph: SubgraphClient, runtime: Runtime) -> None:
    job = await created(runtime)
    for token in (token_for("usr_bob"), token_for("usr_staff", ["staff"]), None):
        assert await graph.represent(JOB, [order(job)], token) == [{"printJob": None}]
        by_id = {"__typename": "PrintJob", "id": job.id}
        assert await graph.represent("... on PrintJob { status }", [by_id], token) == [None]


async def test_a_job_joins_by_its_id_for_its_owner(graph: SubgraphClient, runtime: Runtime) -> None:
    job = await created(runtime)
    by_id = [{"__typename": "PrintJob", "id": job.id}, {"__typename": "PrintJob", "id": "prj_unknown"}]
    found = await graph.represent("... on PrintJob { status }", by_id, token_for("usr_ada"))
    assert found == [{"status": "CREATED"}, None]


async def test_the_statements_do_not_grow_with_the_orders(graph: SubgraphClient, runtime: Runtime) -> None:
    jobs = [await created(runtime) for _ in range(20)]

    async def statements_for(count: int) -> int:
        before = await graph.statements()
        await graph.represent(JOB, [order(job) for job in jobs[:count]], token_for("usr_ada"))
        return await graph.statements() - before

    assert await statements_for(1) == await statements_for(20) == 2


async def test_staff_list_everybodys_jobs_newest_first(graph: SubgraphClient, runtime: Runtime) -> None:
    jobs = [await created(runtime, owner_id=new_id("usr")) for _ in range(3)]
    query = """query ($after: String) { printJobs(first: 2, after: $after) {
      nodes { id } pageInfo { hasNextPage endCursor }
    } }"""
    token = token_for("usr_staff", ["staff"])
    first = (await graph.execute(query, token=token)).ok["printJobs"]
    assert [node["id"] for node in first["nodes"]] == [jobs[2].id, jobs[1].id]
    assert first["pageInfo"] == {"hasNextPage": True, "endCursor": jobs[1].id}
    second = (await graph.execute(query, {"after": jobs[1].id}, token)).ok["printJobs"]
    assert second["nodes"][0]["id"] == jobs[0].id


async def test_only_staff_list_jobs(graph: SubgraphClient) -> None:
    tokens = (token_for("usr_ada"), None, "forged")
    codes = [(await graph.execute("{ printJobs { nodes { id } } }", token=token)).code for token in tokens]
    assert codes == ["FORBIDDEN", "UNAUTHENTICATED", "UNAUTHENTICATED"]


async def test_a_list_has_a_size_within_bounds(graph: SubgraphClient) -> None:
    answer = await graph.execute(
        "{ printJobs(first: 101) { nodes { id } } }", token=token_for("usr_staff", ["staff"])
    )
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "first")

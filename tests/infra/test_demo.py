"""The whole main job, from sign-up to the shipped book, through the router and nothing else."""

import hashlib
import io
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pypdf import PdfReader
from rich.console import Console

from infra.bench.parent import Parent
from infra.demo import documents
from infra.demo.client import GraphClient, GraphRefusal, expect
from infra.demo.play import Play, _with_another_ending
from infra.demo.screen import Making, Screen
from infra.errors import InfraError
from infra.local import Stack
from infra.local.ports import free_port

STEPS = [
    "Sign up",
    "Record the parent's consent",
    "Describe the child",
    "Create a book from the brief",
    "Write and illustrate it",
    "Edit a page",
    "Draw one picture anew",
    "Approve exactly this book",
    "Typeset the interior and the cover",
    "Ask what a printed copy costs",
    "Pay",
    "Wait for the print shop",
    "Read it all in one query",
    "Download the print files",
]


@pytest.fixture
async def graph(stack: Stack) -> AsyncIterator[GraphClient]:
    client = GraphClient(stack.graphql_url)
    yield client
    await client.close()


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def screen(output: io.StringIO) -> Screen:
    return Screen(Console(file=output, width=100))


def done(output: io.StringIO) -> list[str]:
    """The steps that the screen told to be done."""
    lines = [line.removeprefix("✓ ") for line in output.getvalue().splitlines() if line.startswith("✓ ")]
    return [next(step for step in STEPS if line.startswith(step)) for line in lines]


def page_size(pdf: Path) -> tuple[float, float]:
    box = PdfReader(pdf).pages[0].mediabox
    return float(box.width), float(box.height)


async def test_a_book_goes_from_sign_up_to_the_printed_files(graph, screen, output, tmp_path):
    files = await Play(graph, screen, "Zoë 🦊 <b>O'Neill</b>", "a boat made of paper & stars").run(tmp_path)
    assert done(output) == STEPS
    assert len(PdfReader(files.interior).pages) == 32
    assert page_size(files.interior) == (630.0, 630.0)
    assert len(PdfReader(files.cover).pages) == 1
    assert page_size(files.cover) == (1368.0, 738.0)


async def test_the_downloaded_files_are_the_approved_ones(graph, screen, output, tmp_path):
    play = Play(graph, screen, "Ada", "to ride a whale")
    files = await play.run(tmp_path)
    book_id = files.interior.parent.name
    book = (await graph.execute("query ($id: ID!) { book(id: $id) { snapshot { id } } }", {"id": book_id}))[
        "book"
    ]
    told = (await graph.execute(documents.PRINT_FILES, {"snapshotId": book["snapshot"]["id"]}))["snapshot"]
    for name, path in (("interior", files.interior), ("cover", files.cover)):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == told[name]["sha256"]


async def test_a_step_that_is_refused_stops_the_play_and_says_why(graph, screen, output, tmp_path):
    with pytest.raises(GraphRefusal, match="name"):
        await Play(graph, screen, "", "to ride a whale").run(tmp_path)
    assert done(output) == STEPS[:2]
    assert "✗ Describe the child" in output.getvalue()


async def test_a_book_is_finished_by_another_worker_when_its_own_is_killed(stack, graph):
    parent = Parent(graph)
    await parent.arrive()
    book_id = await parent.create_book("to find a lost cloud")
    made = await graph.execute(documents.GENERATE_BOOK, {"bookId": book_id})
    generation = expect(made["generateBook"], "Generation")
    killed = 0
    sequences, kinds = [], Counter[str]()
    events = graph.follow(documents.WATCH_GENERATION, "generation", {"id": generation["id"]})
    async for event in events:
        sequences.append(event["sequence"])
        kinds[event["__typename"]] += 1
        if kinds["IllustrationReady"] == 2 and not killed:
            killed = stack.processes["worker"]
            os.kill(killed, signal.SIGKILL)
    assert killed
    assert (kinds["PageWritten"], kinds["IllustrationReady"], kinds["GenerationCompleted"]) == (14, 15, 1)
    assert sequences == sorted(set(sequences))
    steps = "query ($id: ID!) { generation(id: $id) { status steps { status attempts } } }"
    finished = (await graph.execute(steps, {"id": generation["id"]}))["generation"]
    assert finished["status"] == "COMPLETED"
    assert sum(step["attempts"] > 1 for step in finished["steps"]) <= 8


async def test_events_are_read_again_from_a_cursor(graph):
    parent = Parent(graph)
    await parent.arrive()
    book_id = await parent.create_book("to dance with bears")
    made = await graph.execute(documents.GENERATE_BOOK, {"bookId": book_id})
    variables = {"id": expect(made["generateBook"], "Generation")["id"]}
    first = [event async for event in graph.follow(documents.WATCH_GENERATION, "generation", variables)]
    middle = first[len(first) // 2]["sequence"]
    again = [
        event async for event in graph.follow(documents.WATCH_GENERATION, "generation", variables, middle)
    ]
    assert [event["sequence"] for event in again] == [
        event["sequence"] for event in first if event["sequence"] > middle
    ]


async def test_an_endpoint_that_does_not_answer_is_named():
    url = f"http://127.0.0.1:{free_port()}/graphql"
    client = GraphClient(url)
    with pytest.raises(InfraError, match=f"{url} does not answer"):
        await client.execute("{ __typename }")
    await client.close()


def test_another_member_of_a_union_is_told_with_its_message():
    with pytest.raises(GraphRefusal, match=r"^EmailTaken: There is an account\.$"):
        expect({"__typename": "EmailTaken", "message": "There is an account."}, "SignedIn")


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("Up they went. The moon was near.", "Up they went. And that was only the start."),
        ("“Look!” The moon smiled!", "“Look!” And that was only the start."),
        ("One sentence only", "And that was only the start."),
    ],
)
def test_an_edited_page_keeps_its_length(text, edited):
    assert _with_another_ending(text) == edited


def test_the_screen_shows_the_page_being_written_and_the_bars():
    terminal = io.StringIO()
    console = Console(file=terminal, width=80, height=24, force_terminal=True, color_system=None)
    screen, making = Screen(console), Making(pages=14, pictures=15, title="The Paper Boat")
    making.write(4, "Mila found ")
    making.write(4, "a [boat].")
    making.finish_picture("A boat")
    with screen.step("Write"):
        screen.show_making(making)
    shown = terminal.getvalue()
    assert "The Paper Boat · 4" in shown
    assert "Mila found a [boat]." in shown
    assert "1/15" in shown

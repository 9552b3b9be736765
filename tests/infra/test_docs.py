"""The documents: what they list, link to and print is what the project has today.

`.venv/bin/python -m tests.infra.test_docs` rewrites the planner's walk-through and draws the state machines.
"""

import re
import shlex
from collections.abc import Iterator
from contextlib import chdir
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate
from typer.testing import CliRunner

from infra.checkout import ROOT
from infra.cli import app
from infra.schema.files import SUPERGRAPH
from router.supergraph import Supergraph
from subgraphs.common.state_machine import StateMachine

DOCS = ROOT / "infra" / "docs"
RECORDS = sorted((DOCS / "decisions").glob("*.md"))
WALKTHROUGH = DOCS / "planner-walkthrough.md"
STATE_MACHINES = DOCS / "state-machines.md"
REWRITE = ".venv/bin/python -m tests.infra.test_docs"
HEADINGS = ["Context", "Decision", "Consequences", "Alternatives considered"]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LISTING = re.compile(r"^```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)^```$", re.MULTILINE | re.DOTALL)
DIAGRAM = re.compile(
    r"^(?P<heading>## [^\n]+`(?P<machine>\w+)` in `subgraphs/(?P<domain>\w+)/states\.py`)\n"
    r"```mermaid\n.*?^```$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
FILE = re.compile(r"`((?:router|subgraphs|workers|infra|tests|schema)/[\w./-]+\.\w+)`")
TITLE = re.compile(r"# (?P<number>\d+)\. (?P<title>.+)")


def run_listing(command: str) -> str:
    """What a listing's command prints: `cat FILE`, or `memorable …`, perhaps `| grep -E PATTERN`."""
    first, _, filtered = command.partition(" | ")
    program, *arguments = shlex.split(first)
    with chdir(ROOT):
        output = Path(*arguments).read_text() if program == "cat" else _run_memorable(arguments)
    if filtered:
        pattern = re.compile(shlex.split(filtered.removeprefix("grep -E "))[0])
        output = "".join(line for line in output.splitlines(keepends=True) if pattern.search(line))
    return output


def _run_memorable(arguments: list[str]) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def regenerate(text: str) -> str:
    """A document with what its listings' commands print today."""
    return LISTING.sub(
        lambda found: f"```console\n$ {found['command']}\n{run_listing(found['command'])}```", text
    )


def redraw(text: str) -> str:
    """The document with the diagrams of today's state machines."""
    return DIAGRAM.sub(
        lambda found: (
            f"{found['heading']}\n```mermaid\n{find_machines(found['domain'])[found['machine']].draw()}\n```"
        ),
        text,
    )


def find_machines(domain: str) -> dict[str, StateMachine[Any]]:
    states = import_module(f"subgraphs.{domain}.states")
    return {name: value for name, value in vars(states).items() if isinstance(value, StateMachine)}


def iterate_titles() -> Iterator[tuple[Path, int, str]]:
    for record in RECORDS:
        found = TITLE.fullmatch(record.read_text().partition("\n")[0])
        assert found, f"{record.name} does not begin with its number and title"
        yield record, int(found["number"]), found["title"]


def test_records_have_consecutive_numbers():
    assert RECORDS
    assert [record.name[:5] for record in RECORDS] == [f"{each:04}-" for each in range(1, len(RECORDS) + 1)]
    assert [number for _, number, _ in iterate_titles()] == [*range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_a_record_has_the_four_headings(record):
    headings = re.findall(r"^#{2,} (.+)$", record.read_text(), re.MULTILINE)
    assert headings == HEADINGS


def test_the_architecture_lists_every_record_by_its_title():
    listed = re.findall(r"^(\d+\. \[.+\]\(.+\))$", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    assert listed == [
        f"{number}. [{title}]({record.relative_to(ROOT)})" for record, number, title in iterate_titles()
    ]


def test_the_listings_are_what_the_planner_makes_today():
    text = WALKTHROUGH.read_text()
    assert len(LISTING.findall(text)) == text.count("```console")
    assert regenerate(text) == text, f"The planner makes something else today. Run: {REWRITE}"


def test_every_operation_of_the_walkthrough_is_shown():
    text = WALKTHROUGH.read_text()
    for operation in sorted((DOCS / "planner-walkthrough").iterdir()):
        assert f"$ cat {operation.relative_to(ROOT)}\n" in text


def test_every_state_machine_is_drawn_as_it_is_today():
    text = STATE_MACHINES.read_text()
    drawn = {(found["domain"], found["machine"]) for found in DIAGRAM.finditer(text)}
    domains = [path.parent.name for path in (ROOT / "subgraphs").glob("*/states.py")]
    assert drawn == {(domain, machine) for domain in domains for machine in find_machines(domain)}
    assert redraw(text) == text, f"A state machine is not as it is drawn. Run: {REWRITE}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_relative_links_lead_somewhere(document):
    targets = [found["target"] for found in LINK.finditer(FENCED.sub("", document.read_text()))]
    relative = [each.partition("#") for each in targets if not re.match(r"[a-z]+:", each)]
    missing = [path for path, _, _ in relative if not (document.parent / path).exists()]
    assert missing == []
    for path, _, anchor in relative:
        if anchor:
            assert anchor in find_anchors(document.parent / path if path else document)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_the_files_that_a_document_names_exist(document):
    assert [name for name in FILE.findall(document.read_text()) if not (ROOT / name).exists()] == []


def find_anchors(document: Path) -> set[str]:
    """The names under which a document's headings can be linked to."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_glossary_is_in_alphabetical_order():
    sections = re.split(r"^## .+$", (DOCS / "glossary.md").read_text(), flags=re.MULTILINE)[1:]
    assert len(sections) == 4
    for section in sections:
        terms = re.findall(r"^\*\*(.+?)\*\*", section, re.MULTILINE)
        assert terms
        assert terms == sorted(terms, key=str.lower)


def test_a_term_of_the_glossary_is_one_sentence():
    text = (DOCS / "glossary.md").read_text()
    entries = re.findall(r"^\*\*.+?\*\*: (.+?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(entries) == text.count("\n**")
    for entry in entries:
        sentence = entry.strip()
        assert sentence.endswith("."), sentence
        assert not re.search(r"\.\s+[A-Z]", sentence), sentence


def test_the_operations_of_the_readme_are_valid():
    schema = Supergraph.parse(SUPERGRAPH.read_text()).public_schema
    operations = re.findall(
        r"^```graphql\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert operations
    for operation in operations:
        assert validate(schema, parse(operation)) == []


if __name__ == "__main__":
    WALKTHROUGH.write_text(regenerate(WALKTHROUGH.read_text()))
    STATE_MACHINES.write_text(redraw(STATE_MACHINES.read_text()))

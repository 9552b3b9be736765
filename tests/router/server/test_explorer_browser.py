"""The explorer in a real browser: it opens, runs a query, and shows events as they arrive."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.server import graphiql
from tests.router.library import SUPERGRAPH
from tests.router.running_library import run_library
from tests.router.server.chromium import Page, open_browser

EXAMPLES = {
    "1-rename.graphql": 'mutation Rename($title: String!) { rename(id: "1", title: $title) { title } }',
    "1-rename.variables.json": '{"title": "Sun {{random}}"}',
    "2-books.graphql": "query Books { books { title stars } caller }",
    "2-books.headers.json": '{"X-Title": "{{title}}"}',
    "3-published.graphql": "subscription Published { published(count: 2) { title stars } }",
}
OFFLINE = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
RUN = "document.querySelector('.graphiql-execute-button').click()"
SHOWN = "document.querySelector('.result-window').innerText.replaceAll('\\u00a0', ' ')"


@pytest.fixture
def chromium() -> str:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "this test needs Chromium (Debian: apt-get install chromium)"
    return found


@pytest.fixture
def supergraph(tmp_path: Path) -> Path:
    (tmp_path / "examples").mkdir()
    for name, text in EXAMPLES.items():
        (tmp_path / "examples" / name).write_text(text)
    return Path(shutil.copy(SUPERGRAPH, tmp_path))


@pytest.fixture
async def explorer(chromium: str, supergraph: Path) -> AsyncIterator[Page]:
    """GraphiQL, open in a fresh browser, with the schema loaded."""
    assert (graphiql.BUILT / "index.html").is_file(), "the explorer is not built: make explorer"
    async with run_library(supergraph=supergraph) as library, open_browser(chromium) as page:
        await page.command("Page.navigate", url=library.url)
        await page.wait_for("document.querySelectorAll('.graphiql-tab-button').length === 3")
        await page.wait_for("document.querySelector('.graphiql-query-editor .view-line')")
        yield page


async def open_tab(page: Page, title: str) -> None:
    tab = f"[...document.querySelectorAll('.graphiql-tab-button')].find(tab => tab.innerText === '{title}')"
    await page.evaluate(f"{tab}.click()")
    await page.wait_for(f"{tab}.closest('.graphiql-tab-active')")


async def test_the_examples_run_unchanged_and_show_subscription_events(explorer: Page):
    await explorer.evaluate(RUN)
    await explorer.wait_for(f'/"title": "Sun \\w+"/.test({SHOWN})')

    await open_tab(explorer, "Books")
    await explorer.evaluate(RUN)
    await explorer.wait_for(f"{SHOWN}.includes('\"stars\": 5')")

    await explorer.evaluate(
        "globalThis.seen = new Set(); new MutationObserver(() => {"
        f'  const found = /"stars": (\\d)/.exec({SHOWN}); if (found) seen.add(found[1]);'
        "}).observe(document.querySelector('.result-window'), {subtree: true, childList: true})"
    )
    await open_tab(explorer, "Published")
    await explorer.evaluate("seen.clear()")
    await explorer.evaluate(RUN)
    await explorer.wait_for("seen.has('4') && seen.has('5')")


async def test_the_explorer_loads_nothing_from_elsewhere(explorer: Page):
    await explorer.evaluate(RUN)
    await explorer.wait_for(f"{SHOWN}.includes('title')")
    here = await explorer.evaluate("location.host")
    elsewhere = [
        address
        for address in explorer.addresses
        if not address.startswith(("data:", "blob:", f"http://{here}/", f"ws://{here}/"))
    ]
    assert elsewhere == []
    assert explorer.log_entries == []


async def test_a_tab_names_the_value_that_another_tab_has_not_produced_yet(explorer: Page):
    await open_tab(explorer, "Books")
    await explorer.evaluate(RUN)
    await explorer.wait_for(f"{SHOWN}.includes('{{{{title}}}} is not set')")
    assert await explorer.evaluate(f"{SHOWN}.includes('stack')") is False


@pytest.mark.parametrize("title", ["Rename", "Published"])
async def test_a_router_that_is_unavailable_is_named_without_a_stack(explorer: Page, title: str):
    await open_tab(explorer, title)
    await explorer.command("Network.emulateNetworkConditions", **OFFLINE)
    await explorer.evaluate(
        "globalThis.WebSocket = class extends WebSocket {"
        "  constructor() { super(location.origin.replace('http', 'ws') + '/away') }"
        "}"
    )
    await explorer.evaluate(RUN)
    await explorer.wait_for(f"{SHOWN}.includes('There is no connection to the router')")
    assert await explorer.evaluate(f"{SHOWN}.includes('stack')") is False

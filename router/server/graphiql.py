"""The explorer: GraphiQL, built by npm and Vite from `explorer/`, served from this process alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

SOURCE = Path(__file__).parent / "explorer"
BUILT = SOURCE / "dist"

_POLICY = "; ".join(
    [
        "default-src 'self'",
        "base-uri 'none'",
        "connect-src 'self'{sockets}",
        "font-src 'self' data:",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "object-src 'none'",
        "style-src 'self' 'unsafe-inline'",
        "worker-src 'self' blob:",
    ]
)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")

NOT_BUILT = """<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>GraphQL API</title>
  <body style="font: 1rem/1.6 system-ui, sans-serif; margin: 4rem auto; max-width: 40rem">
    <h1>The API is here, the explorer is not built</h1>
    <p>This address answers GraphQL requests. The explorer for browsers is built once, by
    <code>make run</code>, or by hand:</p>
    <pre>cd router/server/explorer && npm ci && npm run build</pre>
    <p>Then load this page again.</p>
  </body>
</html>
"""


def page(host: str) -> Response:
    """The explorer's page, or how to build it; it may open sockets to the host that it is read from."""
    index = BUILT / "index.html"
    if not index.is_file():
        return HTMLResponse(NOT_BUILT, status_code=503, headers={"cache-control": "no-store"})
    return HTMLResponse(
        index.read_text(),
        headers={
            "cache-control": "no-cache",
            "content-security-policy": security_policy(host),
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        },
    )


def security_policy(host: str) -> str:
    """What the page may load: all of it from here; not every browser takes 'self' for its sockets too."""
    return _POLICY.format(sockets=f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else "")


def routes(examples: Path) -> list[BaseRoute]:
    """The explorer's files, and the example tabs of a folder beside the supergraph."""

    async def example_tabs(_: Request) -> Response:
        return JSONResponse(load_examples(examples), headers={"cache-control": "no-cache"})

    return [
        Route("/explorer/examples.json", example_tabs),
        Mount("/explorer", StaticFiles(directory=BUILT, check_dir=False)),
    ]


def load_examples(folder: Path) -> list[dict[str, Any]]:
    """The tabs that GraphiQL opens with: one per `.graphql` file, in the order of their names.

    `name.variables.json` and `name.headers.json` beside `name.graphql` fill the tab's other editors.
    """
    return [
        {
            "query": document.read_text(),
            "variables": _editor_text(document.with_suffix(".variables.json")),
            "headers": _editor_text(document.with_suffix(".headers.json")),
        }
        for document in sorted(folder.glob("*.graphql"))
    ]


def _editor_text(file: Path) -> str:
    if not file.is_file():
        return ""
    return orjson.dumps(orjson.loads(file.read_bytes()), option=orjson.OPT_INDENT_2).decode()

"""The explorer: GraphiQL, built by npm and Vite from `explorer/`, without third-party hosts."""

from __future__ import annotations

import asyncio
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
    <h1>The explorer is not built</h1>
    <p>This URL serves GraphQL requests. The explorer for browsers is built once, by
    <code>make run</code> or by hand:</p>
    <pre>cd router/server/explorer && npm ci && npm run build</pre>
    <p>Then reload this page.</p>
  </body>
</html>
"""


def build_page(host: str) -> Response:
    """The explorer's page, or a page that says how to build it; it may open WebSockets to `host`."""
    index = BUILT / "index.html"
    if not index.is_file():
        return HTMLResponse(NOT_BUILT, status_code=503, headers={"cache-control": "no-store"})
    return HTMLResponse(
        index.read_text(),
        headers={
            "cache-control": "no-cache",
            "content-security-policy": build_security_policy(host),
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        },
    )


def build_security_policy(host: str) -> str:
    """The page's Content-Security-Policy.

    WebSockets are listed explicitly, because `'self'` does not cover them in some browsers.
    """
    return _POLICY.format(sockets=f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else "")


def build_routes(examples: Path) -> list[BaseRoute]:
    """The routes of the explorer's assets, and of its example tabs, which are read from a folder."""

    async def serve_examples(_: Request) -> Response:
        content = await asyncio.to_thread(load_examples, examples)
        return JSONResponse(content, headers={"cache-control": "no-cache"})

    tabs = Route("/explorer/examples.json", serve_examples)
    return [tabs, Mount("/explorer", StaticFiles(directory=BUILT))] if BUILT.is_dir() else [tabs]


def load_examples(folder: Path) -> list[dict[str, Any]]:
    """GraphiQL's initial tabs: one per `.graphql` file, sorted by name.

    `name.variables.json` and `name.headers.json` beside `name.graphql` fill the tab's other editors.
    """
    return [
        {
            "query": document.read_text(),
            "variables": _read_editor_text(document.with_suffix(".variables.json")),
            "headers": _read_editor_text(document.with_suffix(".headers.json")),
        }
        for document in sorted(folder.glob("*.graphql"))
    ]


def _read_editor_text(file: Path) -> str:
    if not file.is_file():
        return ""
    return orjson.dumps(orjson.loads(file.read_bytes()), option=orjson.OPT_INDENT_2).decode()

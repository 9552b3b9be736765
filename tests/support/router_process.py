"""Runs the router as a process and reads its log."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[2]
# By default the router asks the auth service on this machine.
NO_KEY_SET = "http://127.0.0.1:1/jwks.json"


@asynccontextmanager
async def start_router(
    *arguments: str, files: str = "", code: str = "", **environ: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python -m router` with exactly this environment, and no key set unless it names one.

    `files` limits the number of open files; `code` replaces the module as the program to run.
    """
    limited = ("sh", "-c", f'ulimit -n {files}; exec "$@"', "sh") if files else ()
    coverage = {name: value for name, value in os.environ.items() if name.startswith(("COV", "COVERAGE"))}
    process = await asyncio.create_subprocess_exec(
        *(*limited, sys.executable, *(("-c", code) if code else ("-m", "router")), *arguments),
        cwd=ROOT,
        env={"PATH": os.defpath, "JWKS_URL": NO_KEY_SET, **coverage, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()


async def read_log(process: asyncio.subprocess.Process) -> AsyncIterator[dict[str, Any]]:
    """Yields the lines of the log until the process closes its output."""
    assert process.stdout is not None
    async for line in process.stdout:
        yield orjson.loads(line)


async def wait_for_origin(process: asyncio.subprocess.Process) -> str:
    """Waits until the router listens; returns its origin, such as `http://127.0.0.1:41234`."""
    async with asyncio.timeout(30):
        async for line in read_log(process):
            if line["message"] == "The router listens":
                return f"http://127.0.0.1:{line['metadata']['port']}"
    raise AssertionError("the router does not listen")

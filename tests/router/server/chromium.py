"""Headless Chromium, driven over the DevTools protocol."""

import asyncio
import base64
import itertools
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1400,900",
)
TIMEOUT_SECONDS = 60
# An element cannot be returned by value; the fact that it was found can.
SERIALISABLE = "(found => found instanceof Node ? true : found)(%s)"


class Page:
    """One tab: runs JavaScript in it and records the addresses that it requests and its log entries."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.session: str | None = None
        self.addresses: list[str] = []
        self.log_entries: list[str] = []

    async def listen(self) -> None:
        """Dispatches the messages of the browser until the connection closes."""
        async for frame in self._socket:
            message = frame.json()
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
            elif message["method"] == "Network.requestWillBeSent":
                self.addresses.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                self.addresses.append(message["params"]["url"])
            elif message["method"] == "Log.entryAdded":
                self.log_entries.append(message["params"]["entry"]["text"])

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json({**message, "sessionId": self.session} if self.session else message)
        answer = await asyncio.wait_for(self._answers[number], TIMEOUT_SECONDS)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise."""
        answer = await self.command(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def wait_for(self, script: str) -> Any:
        """Waits until a JavaScript expression is truthy; returns it."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not (value := await self.evaluate(SERIALISABLE % script)):  # noqa: ASYNC110 - a page has no event to await
                await asyncio.sleep(0.05)
        return value

    async def press(self, key: str, code: int, modifiers: int = 0) -> None:
        for kind in ("keyDown", "keyUp"):
            await self.command(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                modifiers=modifiers,
            )

    async def screenshot(self) -> bytes:
        """What the tab looks like, as PNG."""
        answer = await self.command("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])


@asynccontextmanager
async def open_browser(executable: str) -> AsyncIterator[Page]:
    """A fresh browser with one empty tab."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            executable,
            *FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with _open_page(await _wait_for_devtools(Path(profile))) as page:
                yield page
        finally:
            process.kill()
            await process.wait()


async def _wait_for_devtools(profile: Path) -> str:
    port_file = profile / "DevToolsActivePort"
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not (port_file.is_file() and len(port_file.read_text().splitlines()) == 2):  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.05)
    port, path = port_file.read_text().splitlines()
    return f"ws://127.0.0.1:{port}{path}"


@asynccontextmanager
async def _open_page(address: str) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
        page = Page(socket)
        listening = asyncio.create_task(page.listen())
        target = await page.command("Target.createTarget", url="about:blank")
        attached = await page.command("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page.session = attached["sessionId"]
        for domain in ("Page", "Network", "Log"):
            await page.command(f"{domain}.enable")
        yield page
        listening.cancel()

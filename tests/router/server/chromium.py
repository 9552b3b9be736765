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
PATIENCE_SECONDS = 60
# Elements cannot leave the page; that one was found can.
PLAIN = "(found => found instanceof Node ? true : found)(%s)"


class Page:
    """One tab: runs JavaScript in it and remembers every address it asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.session: str | None = None
        self.addresses: list[str] = []
        self.complaints: list[str] = []

    async def listen(self) -> None:
        """Takes in what the browser says, until it goes."""
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            elif said["method"] == "Network.requestWillBeSent":
                self.addresses.append(said["params"]["request"]["url"])
            elif said["method"] == "Network.webSocketCreated":
                self.addresses.append(said["params"]["url"])
            elif said["method"] == "Log.entryAdded":
                self.complaints.append(said["params"]["entry"]["text"])

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json({**message, "sessionId": self.session} if self.session else message)
        answer = await asyncio.wait_for(self._answers[number], PATIENCE_SECONDS)
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
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (value := await self.evaluate(PLAIN % script)):  # noqa: ASYNC110 - a page has no event to await
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
async def browser(executable: str) -> AsyncIterator[Page]:
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
            async with _page(await _devtools(Path(profile))) as page:
                yield page
        finally:
            process.kill()
            await process.wait()


async def _devtools(profile: Path) -> str:
    announced = profile / "DevToolsActivePort"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (announced.is_file() and len(announced.read_text().splitlines()) == 2):  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.05)
    port, path = announced.read_text().splitlines()
    return f"ws://127.0.0.1:{port}{path}"


@asynccontextmanager
async def _page(address: str) -> AsyncIterator[Page]:
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

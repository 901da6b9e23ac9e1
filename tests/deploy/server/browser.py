"""Chromium without a window, by its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import aiohttp

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser() -> str | None:
    """Its command, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Page:
    """A page in a browser of its own; ``async with``.

    Args:
        command: of the browser.
        folder: for its profile.
        width: of the window, in pixels.
        dark: which colours the user prefers.
    """

    def __init__(self, command: str, folder: Path, width: int = 1200, dark: bool = False) -> None:
        self.command, self.folder, self.width, self.dark = command, folder, width, dark
        self.events: list[dict[str, Any]] = []
        self._number = 0

    async def __aenter__(self) -> Page:
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        where = ["--remote-debugging-port=0", f"--user-data-dir={self.folder}", "about:blank"]
        self._process = subprocess.Popen([self.command, *flags, *where], stderr=subprocess.DEVNULL)
        self._session = aiohttp.ClientSession()
        file, end = self.folder / "DevToolsActivePort", time.monotonic() + 30
        while not (file.is_file() and file.read_text().count("\n")):
            assert time.monotonic() < end, "the browser did not start"
            await asyncio.sleep(0.05)
        base = f"http://127.0.0.1:{file.read_text().split()[0]}"
        async with self._session.get(f"{base}/json") as response:
            tabs = await response.json()
        address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        self._socket = await self._session.ws_connect(address, max_msg_size=0)
        for part in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{part}.enable")
        size = {"width": self.width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        colours = {"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[colours])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        self._process.kill()
        self._process.wait()

    async def call(self, method: str, **given: Any) -> Any:
        """A command of the protocol; what happens meanwhile is kept in ``events``."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": given})
        while True:
            message = await asyncio.wait_for(self._socket.receive_json(), 30)
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    async def go(self, address: str) -> None:
        """Opens a page."""
        await self.call("Page.navigate", url=address)
        await self.until("document.readyState === 'complete'")

    async def js(self, code: str) -> Any:
        """The value of an expression."""
        found = await self.call("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, condition: str, seconds: float = 20) -> None:
        """Waits until an expression is true."""
        end = time.monotonic() + seconds
        while not await self.js(f"Boolean({condition})"):
            assert time.monotonic() < end, f"{condition}: {await self.js('document.body.innerText')}"
            await asyncio.sleep(0.05)

    async def press(self, key: str, code: int, modifiers: int = 0) -> None:
        """A key; 2 is Ctrl, 8 is Shift."""
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        await self.call("Input.dispatchKeyEvent", type="rawKeyDown", **common)
        if key == " ":
            await self.call("Input.dispatchKeyEvent", type="char", text=" ", **common)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    async def write(self, text: str) -> None:
        """Text where the focus is."""
        await self.call("Input.insertText", text=text)

    async def picture(self, file: Path) -> None:
        """The whole page as a PNG."""
        found = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(found["data"]))

    def complaints(self) -> list[str]:
        """Errors of scripts, and what was refused or not found."""
        return [
            str(event["params"]) for event in self.events
            if event["method"] == "Runtime.exceptionThrown"
            or (event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error")
        ]  # fmt: skip

    def asked(self) -> list[str]:
        """Addresses that anything was loaded from."""
        sent = (event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent")
        return [each["request"]["url"] for each in sent]

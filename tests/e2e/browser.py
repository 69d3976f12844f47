"""A browser for tests: Chromium without a window, driven over its protocol; what it received is read as a screen."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import aiohttp
import pyte
import pytest

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--remote-debugging-port=0", "--window-size=1300,800", "--no-first-run", "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
# What comes over a page's WebSocket is kept beside it: the screen itself is drawn in WebGL, which has no text.
_LISTEN = """
window.said = [];
const Original = WebSocket;
window.WebSocket = class extends Original {
  constructor(...args) {
    super(...args);
    this.addEventListener("message", async (event) => {
      if (event.data instanceof Blob) {
        const at = window.said.push("") - 1;
        const bytes = new Uint8Array(await event.data.arrayBuffer());
        window.said[at] = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
      } else if (event.data instanceof ArrayBuffer) {
        window.said.push(Array.from(new Uint8Array(event.data), (byte) => String.fromCharCode(byte)).join(""));
      }
    });
  }
};
"""
# How many colours a picture has that are more than a speck, and the part of it that is not the commonest one.
_COLOURS = """(async () => {
  const image = new Image();
  image.src = "data:image/png;base64,%s";
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const data = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const pixel of data) counts.set(pixel, (counts.get(pixel) || 0) + 1);
  const sizes = [...counts.values()];
  return [sizes.filter((size) => size > 200).length, 1 - Math.max(...sizes) / data.length];
})()"""


def chromium() -> str:
    """Where it is; skips the test where it is not."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium here, and no wheel on PyPI carries one; apt-get install chromium")
    return found


class Browser:
    """One page. All of it belongs to the event loop that opened it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        env = {**os.environ, "HOME": str(folder)}
        argv = [chromium(), *_FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        self._process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession()
        try:
            port = await self._port()
            async with self._client.get(f"http://127.0.0.1:{port}/json") as answer:
                pages = [one for one in await answer.json() if one["type"] == "page"]
            self._socket = await self._client.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)
        except BaseException:
            await self.__aexit__()
            raise
        await self.do("Page.enable")
        await self.do("Page.addScriptToEvaluateOnNewDocument", source=_LISTEN)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._client.close()
        self._process.terminate()
        self._process.wait(20)

    async def _port(self) -> int:
        file = self._folder / "profile" / "DevToolsActivePort"
        give_up = time.monotonic() + 40
        while not (file.exists() and file.read_text()):
            assert time.monotonic() < give_up, "Chromium did not start"
            await asyncio.sleep(0.05)
        return int(file.read_text().split()[0])

    async def do(self, method: str, **params: Any) -> dict[str, Any]:
        """Carry out a METHOD of the protocol; its result."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            message = json.loads((await self._socket.receive(60)).data)
            if message.get("id") == self._number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    async def evaluate(self, script: str) -> Any:
        """The value of a SCRIPT in the page, awaited."""
        done = await self.do("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    async def open(self, address: str) -> None:
        await self.do("Page.navigate", url=address)

    async def click(self, x: int, y: int) -> None:
        """With the left button, as a person does before typing."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def type(self, text: str) -> None:
        """Press the keys of TEXT, one after the other; a newline is Enter."""
        for char in text:
            key = {"key": "Enter", "text": "\r", "windowsVirtualKeyCode": 13} if char == "\n" else {"key": char}
            await self.do("Input.dispatchKeyEvent", type="keyDown", **{"text": char, **key})
            await self.do("Input.dispatchKeyEvent", type="keyUp", **key)

    async def text(self) -> str:
        """The terminal's screen, as far as it was received, by lines."""
        columns, rows = 300, 100  # more than the page has: nothing wraps
        screen = pyte.Screen(columns, rows)
        said = await self.evaluate("(window.said || []).join('')")
        pyte.ByteStream(screen).feed((said or "").encode("latin-1"))
        return "\n".join(line.rstrip() for line in screen.display)

    async def see(self, text: str) -> str:
        """Wait until TEXT is on the screen; the screen."""
        give_up = time.monotonic() + 40
        while text not in (screen := await self.text()):
            assert time.monotonic() < give_up, f"{text!r} did not appear; the screen was:\n{screen}"
            await asyncio.sleep(0.1)
        return screen

    async def picture(self) -> bytes:
        """The page as a PNG."""
        return base64.b64decode((await self.do("Page.captureScreenshot"))["data"])

    async def colours(self, picture: bytes) -> tuple[int, float]:
        """How many colours PICTURE has that are more than a speck, and what part of it is not its ground."""
        count, drawn = await self.evaluate(_COLOURS % base64.b64encode(picture).decode())
        return count, drawn

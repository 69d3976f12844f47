"""`bus-console web`: who may come in, and what is said where it cannot be had. What it draws: tests/e2e/test_web.py."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys

import aiohttp
import pytest

from bus import Bus, Service
from console.cli import web
from console.cli.web import Doorkeeper
from console.target import TargetError

ALONE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


@pytest.fixture
def shop(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with Bus("shop") as bus:
        bus.add(Service("sales"))
        bus.serve()
        yield bus


@pytest.fixture
def address(shop):
    """Where the server is, with the key."""
    argv = [sys.executable, "-m", "console", "web", "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        first, second = server.stdout.readline(), server.stdout.readline()
        assert f"shop {os.getpid()} is at " in first
        assert "whoever has this address can act" in second
        yield re.search(r"http://\S+", first)[0]
        server.send_signal(signal.SIGINT)
        rest, errors = server.communicate(timeout=20)
        assert (server.returncode, rest, errors) == (0, "", "")


def ask(address, *requests):
    """The answers to some requests of one browser: status, headers, text."""

    async def go():
        answers = []
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:  # it is known by number
            for path, headers in requests:
                url = address if path is None else address.split("/?")[0] + path
                async with client.get(url, headers=headers) as answer:
                    answers.append((answer.status, answer.headers, await answer.text()))
        return answers

    return asyncio.run(go())


def test_only_who_has_the_address_sees_the_page(address):
    """The key opens it once; then a cookie does, which no script reads and no other page sends."""
    (status, _, text), (opened, headers, page), (again, *_) = ask(address, ("/", {}), (None, {}), ("/", {}))
    assert (status, "the key is in it" in text) == (403, True)
    assert (opened, again) == (200, 200)
    assert "data-session-websocket-url" in page
    assert address.split("key=")[1] not in page
    assert headers.items() >= ALONE.items()


@pytest.mark.parametrize("path", ["/?key=", "/?key=wrong", "/ws", "/static/js/textual.js", "/download/x", "/nope"])
def test_without_it_there_is_nothing(address, path):
    """Not even what a page is made of."""
    assert ask(address, (path, {}))[0][0] == 403


def test_a_page_from_elsewhere_is_refused_even_with_the_cookie(address):
    """By its origin, or by the name it has given this machine."""
    port = address.split(":")[2].split("/")[0]
    answers = ask(
        address, (None, {}), ("/ws", {"Origin": "http://evil.example"}), ("/ws", {"Origin": "null"}),
        ("/", {"Host": "evil.example"}), ("/", {"Host": f"localhost:{port}"}), (None, {"Host": f"evil.example:{port}"}),
    )  # fmt: skip
    assert [status for status, *_ in answers] == [200, 403, 403, 403, 403, 403]


def test_nothing_is_loaded_from_elsewhere_and_nobody_frames_it(address):
    """What the page names of other hosts, its own policy forbids."""
    (_, headers, _) = ask(address, (None, {}))[0]
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert set(re.findall(r"\w+://[^\s;]+", policy)) == {f"ws://{address.split('/')[2]}"}


def test_a_program_that_has_gone_is_said_on_the_page(shop, address):
    """It does not wait for screens that never come; a page made before is told by the screens themselves."""
    assert ask(address, (None, {}))[0][0] == 200
    shop.close()
    status, _, text = ask(address, (None, {}))[0]
    assert (status, "there is no socket" in text) == (503, True)
    assert ask(address, ("/", {}))[0][0] == 403, "who has no key learns nothing of that"


def test_only_this_machine_is_listened_to():
    """Not the network."""
    with web._listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("key", ["", None, "é", "\ud800", "x" * 100_000])
def test_another_key_is_not_the_key(key):
    """Whatever it is; and each server has one of its own."""
    keeper = Doorkeeper(8000)
    assert keeper.knows(keeper.address.split("key=")[1])
    assert not keeper.knows(key)
    assert keeper.address != Doorkeeper(8000).address


def test_a_port_that_is_taken_is_explained():
    """With the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TargetError, match=f"port {port} cannot be had: .*in use; choose another with --port"):
            web.serve(["attach"], "x", port, dict)
    with pytest.raises(TargetError, match="port 70000 cannot be had"):
        web.serve(["attach"], "x", 70_000, dict)


def test_where_the_extra_is_missing_the_command_that_installs_it_is_given(monkeypatch):
    """Before anything is opened."""
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    with pytest.raises(TargetError, match=r"need the package textual_serve.*; run: pip install 'bus-console\[web\]'"):
        web.serve(["attach"], "x", 0, dict)


def test_without_a_program_nothing_is_served(monkeypatch, tmp_path):
    """Said at once, here, and not in the browser."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    argv = [sys.executable, "-m", "console", "web", "--port", "0"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no program can be attached to" in done.stderr

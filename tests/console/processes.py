"""The command line as a process, and a program to use it on."""

import subprocess
import sys

SHOP = """\
import os, sys, threading, time
from bus import Bus, Service, command, current_call

class Greeter(Service):
    @command("say_hello")
    def say_hello(self, name: str, times: int = 1) -> str:
        '''Greet NAME.'''
        return " ".join([f"Hello, {name}!"] * times)

    @command("fail")
    def fail(self) -> None:
        raise ValueError("as asked")

    @command("linger")
    def linger(self) -> None:
        while not current_call().cancel_requested:
            time.sleep(0.01)

    @command("die")
    def die(self) -> None:
        print("going down", file=sys.stderr, flush=True)
        os._exit(3)

def make():
    bus = Bus("shop")
    bus.add(Greeter())
    return bus

def broken():
    raise RuntimeError("no shop today")

thing = 5

if __name__ == "__main__":
    with make() as bus:
        print("open", flush=True)
        threading.Event().wait(60)
"""


def console(*args, stdin="", timeout=30):
    """Run bus-console; gives the exit code, stdout, stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "console", *args],
        input=stdin, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr

"""A program with an open door that notes what the interpreter is made to do: `python watched_program.py DIRECTORY`.

It prints the path of its socket. When stdin ends, it prints what was noted, one a line, then `whole` if the bus still
works.
"""

import sys
from pathlib import Path

from bus import Bus
from bus.attach.endpoint import Endpoint
from bus.trace.recorder import Recorder
from tests.bus.attach.shop import Shop

BEWARE = ("exec", "pickle.", "marshal.", "code.__new__", "function.__new__", "ctypes.", "subprocess.", "os.", "import",
          "builtins.input", "cpython.run", "socket.connect", "shutil.")  # fmt: skip
FINE = ("os.listdir", "os.scandir")
noted: list[str] = []


def note(event: str, args: tuple[object, ...]) -> None:
    if event.startswith(BEWARE) and event not in FINE:
        noted.append(f"{event} {args!r:.200}")


def say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    with Bus("shop") as bus:
        shop = Shop()
        bus.add(shop)
        recorder = Recorder(bus, "full")
        endpoint = Endpoint(bus, recorder, Path(sys.argv[1]))
        say(endpoint.path)
        sys.stdin.readline()  # what is loaded at the first use is loaded now
        sys.addaudithook(note)
        say("watching")
        sys.stdin.read()
        for line in noted:
            say(line)
        noted.clear()
        if bus.execute_command("sell", "tea").result()["item"] == "tea":
            say("whole")
        shop.leave.set()
        endpoint.close()
        recorder.close()


if __name__ == "__main__":
    main()

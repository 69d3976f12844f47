"""What importing the bus costs a program that only uses the bus."""

import subprocess
import sys

HEAVY = {"textual", "rich", "prompt_toolkit", "numpy", "platformdirs", "watchfiles", "console", "bus.attach"}


def loaded_by(program: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return set(done.stdout.split())


def test_importing_the_bus_loads_nothing_of_the_console() -> None:
    """A program that uses the bus pays for the standard library and msgspec, no more."""
    loaded = loaded_by("import bus")
    assert "msgspec" in loaded
    assert loaded & HEAVY == set()


def test_using_the_bus_loads_nothing_of_what_watches_it() -> None:
    """A bus that nobody watches loads neither recorder nor endpoint."""
    loaded = loaded_by("import bus\nwith bus.Bus('x') as b:\n  b.register_command('a', int); b.execute_command('a')")
    assert loaded & HEAVY == set()
    assert {name for name in loaded if name.startswith("bus.trace.")} == {"bus.trace.records", "bus.trace.redact"}

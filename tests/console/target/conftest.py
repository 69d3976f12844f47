import pytest


@pytest.fixture(autouse=True)
def runtime_dir(monkeypatch, tmp_path):
    """Sockets of a test are its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "r"))
    for name in ("BUS_CONSOLE", "BUS_TRACE", "BUS_TRACE_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "r" / "bus-console"

import os
import stat

import pytest

from bus.attach.door import EndpointError, has_room, is_stale, listen, remove_stale, runtime_dir, safe_dir


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "r" / "console"


def test_the_socket_is_ours_alone(directory):
    """A 0600 socket in a 0700 directory; named after the bus and the process."""
    listener, path, _ = listen(directory, "shop")
    with listener:
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.name == f"shop-{os.getpid()}.sock"


def test_a_second_bus_of_that_name_gets_a_number(directory):
    """And leaves the first one alone."""
    first, *_ = listen(directory, "shop")
    second, path, _ = listen(directory, "shop")
    with first, second:
        assert path.name == f"shop-{os.getpid()}-2.sock"


@pytest.mark.parametrize(
    ("name", "stem"), [("../../etc/x", "_.._etc_x"), ("a b/c", "a_b_c"), ("", "bus"), ("é" * 90, "_")]
)
def test_a_name_never_leads_out_of_the_directory(directory, name, stem):
    """Whatever the program calls its bus."""
    listener, path, _ = listen(directory, name)
    with listener:
        assert path.parent == directory
        assert path.name == f"{stem}-{os.getpid()}.sock"


def test_a_directory_that_others_may_enter_is_refused(directory):
    """The message says which command makes it right."""
    directory.mkdir(parents=True)
    directory.chmod(0o755)
    with pytest.raises(EndpointError, match=f"chmod 700 {directory}"):
        safe_dir(directory)


def test_a_link_in_place_of_the_directory_is_refused(directory, tmp_path):
    """Somebody else could have put it there."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    directory.parent.mkdir()
    directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EndpointError, match="not a directory of yours"):
        safe_dir(directory)


def test_a_directory_of_another_user_is_refused(directory, monkeypatch):
    """Whatever its mode."""
    safe_dir(directory)
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(EndpointError, match="not a directory of yours"):
        safe_dir(directory)


def test_a_path_that_is_too_long_is_explained(tmp_path):
    """The limit is the system's; the way out is named."""
    with pytest.raises(EndpointError, match="XDG_RUNTIME_DIR"):
        listen(tmp_path / ("d" * 60) / ("e" * 60), "shop")


def test_a_directory_that_cannot_be_made_is_explained(tmp_path):
    """A file stands in the way."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EndpointError, match="cannot make the directory"):
        safe_dir(tmp_path / "file" / "console")


def test_sockets_that_nobody_listens_on_are_removed(directory):
    """Those of programs that were killed; living ones and other files stay."""
    dead, dead_path, _ = listen(directory, "dead")
    alive, alive_path, _ = listen(directory, "alive")
    other = directory / "note.sock"
    other.write_text("")
    dead.close()
    with alive:
        assert is_stale(dead_path)
        remove_stale(directory)
        assert sorted(directory.iterdir()) == sorted([alive_path, other])


def test_opening_removes_what_is_stale(directory):
    """So the directory does not fill up, and the name is free again."""
    dead, path, _ = listen(directory, "shop")
    dead.close()
    again, same, _ = listen(directory, "shop")
    with again:
        assert same == path


def test_the_runtime_directory_follows_the_environment(monkeypatch, tmp_path):
    """As the XDG specification has it, with a fallback and without a warning."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert runtime_dir() == tmp_path / "bus-console"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert runtime_dir().name == "bus-console"


def test_a_directory_whose_path_leaves_no_room_for_a_name(tmp_path):
    """It is said before anybody tries, with what to do about it; one with room for a short name passes."""
    has_room(tmp_path)
    with pytest.raises(EndpointError, match=r"set XDG_RUNTIME_DIR to a shorter directory of yours$"):
        has_room(tmp_path / ("x" * 100))

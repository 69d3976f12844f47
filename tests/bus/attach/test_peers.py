"""Who is at the other end. The systems that are not this one are simulated by what their sockets would answer."""

import os
import socket
import struct
import sys

import pytest

from bus.attach.peers import NOBODY, peer


class Fake:
    """A socket of another system: answers options by level and number."""

    family = getattr(socket, "AF_UNIX", None)

    def __init__(self, answers):
        self.answers = answers

    def getsockopt(self, level, option, size=0):
        try:
            return self.answers[level, option]
        except KeyError:
            raise OSError(42, "Protocol not available") from None


XUCRED = struct.pack("IIhxx16I", 0, 501, 1, 20, *[0] * 15)


@pytest.fixture
def bsd(monkeypatch):
    def become(platform):
        monkeypatch.delattr(socket, "SO_PEERCRED", raising=False)
        monkeypatch.setattr(sys, "platform", platform)

    return become


def test_the_kernel_tells_who_is_at_the_other_end():
    """Uid and pid, not what the peer says of itself."""
    one, other = socket.socketpair()
    with one, other:
        assert peer(one) == (os.geteuid(), os.getpid())


def test_macos_tells_uid_and_pid_by_two_options(bsd):
    """There is no SO_PEERCRED; the numbers are those of <sys/un.h>."""
    bsd("darwin")
    assert peer(Fake({(0, 1): XUCRED, (0, 2): 4711})) == (501, 4711)


def test_freebsd_tells_the_uid_alone(bsd):
    """Option 2 means something else there, and is not asked for."""
    bsd("freebsd14")
    assert peer(Fake({(0, 1): XUCRED + bytes(12), (0, 2): 1})) == (501, 0)


def test_openbsd_has_the_same_option_in_another_order(monkeypatch):
    """The group must not be taken for the user."""
    monkeypatch.setattr(socket, "SO_PEERCRED", 0x1022, raising=False)
    monkeypatch.setattr(sys, "platform", "openbsd7")
    assert peer(Fake({(socket.SOL_SOCKET, 0x1022): struct.pack("3i", 1000, 20, 4711)})) == (1000, 4711)


@pytest.mark.parametrize(
    ("platform", "answers"),
    [
        ("darwin", {}),
        ("darwin", {(0, 1): XUCRED}),
        ("darwin", {(0, 1): b""}),
        ("darwin", {(0, 1): struct.pack("II", 7, 0)}),
        ("sunos5", {(0, 1): XUCRED, (0, 2): 4711}),
    ],
)
def test_one_whom_the_system_does_not_name_is_nobody(bsd, platform, answers):
    """So it is refused: an error, an answer of another form, a system that we do not know."""
    bsd(platform)
    assert peer(Fake(answers)) == NOBODY


def test_over_tcp_it_is_the_token_that_says_so():
    """The kernel knows nothing: the uid is ours, the pid open."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            assert peer(accepted) == (os.geteuid(), 0)

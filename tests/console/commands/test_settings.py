"""set."""

import pytest

from bus.attach.protocol import Reply
from bus.trace.records import Error
from console import commands
from console.commands import Asked, Mistake, Said, SettingList
from console.commands.settings import SETTINGS
from console.session import Session
from tests import synthetic


def session(**more):
    made = Session(synthetic.FakeTarget(synthetic.batches(synthetic.session(100)), state="live", **more))
    while made.pump():
        pass
    return made


@pytest.fixture
def live():
    return session()


def test_all_and_one(live):
    """Without a value it shows what is set."""
    shown = commands.run(live, "set")
    assert isinstance(shown, SettingList)
    assert {each.name: each.value for each in shown.settings} == {
        "level": "full", "retain": "1000000", "listed": "20", "watched": "20",
    }  # fmt: skip
    assert [each.name for each in commands.run(live, "set retain").settings] == ["retain"]


def test_level_is_the_programs(live):
    """The program is asked, and when it answered that is what is set."""
    asked = commands.run(live, "set level TIMES")
    assert isinstance(asked, Asked)
    assert live.target.asked == [("set level", "times", (), {})]
    assert "when calls were queued" in commands.answered(asked).text
    assert commands.run(live, "set level").settings[0].value == "times"


def test_a_level_that_the_program_refuses():
    """It stays as it was."""
    live = session(answers={"off": Reply(request=0, error=Error("PermissionError", "reading only"))})
    assert commands.answered(commands.run(live, "set level off")).message == "reading only"
    assert live.level == "full"


def test_numbers(live):
    """What is set counts from then on."""
    assert isinstance(commands.run(live, "set retain 5,000"), Said)
    assert live.retain == 5_000
    commands.run(live, "set listed 3")
    assert len(commands.run(live, "calls").found.calls) == 3
    commands.run(live, "set watched 7")
    assert live.preferences.watched == 7


@pytest.mark.parametrize(
    ("line", "piece", "advice"),
    [
        ("set lvel full", "lvel", "did you mean level? there are: level, retain, listed, watched"),
        ("set nothing", "nothing", "there are: level"),
        ("set level ful", "ful", "did you mean full? write one of off, times, full"),
        ("set retain many", "many", "write a whole number from 1,000"), ("set retain 5", "5", "from 1,000"),
        ("set listed 0", "0", "from 1 to"), ("set watched true", "true", "whole number"),
        ("set listed '['", "'['", "1"),
    ],
)  # fmt: skip
def test_mistakes(live, line, piece, advice):
    """The word that is wrong is underlined, and what there is, is said."""
    wrong = commands.run(live, line)
    assert isinstance(wrong, Mistake)
    assert line[slice(*wrong.span)] == piece
    assert advice in wrong.message


def test_completion(live):
    """Names of settings, then the values that each can have."""
    assert [each.text for each in commands.candidates(live, "set ", 4)] == sorted(SETTINGS)
    assert [each.text for each in commands.candidates(live, "set level ", 10)] == ["off", "times", "full"]
    assert commands.candidates(live, "set level full ", 15) == []

"""The values of secret arguments are found, and taken out of whatever text they are in."""

from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Secret
from bus.trace.hiding import hidden, secret_values
from bus.trace.redact import ANY_KEYWORD, REDACTED, bounded, value_text
from tests.hostile import EVERY, HUGE


@dataclass
class Account:
    user: str
    pin: Secret[str]
    password: str = "by name"
    more: list[object] = field(default_factory=list)


def values(value: object, name: str = "password") -> set[str]:
    """What is secret of one argument."""
    return set(secret_values([name], (), [value], {}))


def test_what_is_named_or_declared_secret_is_found() -> None:
    """By position and by keyword, and all keywords where they are declared so."""
    given_ = ["user", "by name", "declared"], {"token": "keyword", "plain": "other"}
    assert set(secret_values(["user", "password", "pin"], {"pin"}, *given_)) == {"by name", "declared", "keyword"}
    assert set(secret_values([], {ANY_KEYWORD}, ["user"], {"plain": "other"})) == {"other"}
    assert set(secret_values([], {"plain"}, [], {"plain": "other"})) == {"other"}


def test_secrets_in_values_are_found() -> None:
    """In dicts and objects, at any place, of any argument; all that is in a secret one."""
    config = {"plain": 1, "server": [{"api_key": "nested"}, ({"cookie": {"a": ["deep er"]}},)]}
    assert values(config, "config") == {"nested", "deep er"}
    assert values(Account("ann", "marked", more=[config]), "account") == {"marked", "by name", "nested", "deep er"}
    assert values(["one secret", {"key": "two secret"}]) == {"one secret", "two secret"}


@pytest.mark.parametrize("value", ["abc", None, True, 1.5, 123, object(), 1 << 5_000])
def test_what_is_too_short_or_no_text_is_not_searched_for(value: object) -> None:
    """It would be found everywhere, or nowhere."""
    assert values(value) == set()


def test_every_form_of_a_secret_is_searched_for() -> None:
    """As it is, escaped, and as `repr` writes it; bytes as text, too; numbers."""
    assert values("pass\x1b'\\word") >= {"pass\x1b'\\word", "pass\\x1b'\\word", "pass\\x1b'\\\\word"}
    assert values("é".encode() * 4) == {"éééé", r"\xc3\xa9" * 4}
    assert values(47114711) == {"47114711"}


class Harmful(dict[str, Any]):
    """A dict whose own methods raise."""

    def items(self) -> NoReturn:
        raise SystemExit

    __iter__ = __len__ = items


@dataclass
class Raising:
    @property
    def user(self) -> str:
        raise KeyboardInterrupt

    user: str  # type: ignore[no-redef]


def test_looking_for_secrets_breaks_nothing() -> None:
    """A value that raises is left; one that is endless or huge is looked at in part."""
    endless: list[object] = ["first secret"]
    endless.append(endless)
    assert values(endless) == {"first secret"}
    assert values(Harmful(password="hidden")) == {"hidden"}
    assert values(Raising.__new__(Raising)) == set()
    assert max(map(len, values(HUGE))) < 200_000
    assert len(values([[f"secret {number}"] * 24 for number in range(10_000)])) <= 200


@given(st.text(max_size=30), st.text(min_size=4, max_size=60), st.text(max_size=30))
def test_no_secret_is_left_in_a_text(before: str, secret: str, after: str) -> None:
    """As it is, or as `repr` or `escape` would show it; what is around it stays."""
    found = tuple(sorted(values(secret), key=len, reverse=True))
    for text in (before + secret + after, bounded(before + secret + after), value_text(before + secret + after)):
        shown = hidden(text, found)
        assert not any(form in shown.replace(REDACTED, "") for form in found if form not in before + after)


@given(st.integers(4, 40))
def test_a_secret_that_a_text_cuts_is_hidden(length: int) -> None:
    """What is left of it would be enough to guess it."""
    secret = "".join(chr(0x100 + number) for number in range(60))
    found = secret_values(["password"], (), [secret], {})
    cut = hidden("x" * 10 + secret[:length] + "…", found)
    assert cut == "x" * 10 + REDACTED + "…"
    assert hidden(secret, found) == REDACTED


def test_text_without_secrets_stays() -> None:
    """Also one that looks like the beginning of one."""
    assert hidden(EVERY, ("secret" * 20,)) == EVERY
    assert hidden("secre and secretsecret", ("secret" * 20,)) == "secre and secretsecret"

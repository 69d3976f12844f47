"""Styles are shared, however they are asked for."""

from rich.style import Style

from console.tui.look import DIM, GROUND, PLAIN, RAISED, acting, on, style


def test_equal_styles_are_one() -> None:
    """To Textual a second one is a stranger: it would look up each segment of it, a fifth of a frame."""
    assert style() is style(PLAIN) is style(PLAIN, GROUND) is style(bold=False)
    assert on(style(DIM), RAISED) is style(DIM, RAISED) is on(style(DIM, RAISED), RAISED)
    link = acting(style(DIM), "app.help_panel")
    assert link is acting(on(style(DIM, RAISED), GROUND), "app.help_panel")
    assert link is not style(DIM)


def test_ground_and_colour_are_always_given() -> None:
    """A line is painted as it is."""
    assert style() == Style(color=PLAIN, bgcolor=GROUND, bold=False, underline=False)

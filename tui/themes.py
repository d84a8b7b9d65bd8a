"""Four themes: dark, light, one safe for colour-blind eyes, and plain (no colour at all).

Contrast is at least 4.5 to 1 for every pair of text and ground (a test computes it). The cursor line is told by
its text style too, so it is seen where colour is not.

Plain is the NO_COLOR recipe: Textual chooses its filter inside `App.__init__`, so the app is built with
`ansi_color=True` and the theme set right after (`app_colours` gives both).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.theme import BUILTIN_THEMES, Theme

from tui.glyphs import ASCII, UNICODE, Glyphs, choose_glyphs, glyphs, use_glyphs

if TYPE_CHECKING:
    from textual.app import App

__all__ = [
    "ASCII",
    "DARK",
    "LIGHT",
    "PLAIN",
    "SAFE",
    "THEMES",
    "UNICODE",
    "Glyphs",
    "ansi_color_for",
    "apply_theme",
    "choose_glyphs",
    "glyphs",
    "use_glyphs",
    "wants_plain",
]


def _cursor(ground: str, text: str) -> dict[str, str]:
    """The cursor line and the text cursor, the same in focus and out of it but for the weight."""
    return {
        "block-cursor-background": ground,
        "block-cursor-foreground": text,
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": ground,
        "block-cursor-blurred-foreground": text,
        "block-cursor-blurred-text-style": "none",
        "input-cursor-text-style": "reverse",
    }


DARK: Final = Theme(
    name="ajerasync-dark",
    primary="#4aa3df",
    secondary="#7fb6d6",
    accent="#e5b567",
    warning="#e5b567",
    error="#ff7b72",
    success="#7bc67e",
    foreground="#e6e6e6",
    background="#15181c",
    surface="#1b1f24",
    panel="#272d34",
    dark=True,
    variables=_cursor("#1f4e79", "#ffffff"),
)
LIGHT: Final = Theme(
    name="ajerasync-light",
    primary="#0b5394",
    secondary="#3d5a80",
    accent="#7a4b00",
    warning="#7a4b00",
    error="#a61b1b",
    success="#1e6b2b",
    foreground="#1a1a1a",
    background="#f7f7f5",
    surface="#ffffff",
    panel="#e6e6e2",
    dark=False,
    variables=_cursor("#0b5394", "#ffffff"),
)
# Blue and orange after Okabe and Ito: told apart with any of the common kinds of colour blindness.
SAFE: Final = Theme(
    name="ajerasync-safe",
    primary="#56b4e9",
    secondary="#9ad0f0",
    accent="#f0e442",
    warning="#f0e442",
    error="#ff9d3c",
    success="#56b4e9",
    foreground="#f0f0f0",
    background="#101214",
    surface="#16191c",
    panel="#24292e",
    dark=True,
    variables=_cursor("#004c80", "#ffffff"),
)
_ANSI: Final = BUILTIN_THEMES["ansi-dark"]
PLAIN: Final = Theme(
    name="ajerasync-plain",
    primary=_ANSI.primary,
    secondary="ansi_default",
    warning="ansi_default",
    error="ansi_default",
    success="ansi_default",
    accent="ansi_default",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    ansi=True,
    # Widgets of Textual drop "reverse" here (8.2.8); bold and underline are kept by all.
    variables={
        **_ANSI.variables,
        "block-cursor-text-style": "bold underline",
        "block-cursor-blurred-text-style": "bold",
        "input-cursor-text-style": "reverse",
    },
)
THEMES: Final[dict[str, Theme]] = {theme.name: theme for theme in (DARK, LIGHT, SAFE, PLAIN)}


def wants_plain(environ: Mapping[str, str] = os.environ, *, plain: bool = False) -> bool:
    """Whether no colour is wanted: `--plain`, or NO_COLOR set to anything (no-color.org)."""
    return plain or bool(environ.get("NO_COLOR"))


def ansi_color_for(*, plain: bool) -> bool | None:
    """What `App.__init__(ansi_color=…)` must be told so that its colour filter fits the theme."""
    return True if plain else None


class WholeCells(ScrollBarRender):
    """A scroll bar of whole cells: the eighths at its ends are signs that an ASCII terminal does not have."""

    VERTICAL_BARS = [" "] * len(ScrollBarRender.VERTICAL_BARS)
    HORIZONTAL_BARS = [" "] * len(ScrollBarRender.HORIZONTAL_BARS)


def apply_theme(app: App[Any], name: str = "", *, plain: bool = False) -> None:
    """Register the four themes and set one; called right after `App.__init__`.

    A short name ("dark", "light", "safe", "plain") or any registered theme's; an unknown one gives the dark theme.
    """
    for theme in THEMES.values():
        app.register_theme(theme)
    ScrollBar.renderer = WholeCells if glyphs().name == "ascii" else ScrollBarRender
    wanted = "ajerasync-plain" if plain else name
    full = f"ajerasync-{wanted}"
    if full in THEMES:
        wanted = full
    app.theme = wanted if wanted in app.available_themes else DARK.name

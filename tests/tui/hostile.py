"""Record text that has broken real terminal programs: used wherever text reaches a widget."""

from __future__ import annotations

HOSTILE = (
    "[/x]",
    "Roads [/2024]",
    "[bold",
    "[@click=app.quit]x[/]",
    ":house: layer:house:2",
    "",
    "x" * 10_000,
    "tab\there",
    "two\nlines\r\nthree",
    "\x1b[2J\x1b]0;owned\x07\x1b[?1049l",
    "\x9b31mred",
    "nul\x00",
    "abc\u202edcba",
    "\u0645\u0631\u062d\u0628\u0627",
    "zalgo" + "\u0301" * 200,
    "日本語株式会社",
    "👨\u200d👩\u200d👧 family",
    "\ud800",
    "=cmd|'/C calc'!A0",
)

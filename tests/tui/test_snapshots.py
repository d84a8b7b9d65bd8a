"""Snapshots: seven screens at both sizes, each in two themes, as characters with their colours and weights.

    make snapshots        writes them anew, after a change that was meant; look at the difference before it is kept

A snapshot holds the screen as text and, for each theme, a map of the same shape with a letter for each style. What
cannot be the same twice (ports, keys made at random) is masked by its length.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
from rich.cells import cell_len
from rich.style import Style
from textual.color import Color

from core.sandbox.serve import Sandbox, SandboxOptions
from tests.tui import pictures
from tests.tui.frozen import at, frozen
from tests.tui.kit import Stage, service_of
from tests.tui.pictures import svg_of
from tests.tui.test_widgets_formatting import _contrast
from tui.app import AjerasyncApp
from tui.themes import apply_theme

FOLDER: Final = Path(__file__).parent / "snapshots"
WRITE: Final = os.environ.get("AJERASYNC_SNAPSHOTS") == "write"
THEMES: Final = ("dark", "light")
CHANGING: Final = re.compile(r"[0-9A-F]{12,}|\b[0-9a-f]{8,}\b|(?<=127\.0\.0\.1:)\d+|/tmp/\S+")
LETTERS: Final = string.ascii_letters + string.digits


Scene = Callable[[Stage], Awaitable[None]]
SCENES: Final[tuple[tuple[str, Scene, tuple[str, ...]], ...]] = (
    ("firms", pictures.firms, ()),
    ("firm-contacts", pictures.firm_contacts, ("escape",)),
    ("projects", pictures.projects, ()),
    ("template", pictures.template, ("escape",)),
    ("plan", pictures.plan, ()),
    ("plan-asked", pictures.plan_asked, ("escape",)),
    ("employees", pictures.employees, ()),
)


def masked(line: str) -> str:
    return CHANGING.sub(lambda found: "#" * len(found[0]), line)


def style_name(style: Style | None) -> str:
    """ "#e6e6e6 on #15181c bold"."""
    if style is None:
        return "default"
    colours = (style.color.name if style.color else "default", style.bgcolor.name if style.bgcolor else "default")
    weights = [name for name in ("bold", "dim", "italic", "underline", "reverse") if getattr(style, name)]
    return " ".join((colours[0], "on", colours[1], *weights))


def read_screen(app: AjerasyncApp) -> tuple[list[str], list[str], dict[str, str]]:
    """The lines of text, the lines of letters, and what each letter stands for."""
    names: dict[str, str] = {}
    text, styles = [], []
    for strip in app.screen._compositor.render_strips():
        text.append(masked("".join(segment.text for segment in strip)).rstrip())
        line = ""
        for segment in strip:
            name = style_name(segment.style)
            letter = names.setdefault(name, LETTERS[len(names)])
            line += letter * cell_len(segment.text)
        styles.append(line)
    return text, styles, {letter: name for name, letter in names.items()}


async def snapshot_of(scene: Stage) -> str:
    parts: list[str] = []
    for theme in THEMES:
        apply_theme(scene.app, theme)
        await scene.pilot.pause()
        await scene.pilot.pause()
        text, styles, legend = read_screen(scene.app)
        if not parts:
            parts += [*text, ""]
        parts += [f"--- {theme}", *(f"{letter} {name}" for letter, name in legend.items()), *styles, ""]
    return "\n".join(parts)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_screens_look_as_they_did(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed: list[str] = []
    options = SandboxOptions(rate=0, firms=40, contacts=90, projects=60, employees=16)
    with frozen(monkeypatch):
        async with Sandbox(options, clock=at) as sandbox:
            service = service_of(sandbox, tmp_path, cron="*/15 7-19 * * mon-fri")
            service.pause()
            app = AjerasyncApp(service)
            try:
                async with app.run_test(size=size) as pilot:
                    scene = Stage(app, pilot, sandbox)
                    await scene.filled()
                    for name, go, leave in SCENES:
                        await go(scene)
                        await pilot.pause(0.15)  # the list rests that long before the record is read
                        shown = await snapshot_of(scene)
                        if not same(FOLDER / f"{name}.{size[0]}x{size[1]}.txt", shown):
                            picture = tmp_path / f"{name}.svg"
                            picture.write_text(svg_of(app, name), encoding="utf-8")
                            (tmp_path / f"{name}.txt").write_text(shown, encoding="utf-8")
                            changed.append(f"{name}: {picture}")
                        if leave:
                            await scene.press(*leave)
            finally:
                await service.close()
    assert not changed, "\n".join(["these look different now; where it was meant: make snapshots", *changed])


def same(path: Path, shown: str) -> bool:
    """Whether the snapshot is this; written instead where that was asked for."""
    if WRITE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
        return True
    return path.exists() and path.read_text(encoding="utf-8") == shown


LEGEND: Final = re.compile(r"^(\w) (#[0-9a-f]{6}) on (#[0-9a-f]{6})")
UNDER_A_DIALOG: Final = ("template", "plan-asked")  # what lies under it is dimmed on purpose


def pairs_in_use(snapshot: str) -> set[tuple[str, str]]:
    """The colours of text and ground where a letter or a figure stands, of each theme."""
    text, *themes = re.split(r"^--- .*\n", snapshot, flags=re.MULTILINE)
    found = set()
    for theme in themes:
        lines = theme.rstrip("\n").split("\n")
        height = next(i for i, line in enumerate(lines) if not re.match(r"^\w \S+ on ", line))
        legend = {match[1]: (match[2], match[3]) for line in lines[:height] if (match := LEGEND.match(line))}
        for words, letters in zip(text.split("\n"), lines[height:], strict=False):
            used = {letter for char, letter in zip(words, letters, strict=False) if char.isalnum()}
            found |= {legend[letter] for letter in used if letter in legend}
    return found


@pytest.mark.parametrize("name", [name for name, _, _ in SCENES if name not in UNDER_A_DIALOG])
def test_what_is_on_the_screens_has_contrast_enough(name: str) -> None:
    """Each pair of colours that is really in use, tints and percentages worked out."""
    poor = {}
    for path in FOLDER.glob(f"{name}.*.txt"):
        pairs = pairs_in_use(path.read_text(encoding="utf-8"))
        assert len(pairs) > 5
        for text, ground in pairs:
            ratio = _contrast(Color.parse(text), Color.parse(ground))
            if ratio < 4.5:
                poor[path.name, text, ground] = round(ratio, 2)
    assert poor == {}

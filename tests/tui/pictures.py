"""Makes the pictures of screens.md: the real app on the sandbox, each screen as an SVG.

    python -m tests.tui.pictures [--folder docs/pictures] [--size 120x34] [--theme NAME] [--only NAME]

The data are the sandbox's, by its seed; times in the pictures are those of the day they were made.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from textual.app import App

from core.engine.service import Service
from core.errors import Problem, SettingsError
from core.model.values import Kind
from core.sandbox.serve import Sandbox, SandboxOptions
from tests.tui.kit import Stage, service_of
from tui.app import AjerasyncApp
from tui.modals.undo import UndoAsk
from tui.opening import OpeningApp, begun
from tui.themes import apply_theme

FONT_FACE: Final = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


@asynccontextmanager
async def opened(folder: Path, size: tuple[int, int], theme: str) -> AsyncIterator[Stage]:
    async with Sandbox(SandboxOptions(rate=0, firms=40, contacts=90, projects=60, employees=16)) as sandbox:
        service = service_of(sandbox, folder, cron="*/15 7-19 * * mon-fri")
        service.pause()  # no run comes into a picture
        config = folder / "config.toml"  # for the checks, which run in a process of their own
        config.write_text(sandbox.config_toml().replace("rate = 50.0", "rate = 1000.0"), encoding="utf-8")
        config.chmod(0o600)
        app = AjerasyncApp(service)
        try:
            async with app.run_test(size=size) as pilot:
                apply_theme(app, theme)
                scene = Stage(app, pilot, sandbox)
                await scene.filled()
                yield scene
        finally:
            await service.close()


async def firms(scene: Stage) -> None:
    await scene.press("1")
    await scene.filter("state:pending")
    await scene.until(lambda: scene.hub.current is not None)


async def opened_record(scene: Stage) -> None:
    """Where it is narrow the record is a page of its own."""
    if scene.hub.has_class("-narrow"):
        await scene.press("enter")


async def firm_contacts(scene: Stage) -> None:
    await scene.press("1")
    busiest = max(
        scene.rows(Kind.FIRM), key=lambda row: len(scene.service.contact_rows(firm=row.crm_key)) if row.crm_key else 0
    )
    for row in list(scene.service.contact_rows(firm=busiest.crm_key))[:3]:
        scene.service.mark(Kind.CONTACT, [row.key], True, firm=busiest.crm_key)
    scene.service.mark(Kind.FIRM, [busiest.key], True)
    await scene.stand_on(busiest)
    await opened_record(scene)
    await scene.press("right_square_bracket")


async def projects(scene: Stage) -> None:
    await scene.press("2")
    await scene.filter("marked:yes")


async def template(scene: Stage) -> None:
    await projects(scene)
    await scene.press("t")


async def plan(scene: Stage) -> None:
    await scene.press("4")
    await scene.press("p")
    await scene.until(lambda: not scene.app.session.busy)


async def plan_asked(scene: Stage) -> None:
    await plan(scene)
    await scene.press("R")


async def run_done(scene: Stage) -> None:
    await scene.service.run()
    await scene.pilot.pause()


async def totals(scene: Stage) -> None:
    await scene.press("2")
    linked = next(row for row in scene.rows(Kind.PROJECT) if row.state == "in_step" and row.number.startswith("20"))
    await scene.stand_on(linked)
    await opened_record(scene)
    for _ in range(5):
        await scene.press("right_square_bracket")


async def budget(scene: Stage) -> None:
    for _ in range(2):
        await scene.press("left_square_bracket")


async def employees(scene: Stage) -> None:
    await scene.press("3")


def place(key: str) -> Callable[[Stage], Awaitable[None]]:
    async def go(scene: Stage) -> None:
        await scene.press(key)

    return go


async def undo(scene: Stage) -> None:
    await scene.press("6", "Z")
    await scene.until(lambda: isinstance(scene.app.screen, UndoAsk))


async def health(scene: Stage) -> None:
    await scene.press("8", "H")
    await scene.until(lambda: scene.app.session.checkup is not None and not scene.app.session.checking)
    checkup = scene.app.session.checkup
    assert checkup is not None
    assert checkup.report is not None
    checkup.report.document[0]["message"] = "~/.config/ajerasync/config.toml"  # not the folder of this picture
    checkup.tell("")
    await scene.pilot.pause(1.0)  # the dialog looks twice a second


async def help_screen(scene: Stage) -> None:
    await scene.press("1", "question_mark")


async def palette(scene: Stage) -> None:
    await scene.press("1", "ctrl+p")


async def away(scene: Stage) -> None:
    """Both systems are gone; the Schedule place says what is known of it."""
    await scene.sandbox.stop()
    await scene.press("1", "p")
    await scene.until(lambda: scene.app.session.trouble is not None)
    await scene.until(lambda: not scene.app.session.busy)


# In the order of the story; `after` are the keys that lead out of a dialog.
PICTURES: Final[tuple[tuple[str, Callable[[Stage], Awaitable[None]], tuple[str, ...]], ...]] = (
    ("firms", firms, ()),
    ("firm-contacts", firm_contacts, ("escape",)),
    ("projects", projects, ()),
    ("template", template, ("escape",)),
    ("plan", plan, ()),
    ("plan-asked", plan_asked, ("escape",)),
    ("", run_done, ()),
    ("totals", totals, ()),
    ("budget", budget, ("escape",)),
    ("employees", employees, ()),
    ("inbox", place("5"), ()),
    ("runs", place("6"), ()),
    ("undo", undo, ("escape",)),
    ("log", place("7"), ()),
    ("schedule", place("8"), ()),
    ("health", health, ("escape",)),
    ("settings", place("9"), ()),
    ("help", help_screen, ("escape",)),
    ("palette", palette, ("escape",)),
    ("away", away, ()),
)


def svg_of(app: App[Any], title: str) -> str:
    """The screen as SVG, with the reader's own monospace font: nothing is fetched from anywhere."""
    svg = FONT_FACE.sub("", app.export_screenshot(title=title))
    return re.sub(r"font-family:\s*[^;]*;", "font-family: ui-monospace, Menlo, Consolas, monospace;", svg)


async def draw(folder: Path, size: tuple[int, int], theme: str, only: str | None) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with tempfile.TemporaryDirectory() as state:
        async with opened(Path(state), size, theme) as scene:
            for name, go, leave in PICTURES:
                await go(scene)
                await scene.pilot.pause(0.3)
                if name and only in (None, name):
                    path = folder / f"{name}.svg"
                    path.write_text(svg_of(scene.app, f"ajerasync · {name.replace('-', ' ')}"), encoding="utf-8")
                    made.append(path)
                if leave:
                    await scene.press(*leave)
    return made


async def draw_opening(folder: Path, size: tuple[int, int], theme: str) -> Path:
    """The screen of a program whose settings have a mistake."""
    wrong = SettingsError([Problem("~/.config/ajerasync/config.toml: crm.username", "is missing",
                                   "Required: the user of the interface")])  # fmt: skip

    def open_it() -> Service:
        raise wrong

    app = OpeningApp(open_it, begun(open_it), plain=False)
    async with app.run_test(size=size) as pilot:
        apply_theme(app, theme)
        while app.error is None:
            await pilot.pause(0.02)
        await pilot.pause()
        path = folder / "opening.svg"
        path.write_text(svg_of(app, "ajerasync · opening"), encoding="utf-8")
    return path


async def draw_all(folder: Path, size: tuple[int, int], theme: str, only: str | None) -> list[Path]:
    made = await draw(folder, size, theme, only)
    return [*made, await draw_opening(folder, size, theme)] if only in (None, "opening") else made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--size", default="120x34")
    parser.add_argument("--theme", default="dark")
    parser.add_argument("--only")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    for path in asyncio.run(draw_all(given.folder, (width, height), given.theme, given.only)):
        print(path)  # noqa: T201 # the names of what was made are its output


if __name__ == "__main__":
    main()

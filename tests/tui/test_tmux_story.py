"""The story of the main job through tmux, with the installed program: collected only where tmux is installed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pty import openpty

import pytest

from tests.e2e.kit import PROGRAM, World, world
from tests.e2e.test_main_story import fresh_firm, fresh_project, same_contact, same_firm
from tests.tui.tmux import TMUX, Tmux

SIZES = [(80, 24), (160, 50)]


@contextmanager
def stage(folder: Path, cols: int, rows: int, *flags: str) -> Iterator[tuple[World, Tmux]]:
    with world(folder, *flags) as made, Tmux(folder, cols, rows, made.home.env) as tmux:
        made.home.ok("schedule", "pause")  # no run but those of the story
        tmux.open(PROGRAM, "--config", str(made.home.config))
        tmux.see("only in Ajera: o")
        yield made, tmux


def chosen(tmux: Tmux, text: str) -> None:
    """Filter for exactly one record and stand on it."""
    tmux.press("/", "C-u")
    tmux.type(text)
    tmux.press("Enter")
    tmux.see("1 of ")


def ticked(shown: str) -> int:
    found = re.search(r"ticked (\d+)", shown)
    return int(found[1]) if found else 0


def run(tmux: Tmux) -> None:
    tmux.press("R")
    tmux.see("w writes")
    tmux.press("w")


if TMUX is not None:

    @pytest.mark.parametrize(("cols", "rows"), SIZES)
    def test_the_story(tmp_path: Path, cols: int, rows: int) -> None:
        with stage(tmp_path, cols, rows) as (made, tmux):
            firm, people = fresh_firm(made)
            project = fresh_project(made)
            chosen(tmux, f"crm_key:={firm['ClientID']}")
            tmux.press("Space")
            tmux.see("to be sent")
            tmux.press("Enter", "]")
            tmux.see("[Contacts 0/5]")
            tmux.press("Space", "Space")
            tmux.see("[Contacts 2/5]")
            tmux.press("Escape")  # alone: with a key right behind it, it would be alt and that key
            tmux.see("Open")
            tmux.press("2")
            tmux.see("[2 Pro")
            chosen(tmux, f"crm_key:={project['WBS1']}")
            tmux.press("t")
            tmux.see("enter takes it")
            tmux.press("Enter")
            tmux.gone("enter takes it")
            tmux.press("Space")
            tmux.see("to be sent")
            tmux.resize(132, 40)  # in the middle of it
            tmux.see("[2 Projects]")
            tmux.see("Next tab")  # there is room for more keys, and for the record beside the list
            tmux.resize(cols, rows)
            run(tmux)
            tmux.see("Run ok")
            tmux.gone("to be sent")
            with attached(tmux):  # somebody looks in, and the line breaks
                tmux.see("[2 Pro")
            tmux.press("1")
            tmux.see("[1 Firms]")
            tmux.see("in step")

            client = same_firm(made, firm)
            here = {row["ContactKey"] for row in client["Contacts"]}
            assert len(here) == 2
            by_name = {(row["FirstName"], row["LastName"]): row for row in people}
            for person in made.ajera.get("contact", sorted(here)).values():
                same_contact(by_name[person["FirstName"], person["LastName"]], person)
            found = [row for row in made.ajera.all("project").values() if row["ID"] == project["WBS1"]]
            assert len(found) == 1
            assert made.home.run()[-1]["counts"].get("create", 0) == 0

    def test_killed_in_the_middle_and_opened_again_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
        with stage(tmp_path, 80, 24, "--delay=60") as (made, tmux):
            before = {row["Description"] for row in made.ajera.all("client").values()}
            tmux.press("/")
            tmux.type("state:unmarked status:active")
            few = ticked(tmux.text)
            tmux.press("Enter", "a")  # as fast as it can be
            tmux.until(lambda shown: ticked(shown) > few + 3)
            wanted = {row["crm_key"] for row in made.home.rows("firm") if row["marked"] and row["crm_key"]}
            assert len(wanted) > 3
            run(tmux)
            tmux.until(lambda shown: re.search(r"writing [1-9]", shown) is not None)
            tmux.kill_program()

            tmux.open_again(PROGRAM, "--config", str(made.home.config))
            tmux.see("only in Ajera: o")
            marked = {row["crm_key"] for row in made.home.rows("firm") if row["marked"] and row["crm_key"]}
            assert wanted <= marked
            run(tmux)
            tmux.until(lambda shown: re.search(r"Run (ok|partial)", shown) is not None)
            tmux.press("q")
            if "Q quits" in tmux.until(lambda shown: "Q quits" in shown or tmux.ended):
                tmux.press("Q")
            tmux.until(lambda _shown: tmux.ended)
            made.home.settle()

            rows = {row["crm_key"]: row for row in made.home.rows("firm")}
            names = [row["Description"] for row in made.ajera.all("client").values()]
            for key in wanted:
                row = rows[key]
                assert row["linked"] or row["state"] in ("candidate", "refused", "conflict", "difference"), row
                if row["label"] not in before:
                    assert names.count(row["label"]) <= 1, row

    @contextmanager
    def attached(tmux: Tmux) -> Iterator[None]:
        """A client on a terminal of its own that is killed at the end."""
        master, slave = openpty()
        client = subprocess.Popen(
            [str(TMUX), "-S", str(tmux.socket), "attach", "-t", "story"],
            stdin=slave, stdout=slave, stderr=slave, env=tmux.env, start_new_session=True,
        )  # fmt: skip
        try:
            with os.fdopen(slave, "rb"), os.fdopen(master, "rb", buffering=0) as screen:
                assert screen.read(1)  # it paints
                yield
        finally:
            client.kill()
            client.wait(10)

"""Made-up values and second programs for the store's tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from core.model.link import Link, Pair
from core.model.plan import Action, Change, Op
from core.model.record import Entry, Record, TeamRow
from core.model.values import Address, EntryEdit, Kind, Ref, Side, TeamEdit
from core.ports import HistoryEntry, RunRecord

ROOT = Path(__file__).parents[2]
HOSTILE = "\x1b[2J=cmd\u202e\ud800" + "x" * 10_000

FIRM = Ref(Kind.FIRM, Side.AJERA, "7")
FULL = Record(
    Kind.PROJECT,
    Side.CRM,
    "P1",
    HOSTILE,
    stamp="2026-01-02T03:04:05.678",
    user="someone",
    fields={
        "text": HOSTILE,
        "blank": None,
        "empty": "",
        "money": Decimal("1234.5600"),
        "date": date(2026, 2, 28),
        "flag": False,
        "address": Address(("1 Main", "2nd"), "Town", "IL", "60601", "US"),
        "client": FIRM,
        "edit": EntryEdit((FIRM,), (), ("Owner",)),
        "team": TeamEdit(FIRM, "role", Decimal("1.50"), None, "r1"),
    },
    marked=True,
    template="Standard",
    create_in_crm=True,
    number="2026-001",
    why_not="not a client",
    contacts=(Entry("1", "Owner", True, False, "row"), Entry("2")),
    team=(TeamRow("E1", "PM", Decimal("8.0"), date(2026, 1, 1), "r"), TeamRow("E2", "", None, None)),
    extra={"a": "b"},
)


def firm(key: str, name: str = "Acme", side: Side = Side.AJERA) -> Record:
    return Record(Kind.FIRM, side, key, name, fields={"name": name})


def link(n: int | str, crm: str | None = None) -> Link:
    return Link(Kind.FIRM, str(n), crm or f"C{n}")


def pair(text: str) -> Pair:
    return Pair(text, text)


def run(run_id: str, started: str = "2026-01-01T00:00:00Z", **rest: object) -> RunRecord:
    return replace(RunRecord(run_id, started), **rest)  # type: ignore[arg-type]


def entry(entry_id: str, run_id: str, key: str = "1", crm: str | None = None) -> HistoryEntry:
    return HistoryEntry(
        entry_id, run_id, "2026-01-01T00:00:00Z", "update", Kind.FIRM, Side.CRM, key, crm, "Acme",
        fields={"name": ("a", Decimal("1.0"), "owner")}, lost={"phone": "1"}, bases={"name": pair("a")},
    )  # fmt: skip


def action() -> Action:
    return Action(
        Op.UPDATE, Kind.FIRM, Side.CRM, "1", "C1", "Acme", {"name": Change("a", "b", "rule")}, {"name": pair("b")}
    )


def program(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """A second program running `code`, with its pipes open."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(*running: subprocess.Popen[str]) -> list[str]:
    """What each printed until it ended by itself."""
    return [each.communicate(timeout=60)[0] for each in running]


def end(running: subprocess.Popen[str]) -> None:
    running.kill()
    running.communicate(timeout=30)


def modes(folder: Path, names: Sequence[str] = ("*",)) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for name in names for path in folder.glob(name)}

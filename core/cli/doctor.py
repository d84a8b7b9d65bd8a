"""`doctor`: connects to both systems, reads what they say of themselves, writes nothing; `--probe` finds the switches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from core.cli import output
from core.cli.context import Env, command, pass_env
from core.cli.exits import OK, WAITING, say

if TYPE_CHECKING:
    from core.engine.doctor import Answers
    from core.errors import AjerasyncError
    from core.model.values import Side
    from core.quirks.probing import Finding, ProbeReport
    from core.settings import Settings


@command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One document.")
@click.option("--probe", "probing", is_flag=True, help="Find the switches of both systems instead; reads only.")
@click.option("--save", is_flag=True, help="With --probe: set what was found in the settings file.")
@click.option(
    "--write", "writing", is_flag=True, help="With --probe: also probes that make records, in a test database."
)
@click.option(
    "--database", "databases", multiple=True, metavar="NAME", help="With --write: a database that is for tests."
)
@click.option("--yes", is_flag=True, help="With --write: do not ask.")
@pass_env
def doctor_command(
    env: Env, as_json: bool, probing: bool, save: bool, writing: bool, databases: tuple[str, ...], yes: bool
) -> int:
    """Check connections, rights, versions, metadata, field map, clocks, templates, code tables, store and schedule.

    Writes nothing, but with --probe --write --database NAME, which makes records and takes them away again.
    """
    if not probing:
        _only_with("--probe", save=save, write=writing)
    if not writing:
        _only_with("--write", database=bool(databases), yes=yes)
    settings = env.settings()
    if not probing:
        return _examine(settings, as_json)
    if writing:
        _confirm(settings, databases, yes)
    return _probe(settings, as_json=as_json, save=save, writing=writing)


def _only_with(flag: str, **given: bool) -> None:
    wrong = [f"--{name}" for name, on in given.items() if on]
    if wrong:
        raise click.UsageError(f"{', '.join(wrong)} goes with {flag} only")


def _examine(settings: Settings, as_json: bool) -> int:
    from core.doctor import examine

    found, code = asyncio.run(examine(settings))
    if as_json:
        names = ("check", "state", "message", "way_out")
        output.document([{name: getattr(check, name) for name in names} for check in found])
    else:
        for check in found:
            output.text(f"{check.state:<5}{check.check}: {check.message}")
            if check.way_out:
                output.text(f"{' ' * 5}-> {check.way_out}")
    return code


async def ask_both(settings: Settings) -> Answers:
    """What each system says of itself, or why it says nothing."""
    from core import doctor

    return await doctor.ask_both(settings)


# -- probes ----------------------------------------------------------------------------------------


def _confirm(settings: Settings, databases: tuple[str, ...], yes: bool) -> None:
    """Raises UsageError unless the databases are named, and somebody says yes."""
    from core.cli.ui import need_terminal
    from core.doctor import may_write

    may_write(settings, databases)
    if not yes:
        need_terminal()
        question = f"Make and change records in {settings.crm.database} and in the Ajera of the settings?"
        if not click.confirm(question, err=True):
            raise click.Abort


def _probe(settings: Settings, *, as_json: bool, save: bool, writing: bool) -> int:
    from core.doctor import probe, quirks_toml, save_quirks
    from core.quirks.probing import ProbeReport

    left: dict[Side, list[str]] = {}
    try:
        answers = asyncio.run(probe(settings, writing=writing, left=left))
    except BaseException:  # stopped half way: what stays must be known all the same
        _say_left(left)
        raise
    reports = {side: each for side, each in answers.items() if isinstance(each, ProbeReport)}
    failures = {side: each for side, each in answers.items() if not isinstance(each, ProbeReport)}
    text = quirks_toml(reports)
    if as_json:
        output.document(_json(reports, failures, text))
    else:
        _print(reports, text)
        _say_left(left)
    for side, error in failures.items():
        say(f"{side}: {error}")
    if save and not failures:
        save_quirks(settings.paths, reports)
        say(f"Set in {settings.paths.config}")
    if failures:
        return max(error.exit_code for error in failures.values())
    return WAITING if any(report.left for report in reports.values()) else OK


def _say_left(left: Mapping[Side, list[str]]) -> None:
    for names in left.values():
        for name in names:
            say(name)


def _json(reports: Mapping[Side, ProbeReport], failures: Mapping[Side, AjerasyncError], text: str) -> dict[str, Any]:
    return {
        "switches": [_finding(side, each) for side, report in reports.items() for each in report.findings],
        "left": [name for report in reports.values() for name in report.left],
        "failed": {side.value: str(error) for side, error in failures.items()},
        "toml": text,
    }


def _finding(side: Side, finding: Finding) -> dict[str, Any]:
    return {"side": side.value, "switch": finding.switch, "value": finding.value, "how": finding.how}


def _print(reports: Mapping[Side, ProbeReport], text: str) -> None:
    rows = [
        (f"{side}.{each.switch}", "?" if each.value is None else str(each.value).lower(), each.how)
        for side, report in reports.items()
        for each in report.findings
    ]
    output.table(("switch", "found", "how"), rows)
    output.text()
    for line in text.splitlines():
        output.text(line)

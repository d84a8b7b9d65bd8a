"""`setup`: asks for both connections, tries each answer at once, writes the settings.

setup.py          the command: which parts are asked, writing, doctor at the end
setup_steps.py    the parts
setup_ask.py      how a question is put
setup_secrets.py  where a secret is kept
setup_file.py     the settings file
"""

from __future__ import annotations

import asyncio
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from core.cli.context import Env, command, pass_env
from core.cli.exits import OK, WAITING
from core.cli.setup_ask import ask_yes, choose, tell
from core.cli.ui import need_terminal
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli.setup_steps import Draft
    from core.paths import Paths
    from core.settings import Settings

PART_NAMES: Final = ("ajera", "crm", "defaults", "template", "schedule")


@command("setup")
@click.argument("parts", nargs=-1, metavar="[PART]...", type=click.Choice(PART_NAMES))
@click.option(
    "--from-answers",
    "answers",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Ask nothing: take the settings in FILE (TOML; - is standard input), try them, write them.",
)
@click.option("--replace", is_flag=True, help="With --from-answers: where there are settings already; a copy is kept.")
@pass_env
def setup_command(env: Env, parts: tuple[str, ...], answers: Path | None, replace: bool) -> int:
    """Ask for both connections, try each answer at once, write the settings file, and end with doctor.

    PART asks for one part again: ajera, crm, defaults (what new records in the CRM need), template, schedule. Nothing is written before the end, never without
    asking, and a copy of the file before is kept.
    """
    paths = env.paths()
    if answers is not None:
        return _from_file(answers, parts, replace, paths)
    if replace:
        raise click.UsageError("--replace goes with --from-answers only")
    need_terminal()
    document = _document_to_change(paths)
    asked = _parts_to_ask(parts, document, paths)
    return _ask(asked, document, paths) if asked else OK


# -- asked -----------------------------------------------------------------------------------------


def _document_to_change(paths: Paths) -> Any:
    """The document of the file that is there; None where there is none, or a person gives up the broken one."""
    from core.cli.setup_file import read_document

    if not paths.config.exists():
        return None
    try:
        return read_document(paths.config)
    except UsageError as error:
        tell(error)
        if ask_yes("Begin with a new file? A copy of this one is kept."):
            return None
        raise UsageError(f"Nothing was changed. Correct {paths.config} by hand, or answer yes") from None


def _parts_to_ask(parts: Sequence[str], document: Any, paths: Paths) -> Sequence[str]:
    if document is None:
        if parts and set(parts) != set(PART_NAMES):
            tell("There are no settings yet, so all parts are asked.")
        return PART_NAMES
    if parts:
        return [part for part in PART_NAMES if part in parts]
    tell(f"{paths.config} exists. All in it that you do not answer anew stays as it is.")
    chosen = choose("What is to be changed", (*PART_NAMES, "all", "nothing"), "nothing")
    return {"all": PART_NAMES, "nothing": ()}.get(chosen, (chosen,))


def _ask(parts: Sequence[str], document: Any, paths: Paths) -> int:
    from core.cli.setup_steps import PARTS, Draft

    tell("An empty line takes what stands in [brackets]. Ctrl-C stops; nothing is written before the end.")
    draft = Draft(paths, before={} if document is None else document.unwrap())
    for place, part in enumerate(parts, 1):
        tell(f"\n--- {place} of {len(parts)}" if len(parts) > 1 else "")
        PARTS[part](draft)
    if draft.failed and not ask_yes(
        f"No connection yet: {', '.join(sorted(draft.failed))}. Write the settings all the same?"
    ):
        tell("Nothing was written.")
        return WAITING
    _store_secrets(draft)
    return _finish(draft, document)


def _store_secrets(draft: Draft) -> None:
    """Where a place cannot be used after all, it is asked for again."""
    from core.cli.setup_secrets import ask_secret, store

    for where, kept in draft.secrets.items():
        section, _, key = where.partition(".")
        while True:
            try:
                draft.put(section, key, store(kept, draft.paths))
            except UsageError as error:
                tell(error)
                kept = ask_secret(where, f"{section} {key.replace('_', ' ')}", draft.paths)  # noqa: PLW2901
            else:
                break


def _finish(draft: Draft, document: Any) -> int:
    from core.cli.setup_file import document_text
    from core.settings import settings_from

    settings = settings_from(draft.document(), draft.paths)
    _write(draft.paths, document_text(draft.answers, document))
    if draft.failed:
        tell("Try again with: ajerasync doctor")
        return WAITING
    _doctor(settings)
    return OK


def _write(paths: Paths, text: str) -> None:
    from core.cli.setup_file import keep_copy, write_settings

    copy = keep_copy(paths.config)
    write_settings(paths.config, text)
    tell(f"Written: {paths.config}" + (f"; the one before is kept as {copy.name}" if copy else ""))


def _doctor(settings: Settings) -> None:
    """What doctor finds, told as messages: the outcome of set-up is that both systems answered."""
    from core.doctor import examine

    tell("doctor:")
    found, _ = asyncio.run(examine(settings))
    for check in found:
        if check.state != "ok":
            tell(f"{check.state:<5}{check.check}: {check.message}")
            if check.way_out:
                tell(f"{' ' * 5}-> {check.way_out}")
    good = sum(check.state == "ok" for check in found)
    tell(f"{good} of {len(found)} checks are ok. Next: ajerasync (the UI), or ajerasync plan")


# -- from a file -----------------------------------------------------------------------------------


def _from_file(answers: Path, parts: Sequence[str], replace: bool, paths: Paths) -> int:
    """Raises what reading, checking and logging in raise; nothing is written then."""
    from core.bootstrap import cron_problem
    from core.cli.setup_file import HEAD
    from core.settings import settings_from
    from core.tryout import try_ajera, try_crm

    if parts:
        raise click.UsageError("--from-answers takes the whole settings; it goes with no PART")
    if paths.config.exists() and not replace:
        raise UsageError(f"{paths.config} exists. Add --replace to write it anew; a copy is kept")
    text = _read_answers(answers)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{answers} is not TOML: {error}") from None
    settings = settings_from(raw, paths, cron_problem)

    async def both() -> None:
        ajera, crm = await asyncio.gather(try_ajera(settings), try_crm(settings), return_exceptions=True)
        for one in (ajera, crm):
            if isinstance(one, BaseException):
                raise one
        tell(f"Ajera: {getattr(ajera, 'company', '')}, {getattr(ajera, 'version', '')}")
        tell(f"CRM: a login lasts {getattr(crm, 'seconds', 0)} seconds")

    asyncio.run(both())
    _write(paths, text if text.startswith("#") else f"# {HEAD}\n{text}")
    return OK


def _read_answers(answers: Path) -> str:
    try:
        return sys.stdin.read() if str(answers) == "-" else answers.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{answers} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}"
        ) from None

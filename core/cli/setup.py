"""`setup`: asks for both connections, tests them, writes the settings.

A secret goes where the operator says: the system keyring, a file of mode 0600 beside the settings, a
command, an environment variable, or (only when asked for) the settings file itself.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from core.cli.context import Env, command, pass_env
from core.cli.exits import OK, WAITING, say
from core.cli.ui import need_terminal
from core.errors import AjerasyncError, SettingsError, UsageError
from core.private import private_folder, write_private

if TYPE_CHECKING:
    from core.paths import Paths

PLACES: Final = ("keyring", "file", "command", "env", "plain")


@command("setup")
@pass_env
def setup_command(env: Env) -> int:
    """Ask for both connections, test them, write the settings file."""
    need_terminal()
    paths = env.paths()
    if paths.config.exists() and not _ask_yes(f"{paths.config} exists. Replace it?"):
        return OK
    document = ask_settings(paths)
    good = try_connections(document, paths)
    if not good and not _ask_yes("Write the settings all the same?"):
        return WAITING
    write_settings(document, paths.config)
    say(f"Written: {paths.config}. Next: ajerasync doctor")
    return OK if good else WAITING


def ask_settings(paths: Paths) -> dict[str, Any]:
    """What the operator answers, as the document to write."""
    say("Ajera")
    ajera: dict[str, Any] = {
        "url": _ask("  address, exactly as Ajera gives it"),
        "username": _ask("  API user"),
    }
    ajera["password"] = ask_secret("ajera.password", "  password", paths)
    say("CRM (DPS 1.x or Vantagepoint)")
    crm: dict[str, Any] = {
        "url": _ask("  address of the API"),
        "database": _ask("  database"),
        "username": _ask("  user"),
    }
    crm["password"] = ask_secret("crm.password", "  password", paths)
    crm["client_id"] = _ask("  client id")
    crm["client_secret"] = ask_secret("crm.client_secret", "  client secret", paths)
    crm["profile"] = click.prompt("  product", type=click.Choice(["dps1", "vantagepoint"]), default="dps1", err=True)
    zone = click.prompt("Time zone of the schedule", default=_local_zone(), err=True)
    return {
        "ajera": ajera,
        "crm": crm,
        "sync": {"enabled": True},
        "schedule": {"cron": "*/15 7-19 * * mon-fri", "timezone": zone},
    }


def ask_secret(where: str, what: str, paths: Paths) -> dict[str, str] | str:
    """Where the secret is kept, as the settings say it; stored there first where that is ours to do."""
    place = click.prompt(f"{what}: kept in", type=click.Choice(PLACES), default="keyring", err=True)
    if place == "command":
        return {"command": _ask("  command that prints it")}
    if place == "env":
        return {"env": _ask("  environment variable")}
    value = click.prompt(what, hide_input=True, err=True)
    if place == "keyring":
        try:
            return {"keyring": _into_keyring(where, value, paths.profile)}
        except UsageError as error:
            say(error)
            return ask_secret(where, what, paths)
    if place == "file":
        return {"file": _into_file(where, value, paths.config.parent)}
    return str(value)


def _into_keyring(where: str, value: str, profile: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    service = "ajerasync" if profile == "default" else f"ajerasync-{profile}"
    try:
        keyring.set_password(service, where, value)
    except KeyringError as error:
        raise UsageError(
            f"The system keyring cannot be used here ({type(error).__name__}): choose file, command or env"
        ) from None
    return service


def _into_file(where: str, value: str, folder: Path) -> str:
    path = folder / f"{where}.secret"
    _write_private(path, value + "\n")
    return path.name


def try_connections(document: dict[str, Any], paths: Paths) -> bool:
    """Connect to both with what was answered; says how it went."""
    from core.cli.doctor import ask_both
    from core.settings import settings_from

    try:
        settings = settings_from(document, paths)
    except SettingsError as error:
        for problem in error.problems:
            say(problem)
        return False
    answers = asyncio.run(ask_both(settings))
    for side, answer in answers.items():
        failed = isinstance(answer, AjerasyncError)
        say(f"{side}: {answer if failed else 'connected'}")
    return not any(isinstance(answer, AjerasyncError) for answer in answers.values())


def write_settings(document: dict[str, Any], path: Path) -> None:
    """The settings file, mode 0600, in a folder made where it is missing."""
    import tomlkit

    body = tomlkit.document()
    body.add(tomlkit.comment("Settings of ajerasync. What may stand here: docs/settings.md"))
    for name, section in document.items():
        table = tomlkit.table()
        for key, value in section.items():
            table.add(key, _inline(value) if isinstance(value, dict) else value)
        body.add(name, table)
    _write_private(path, tomlkit.dumps(body))


def _inline(value: dict[str, str]) -> Any:
    import tomlkit

    table = tomlkit.inline_table()
    table.update(value)
    return table


def _write_private(path: Path, text: str) -> None:
    try:
        if not path.parent.exists():
            private_folder(path.parent)
        write_private(path, text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def _local_zone() -> str:
    """This machine's zone where it says one by name."""
    link = Path("/etc/localtime")
    _, found, name = str(link.resolve()).partition("zoneinfo/") if link.is_symlink() else ("", "", "")
    return name if found else "UTC"


def _ask(text: str) -> str:
    return str(click.prompt(text, err=True)).strip()


def _ask_yes(text: str) -> bool:
    return click.confirm(text, err=True)

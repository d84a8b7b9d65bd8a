"""A secret as a reference: where it is kept, fetched only when a client logs in, never shown.

Forms in the settings: a plain string, or a table with exactly one of `keyring`, `env`, `file`,
`command`. Nothing here puts a value into a message, a `repr` or an exception.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from core.errors import Problem, SettingsError

SOURCES: Final = ("keyring", "env", "file", "command")
COMMAND_TIMEOUT: Final = 60.0  # a password manager may ask for a finger


class Hidden(str):
    """A secret's text: used like any text, but shown by no `repr`, so by no traceback that prints locals."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[secret]"


@dataclass(frozen=True, slots=True)
class Secret:
    """A reference to a secret. `where` is its key in the settings ("ajera.password"), `source` one
    of SOURCES or "plain", `target` what the source is given. Relative files start at `folder`."""

    where: str
    source: str
    target: str = field(repr=False)
    folder: Path = field(default=Path(), repr=False)
    _known: list[Hidden] = field(default_factory=list, repr=False, compare=False)

    def __str__(self) -> str:
        return f"<secret {self.where} from {self.source}>"

    def reveal(self) -> Hidden:
        """The value; asked for once per process. Raises SettingsError that says where it was sought."""
        if not self._known:
            self._known.append(Hidden(_READERS[self.source](self)))
        return self._known[0]

    def fail(self, found: str, hint: str) -> SettingsError:
        return SettingsError([Problem(self.where, found, hint)])


def _plain(secret: Secret) -> str:
    return secret.target


def _env(secret: Secret) -> str:
    value = os.environ.get(secret.target)
    if not value:
        raise secret.fail(f"the environment variable {secret.target} is not set", "Set it, or name another source")
    return value


def _file(secret: Secret) -> str:
    path = secret.folder / Path(secret.target).expanduser()
    try:
        value = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise secret.fail(
            f"the file {path} cannot be read: {reason}", "Give it mode 0600 and the secret alone"
        ) from None
    if not value:
        raise secret.fail(f"the file {path} is empty", "It must hold the secret alone")
    return value


def _command(secret: Secret) -> str:
    try:
        words = shlex.split(secret.target)
        done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        reason = type(error).__name__
        raise secret.fail(f"the command could not be run ({reason})", "Try it in a shell first") from None
    value = done.stdout.rstrip("\r\n")
    if done.returncode or not value:
        what = f"ended with code {done.returncode}" if done.returncode else "printed nothing"
        raise secret.fail(f"the command {what}", "It must print the secret alone on standard output")
    return value


def _keyring(secret: Secret) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        value = keyring.get_password(secret.target, secret.where)
    except KeyringError as error:
        raise secret.fail(f"the system keyring did not answer ({type(error).__name__})", _NO_KEYRING) from None
    if not value:
        raise secret.fail(
            f"the keyring has no entry {secret.where!r} of service {secret.target!r}",
            f"Store it: keyring set {secret.target} {secret.where}",
        )
    return value


_NO_KEYRING: Final = "Use a file of mode 0600, a command or an environment variable where there is no keyring"
_READERS: Final = {"plain": _plain, "env": _env, "file": _file, "command": _command, "keyring": _keyring}

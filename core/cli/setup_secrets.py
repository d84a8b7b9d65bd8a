"""Where a secret is kept, by the operator's choice. Nothing is stored before the settings are written."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.cli.setup_ask import ask, ask_hidden, choose, tell
from core.errors import UsageError
from core.private import private_folder, write_private
from core.secret import Secret

if TYPE_CHECKING:
    from core.paths import Paths

PLACES: Final = ("keyring", "file", "command", "env", "plain")
EXPLAINED: Final = """\
  A secret can be kept in one of these places:
    keyring  this system's own
    file     beside the settings, readable by you alone
    command  what a command prints, a password manager's say
    env      an environment variable
    plain    in the settings themselves; doctor warns"""

Reference = dict[str, str] | str


@dataclass(frozen=True, slots=True)
class Kept:
    """A secret and where it is to be kept. `value` is known for what is stored by us, `target` else."""

    where: str
    place: str
    target: str = ""
    value: str = field(default="", repr=False)

    def for_now(self) -> Reference:
        """As the settings say it while nothing is stored yet: enough to log in with."""
        return {self.place: self.target} if self.target else self.value

    def untold(self) -> bool:
        """Whether it stands in a variable that this shell does not have, so that nothing can be tried."""
        return self.place == "env" and not os.environ.get(self.target)


def ask_secret(where: str, what: str, paths: Paths) -> Kept:
    """Asks where it is kept, and for the secret where storing it is ours to do. What does not answer is asked again."""
    while True:
        place = choose(f"  {what} kept in", PLACES, usual_place())
        kept = _ask_for(place, where, what)
        if kept.untold():
            tell(f"  {kept.target} is not set in this shell, so the login cannot be tried here.")
            return kept
        try:
            if kept.target:
                Secret(where, place, kept.target, paths.config.parent).reveal()
        except UsageError as error:
            tell(f"  {error}")
        else:
            return kept


def _ask_for(place: str, where: str, what: str) -> Kept:
    if place == "command":
        return Kept(where, place, ask("  command that prints it (run without a shell)"))
    if place == "env":
        return Kept(where, place, ask("  name of the environment variable"))
    return Kept(where, place, value=ask_hidden(f"  {what}"))


def usual_place() -> str:
    """The keyring where this machine has one, else a file."""
    import keyring
    from keyring.backends.fail import Keyring

    return "file" if isinstance(keyring.get_keyring(), Keyring) else "keyring"


def store(kept: Kept, paths: Paths) -> Reference:
    """Stores the secret; the reference for the settings. Raises UsageError where the place cannot be used."""
    if kept.place == "keyring":
        return {"keyring": _into_keyring(kept, paths.profile)}
    if kept.place == "file":
        return {"file": _into_file(kept, paths)}
    return kept.for_now()


def _into_keyring(kept: Kept, profile: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    service = "ajerasync" if profile == "default" else f"ajerasync-{profile}"
    try:
        keyring.set_password(service, kept.where, kept.value)
    except KeyringError as error:
        raise UsageError(
            f"The system keyring cannot be used here ({type(error).__name__}): choose file, command or env"
        ) from None
    return service


def _into_file(kept: Kept, paths: Paths) -> str:
    """One file a secret; two settings files in one folder never share one."""
    stem = Path(paths.config.name).stem
    path = paths.config.parent / f"{'' if stem == 'config' else f'{stem}.'}{kept.where}.secret"
    try:
        if not path.parent.exists():
            private_folder(path.parent)
        write_private(path, kept.value + "\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}. Choose another place") from None
    return path.name

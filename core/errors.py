"""Every exception this program raises on purpose.

    AjerasyncError
    ├── UsageError                 wrong usage, or an act that is refused            exit 2
    │   └── SettingsError          all mistakes of a settings file at once           exit 2
    ├── SystemFailure              one of the two systems; carries its side
    │   ├── Unreachable            no answer: network, time-out, 5xx on a read       exit 3
    │   ├── LoginRefused           wrong credentials or no right to log in           exit 3
    │   ├── AccessRefused          logged in, but not allowed to do this
    │   ├── RateLimited            asked to slow down; carries the wait
    │   ├── BadReply               the answer is not what the contract says
    │   ├── ListNotTrusted         a list or filter that cannot be believed
    │   ├── RecordMissing          no record of that key
    │   ├── RecordRefused          a rule of the system refused this record
    │   │   ├── Stale              the record changed since it was read
    │   │   ├── NothingToChange    the system refuses an update without a difference
    │   │   └── AlreadyThere       a record of that key, number or name exists
    │   └── OutcomeUnknown         a write whose answer was lost: it may have landed
    ├── ActionRefused              the engine's own rules refuse an action when applied
    ├── GuardTripped               a plan refused before the first write              exit 4
    ├── RunInProgress              another program holds the run lock                 exit 5
    └── StoreFailure
        ├── StoreDamaged           kept aside; can be rebuilt
        ├── StoreTooNew            written by a later version
        └── StoreUnwritable        read-only folder, disk full

Messages are sentences for an operator: what happened, where, and the way out. They never hold
a secret, a token or a request body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class AjerasyncError(Exception):
    """Base of all; `exit_code` is what the command line ends with (interface.md, section 2)."""

    exit_code = 1


class UsageError(AjerasyncError):
    """Wrong usage, an unknown key, or an act that is refused (a sixth contact)."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a settings file: where, what was found, and what would be right."""

    where: str
    found: str
    hint: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}. {self.hint}".rstrip()


class SettingsError(UsageError):
    """All mistakes found in the settings, each a `Problem`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SystemFailure(AjerasyncError):
    """Something one of the two systems did. `side` is "ajera" or "crm"."""

    exit_code = 1

    def __init__(self, side: str, message: str) -> None:
        self.side = side
        super().__init__(message)


class Unreachable(SystemFailure):
    exit_code = 3


class LoginRefused(SystemFailure):
    exit_code = 3


class AccessRefused(SystemFailure):
    pass


class RateLimited(SystemFailure):
    """`wait` is the number of seconds the system asked for, or None when it did not say."""

    def __init__(self, side: str, message: str, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(side, message)


class BadReply(SystemFailure):
    pass


class ListNotTrusted(SystemFailure):
    pass


class RecordMissing(SystemFailure):
    pass


class RecordRefused(SystemFailure):
    """`problems` are the system's own sentences; `columns` those of its columns they name."""

    def __init__(self, side: str, message: str, problems: Sequence[str] = (), columns: Sequence[str] = ()) -> None:
        self.problems = tuple(problems) or (message,)
        self.columns = tuple(columns)
        super().__init__(side, message)


class Stale(RecordRefused):
    pass


class NothingToChange(RecordRefused):
    pass


class AlreadyThere(RecordRefused):
    pass


class OutcomeUnknown(SystemFailure):
    pass


class ActionRefused(AjerasyncError):
    """The engine refuses to carry out an action (direction, changed record, missing link)."""


class GuardTripped(AjerasyncError):
    """A plan that a guard refused; nothing was written."""

    exit_code = 4


class RunInProgress(AjerasyncError):
    exit_code = 5


class StoreFailure(AjerasyncError):
    exit_code = 2


class StoreDamaged(StoreFailure):
    pass


class StoreTooNew(StoreFailure):
    pass


class StoreUnwritable(StoreFailure):
    pass

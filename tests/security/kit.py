"""Secrets as canaries in a sandbox and in the settings, and everything the program leaves behind to look for them in."""

from __future__ import annotations

import itertools
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.traceback import Traceback

from core.sandbox.serve import Sandbox, SandboxOptions, SandboxThread
from tests.unit.cli_kit import Said, call

CANARY = "CaNaRy"
PAY = "913377.21"
SENSITIVE = (CANARY, PAY, PAY.split(".", maxsplit=1)[0], "icr-secret-4711")
SMALL = {"firms": 12, "contacts": 24, "projects": 10, "employees": 5}


def found(text: str | bytes) -> list[str]:
    """The sensitive texts that are in there."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return [each for each in SENSITIVE if each.encode() in data]


class Lines(logging.Handler):
    """Every line of every logger, from DEBUG up."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += self.format(record) + "\n"


@contextmanager
def everything_logged() -> Iterator[Lines]:
    """All loggers there are turned up, those that were quietened too."""
    lines, root = Lines(), logging.getLogger()
    names = [name for name in root.manager.loggerDict if not name.startswith(("core.sandbox", "uvicorn", "asyncio"))]
    before = {name: logging.getLogger(name).level for name in ("", *names)}
    root.addHandler(lines)
    for name in before:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(lines)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def with_locals(error: BaseException) -> str:
    """The error as the worst of handlers would print it: the whole chain with the locals of every frame."""
    plain = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    rich = Traceback.extract(
        type(error), error, error.__traceback__, show_locals=True, locals_max_string=100_000, locals_max_length=1000
    )
    values = [str(node) for stack in rich.stacks for frame in stack.frames for node in (frame.locals or {}).values()]
    return "\n".join([plain, *values, repr(error), repr(error.__context__), repr(error.__cause__)])


class Odd:
    """While it is set, what both systems answer instead."""

    def __init__(self) -> None:
        self.answer: Any = None

    async def before(self, *given: object) -> Any:
        """Ajera's seam is given three things, the CRM's four."""
        return self.answer("ajera" if len(given) == 3 else "crm") if self.answer is not None else None

    async def after(self, *_given: object) -> Any:
        return None


@dataclass
class Guarded:
    """A sandbox full of canaries, settings that refer to them, and what was caught."""

    sandbox: Sandbox
    folder: Path
    config: Path
    odd: Odd
    errors: list[BaseException] = field(default_factory=list)

    @property
    def state_home(self) -> Path:
        return self.folder / "xdg" / "state"

    def call(self, *words: str, own_words: bool = False) -> Said:
        """The command, and nothing sensitive in what it says, in the log lines, in the error that ended it
        (unless its `own_words` are the test's)."""
        self.errors.clear()
        with everything_logged() as lines:
            said = call("--config", str(self.config), *words)
        assert not found(said.out), (words, "stdout", said.out)
        assert not found(said.err), (words, "stderr", said.err)
        assert not found(lines.text), (words, "log lines", [x for x in lines.text.splitlines() if found(x)])
        for error in self.errors if not own_words else ():
            shown = [line for line in with_locals(error).splitlines() if found(line)]
            assert not shown, (words, "locals of a traceback", shown[:5])
        self.nothing_left()
        return said

    def nothing_left(self) -> None:
        """No canary in any file of the state folder."""
        for path in self.state_home.rglob("*"):
            if path.is_file():
                assert not found(path.read_bytes()), path


@contextmanager
def guarded(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    """Canaries as password, client secret, tokens, webhook, social security number and pay."""
    number = itertools.count()
    patch.setattr("core.sandbox.ajera.sessions.uuid", SimpleNamespace(uuid4=lambda: f"{CANARY}-session-{next(number)}"))
    patch.setattr(
        "core.sandbox.crm.tokens.secrets",
        SimpleNamespace(token_urlsafe=lambda size: f"{CANARY}-token-{size}-{next(number)}"),
    )
    for name in ("state", "config"):
        patch.setenv(f"XDG_{name.upper()}_HOME", str(folder / "xdg" / name))
    thread, odd = SandboxThread(SandboxOptions(rate=0, **SMALL)), Odd()
    thread.sandbox._faults = (odd, odd)
    with thread as sandbox:
        fill(sandbox)
        config = folder / "config.toml"
        config.write_text(settings_text(sandbox, folder), encoding="utf-8")
        config.chmod(0o600)
        yield Guarded(sandbox, folder, config, odd)


def fill(sandbox: Sandbox) -> None:
    sandbox.ajera.password = f"{CANARY}-ajera-password"
    sandbox.crm.password = f"{CANARY}-crm-password"
    sandbox.crm.client_secret = f"{CANARY}-client-secret"
    for key in list(sandbox.ajera.tables["employees"]):
        changes = {"SocialSecurityNumber": f"{CANARY}-ssn", "BirthDate": "1913-07-07"}
        pay = {"PayRateKey": 1, "StartDate": "2020-01-01", "IsHourly": True, "PayRate": float(PAY)}
        sandbox.ajera.edit("employees", key, changes | {"PayRates": [pay]})
    for key in list(sandbox.crm.tables["employee"]):
        sandbox.crm.edit("employee", key, {"SSN": f"{CANARY}-ssn"})


def settings_text(sandbox: Sandbox, folder: Path) -> str:
    """The settings, each secret in a file of its own beside them."""
    text = sandbox.config_toml().replace("rate = 50.0", "rate = 1000.0")
    secrets = (sandbox.ajera.password, sandbox.crm.password, sandbox.crm.client_secret)
    for place, secret in enumerate((*secrets, f"http://127.0.0.1:9/{CANARY}-hook")):
        path = folder / f"{place}.secret"
        path.write_text(secret, encoding="utf-8")
        path.chmod(0o600)
        text = text.replace(f'"{secret}"', f'{{ file = "{path}" }}')
    return f'{text}\n[notify]\nwebhook = {{ file = "{folder / "3.secret"}" }}\n'

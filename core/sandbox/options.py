"""What a sandbox is started with, checked all at once."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from core.quirks.ajera import AjeraQuirks, QuirkError
from core.quirks.crm import CrmQuirks

PROFILES = ("dps1", "vantagepoint")
DEFAULT_VERSION, DEFAULT_PROFILE = "9.10.00", "dps1"
MOST_RECORDS = 100_000


class SandboxError(ValueError):
    """A sandbox that cannot be started as asked; ``problems`` holds one sentence for each reason."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True)
class SandboxOptions:
    """The flags of ``ajerasync sandbox`` (interface 2).

    ``rate`` is Ajera's limit in requests a second (0: none), ``delay_ms`` is added to each reply, ``life`` is edits a minute.
    ``ajera_version`` and ``crm_profile`` left at None mean what the data folder says, else 9.10.00 and dps1; given,
    they overrule the folder. ``quirks`` are ``NAME=VALUE``, or ``ajera.NAME=VALUE`` where both systems know the name.
    """

    host: str = "127.0.0.1"
    ajera_port: int = 0
    crm_port: int = 0
    seed: int = 1
    firms: int = 60
    contacts: int = 140
    projects: int = 90
    employees: int = 24
    ajera_version: str | None = None
    crm_profile: str | None = None
    rate: float = 9.0
    delay_ms: int = 0
    life: float = 0.0
    quirks: tuple[str, ...] = ()
    data: Path | None = None
    config_out: Path | None = None
    allow_remote: bool = False
    save_seconds: float = field(default=60.0, repr=False)

    def check(self) -> tuple[AjeraQuirks, CrmQuirks]:
        """The quirks of both systems. SandboxError with everything that is wrong."""
        problems = [*self._check_host(), *self._check_numbers(), *self._check_names()]
        ours, theirs, unknown = split_quirks(self.quirks)
        problems += unknown
        ajera, crm = AjeraQuirks(), CrmQuirks()
        try:
            ajera = AjeraQuirks.from_pairs(ours)
        except QuirkError as error:
            problems += error.problems
        try:
            crm = CrmQuirks.from_pairs(theirs)
        except QuirkError as error:
            problems += error.problems
        if problems:
            raise SandboxError(problems)
        return ajera, crm

    def _check_host(self) -> list[str]:
        if self.allow_remote or is_loopback(self.host):
            return []
        return [f"host {self.host!r} is not a loopback address: the sandbox would be open to the network"]

    def _check_numbers(self) -> list[str]:
        counts = {name: getattr(self, name) for name in ("firms", "contacts", "projects", "employees")}
        problems = [f"{name}: {count} is below 0" for name, count in counts.items() if count < 0]
        if sum(counts.values()) > MOST_RECORDS:
            problems.append(f"{sum(counts.values())} records are more than the {MOST_RECORDS} a sandbox holds")
        ports = {"ajera port": self.ajera_port, "crm port": self.crm_port}
        problems += [f"{name}: {port} is not a port" for name, port in ports.items() if not 0 <= port <= 65535]
        if self.ajera_port and self.ajera_port == self.crm_port:
            problems.append(f"both systems are to listen on port {self.ajera_port}")
        if self.rate < 0:
            problems.append(f"rate: {self.rate} is below 0")
        if self.delay_ms < 0:
            problems.append(f"delay: {self.delay_ms} is below 0")
        if self.life < 0:
            problems.append(f"life: {self.life} is below 0")
        return problems

    def _check_names(self) -> list[str]:
        problems = []
        if self.ajera_version is not None and not _is_version(self.ajera_version):
            problems.append(f"ajera version {self.ajera_version!r} is not numbers with points, such as 9.10.00")
        if self.crm_profile is not None and self.crm_profile not in PROFILES:
            problems.append(f"crm profile {self.crm_profile!r} is not one of {', '.join(PROFILES)}")
        return problems


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_version(text: str) -> bool:
    return all(part.isascii() and part.isdigit() for part in text.split("."))


def split_quirks(given: Iterable[str]) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Pairs for Ajera, pairs for the CRM, and a sentence for each text that is neither.

    A name that both know goes to both.
    """
    known = {"ajera": {f.name for f in fields(AjeraQuirks)}, "crm": {f.name for f in fields(CrmQuirks)}}
    pairs: dict[str, dict[str, str]] = {"ajera": {}, "crm": {}}
    problems: list[str] = []
    for text in given:
        name, equals, value = text.partition("=")
        side, _, short = name.strip().rpartition(".")
        sides = [s for s in known if short in known[s] and side in {"", s}]
        if not equals:
            problems.append(f"quirk {text!r} is not NAME=VALUE")
        elif not sides:
            problems.append(_unknown(name.strip(), known))
        for each in sides if equals else ():
            pairs[each][short] = value.strip()
    return pairs["ajera"], pairs["crm"], problems


def _unknown(name: str, known: Mapping[str, set[str]]) -> str:
    names = sorted(known["ajera"] | known["crm"])
    near = difflib.get_close_matches(name.rpartition(".")[2], names, n=1, cutoff=0.4)
    return f"unknown quirk {name!r}" + (f"; the nearest known name is {near[0]}" if near else "")

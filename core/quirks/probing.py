"""What a switch is at one tenant, found by asking it: the shape of probes and of what they find.

A probe answers `(value, how)`, or raises `Undetermined` with the reason. Probes that write are kept apart: they
run only where the caller says that this is a test database.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Generic, Protocol, TypeVar

from core.errors import RecordRefused, SystemFailure
from core.text import safe_line

Value = str | int | bool
Answer = tuple[Value, str]
NEEDS_WRITING: Final = "not determinable read-only: found by --write in a test database"
SHOWN: Final = 200


class Undetermined(Exception):
    """This tenant does not show it; the text says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One switch: its value (None: could not be told) and how it was seen, or why it was not."""

    switch: str
    value: Value | None
    how: str


class Ground(Protocol):
    """Where probes stand: what was found so far, by switch."""

    found: dict[str, Value]


G = TypeVar("G", bound=Ground)
Run = Callable[[G], Awaitable[Answer]]


@dataclass(frozen=True)
class Probe(Generic[G]):
    """How one switch is found. `needs` are switches that must be known before."""

    switch: str
    run: Run[G]
    writes: bool
    needs: tuple[str, ...]


@dataclass
class Probes(Generic[G]):
    """All probes of one side, in the order they run. `silent` are switches no probe can find, each with the reason."""

    quirks: type[Any]
    silent: Mapping[str, str]
    known: dict[str, Probe[G]] = field(default_factory=dict)

    def reads(self, switch: str, *needs: str) -> Callable[[Run[G]], Run[G]]:
        """Registers a probe that only reads."""
        return self._registers(switch, needs, writes=False)

    def writes(self, switch: str, *needs: str) -> Callable[[Run[G]], Run[G]]:
        """Registers a probe that makes or changes records of its own."""
        return self._registers(switch, needs, writes=True)

    def _registers(self, switch: str, needs: tuple[str, ...], *, writes: bool) -> Callable[[Run[G]], Run[G]]:
        def register(run: Run[G]) -> Run[G]:
            self.known[switch] = Probe(switch, run, writes, needs)
            return run

        return register

    async def find(self, ground: G, *, writing: bool, only: Collection[str] | None = None) -> list[Finding]:
        """What every switch is, in the order of the quirks class; `only` narrows it to some and what they need."""
        wanted = self._with_needs(only) if only is not None else set(self.known)
        found = {}
        for probe in sorted(self.known.values(), key=lambda each: each.writes):  # what reads comes first
            if probe.switch in wanted:
                found[probe.switch] = await _found(probe, ground, writing)
        names = [each.name for each in fields(self.quirks)]
        return [found.get(name) or Finding(name, None, self.silent[name]) for name in self._shown(names, only)]

    def _shown(self, names: Iterable[str], only: Collection[str] | None) -> list[str]:
        return [name for name in names if only is None or name in only]

    def _with_needs(self, names: Collection[str]) -> set[str]:
        wanted: set[str] = set()
        waiting = [name for name in names if name in self.known]
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting += self.known[name].needs
        return wanted


async def _found(probe: Probe[G], ground: G, writing: bool) -> Finding:
    if probe.writes and not writing:
        return Finding(probe.switch, None, NEEDS_WRITING)
    try:
        value, how = await probe.run(ground)
    except Undetermined as reason:
        return Finding(probe.switch, None, safe_line(reason, SHOWN))
    except SystemFailure as error:
        words = error.problems[0] if isinstance(error, RecordRefused) else str(error)
        return Finding(probe.switch, None, safe_line(f"the probe did not get through: {words}", SHOWN))
    except (LookupError, TypeError, ValueError) as error:  # a reply of another shape; its values are not shown
        return Finding(probe.switch, None, f"an answer that the probe does not understand ({type(error).__name__})")
    ground.found[probe.switch] = value
    return Finding(probe.switch, value, safe_line(how, SHOWN))


@dataclass(frozen=True)
class ProbeReport:
    """What one side's probes found, and records they made that could not be taken away again."""

    findings: tuple[Finding, ...]
    left: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, Value]:
        """The switches that were found."""
        return {each.switch: each.value for each in self.findings if each.value is not None}

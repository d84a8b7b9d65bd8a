"""Events: past-tense facts the engine tells whoever listens (interface.md 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. `event` is run_started, pulled, planned, action_done, action_failed, run_finished,
    progress, mark_changed, schedule_changed, store_changed, or log. `ts` is UTC, ISO 8601 with Z.
    `level` is debug, info, warning or error; `text` one harmless line for people."""

    ts: str
    event: str
    level: str = "info"
    text: str = ""
    run: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "ts": self.ts,
            "run": self.run,
            "event": self.event,
            "level": self.level,
            "text": self.text,
            **self.data,
        }


Listener = Callable[[Event], None]


class Bus:
    """Hands each event to every listener, in order. A listener's failure is its own: it never
    stops a run."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Returns the function that ends the subscription."""
        self._listeners.append(listener)

        def end() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return end

    def publish(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            with suppress(Exception):
                listener(event)

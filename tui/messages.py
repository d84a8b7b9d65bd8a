"""What the app tells its screens: facts from the engine in batches, and the outcome of work it was asked to do."""

from __future__ import annotations

from collections.abc import Iterable

from textual.message import Message

from core.engine.events import Event
from core.model.plan import Plan
from core.ports import RunRecord

__all__ = ["EngineTold", "PlanMade", "RunEnded"]

#: After these the hubs, the queues and the status may look different.
CHANGING = frozenset(
    {"pulled", "planned", "action_done", "action_failed", "run_finished", "store_changed", "schedule_changed"}
)


class EngineTold(Message):
    """What happened since the last batch, at most four times a second. Posted to the place on the screen."""

    def __init__(self, events: Iterable[Event]) -> None:
        super().__init__()
        self.events = tuple(events)

    @property
    def changed(self) -> bool:
        """Whether rows, queues or runs may be others now."""
        return any(event.event in CHANGING for event in self.events)


class PlanMade(Message):
    """A plan was made at the operator's wish; it is the service's last plan now."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan


class RunEnded(Message):
    """A run that was started here has ended; its outcome is in the record."""

    def __init__(self, record: RunRecord) -> None:
        super().__init__()
        self.record = record

"""People at work in both systems: edits as an office makes them, one after the other, the same for the same seed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from random import Random
from typing import Any

from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from core.sandbox.life_ajera import AJERA_ACTS
from core.sandbox.life_crm import CRM_ACTS
from core.sandbox.life_desk import Act, Desk, Edit

__all__ = ["Edit", "Life"]

#: Edits that are tried before a step gives up, because the systems hold nothing to edit.
TRIES = 60


class Life:
    """Edits of both systems; ``per_minute`` is the pace of ``run``."""

    def __init__(
        self,
        ajera: AjeraData,
        crm: CrmData,
        per_minute: float,
        seed: int = 1,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.per_minute = per_minute
        self.steps = 0
        self._rng = Random(f"{seed}:life")
        self._desk = Desk(ajera, crm, self._rng, clock or ajera.clock)
        self._acts: list[tuple[Act, int]] = [*AJERA_ACTS, *CRM_ACTS]

    def step(self) -> Edit | None:
        """Make one edit: ``{"side", "table", "key", "what", "changes"}``; None if there is nothing to edit."""
        acts, weights = [act for act, _ in self._acts], [weight for _, weight in self._acts]
        for _ in range(TRIES):
            act = self._rng.choices(acts, weights)[0]
            edit = act(self._desk)
            if edit is not None:
                self.steps += 1
                return edit
        return None

    async def run(
        self,
        seen: Callable[[Edit], None] | None = None,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        """Edit at the pace until cancelled; ``seen`` is told of each edit. At no pace it returns at once."""
        while self.per_minute > 0:
            # Up to a fifth early or late: people are no metronomes.
            await sleep(60 / self.per_minute * (0.8 + 0.4 * self._rng.random()))
            edit = self.step()
            if edit is not None and seen is not None:
                seen(edit)

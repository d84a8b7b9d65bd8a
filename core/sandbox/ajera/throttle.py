"""The rate budget: so many calls a second, the one above waits for its slot or is refused (contract 5)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic


class Throttle:
    """At most `rate` calls in any second; `rate` 0 is no limit. `sleep` and `now` can be replaced in tests."""

    def __init__(self, rate: float, now: Callable[[], float] = monotonic) -> None:
        self.burst = max(1, int(rate))
        self.window = self.burst / rate if rate else 0.0
        self.now = now
        self.granted: deque[float] = deque(maxlen=self.burst)

    def wait_needed(self) -> float:
        """Seconds until the next slot is free; 0 when one is free now."""
        if not self.window or len(self.granted) < self.burst:
            return 0.0
        return max(0.0, self.granted[0] + self.window - self.now())

    def take(self) -> float:
        """Take the next slot; answers how long to wait for it."""
        wait = self.wait_needed()
        if self.window:
            self.granted.append(self.now() + wait)
        return wait

    async def enter(self) -> None:
        await asyncio.sleep(self.take())

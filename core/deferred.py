"""A system that is built when it is first asked: commands that read the store alone need no secret and no network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.model.values import Side


class Deferred:
    """Stands for a core.ports.System of `side`; `build` makes the real one, once."""

    def __init__(self, side: Side, build: Callable[[], Any]) -> None:
        self.side = side
        self._build = build
        self._real: Any = None

    @property
    def requests(self) -> int:
        return int(self._real.requests) if self._real is not None else 0

    async def close(self) -> None:
        if self._real is not None:
            await self._real.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if self._real is None:
            self._real = self._build()
        return getattr(self._real, name)

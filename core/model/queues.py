"""The queues of what waits for a person. Light to import."""

from __future__ import annotations

from typing import Final

QUEUES: Final = {
    "conflicts": "conflict",
    "candidates": "candidate",
    "differences": "difference",
    "drift": "drift",
    "refused": "refused",
}
"""Name as it is told (interface.md 3) → name of its items in the store. Errors wait too, as failures."""

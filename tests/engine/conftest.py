"""Worlds for the stories; each is closed at the end of its test."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.engine.kit import World

Make = Callable[..., World]


def quick_folder() -> str | None:
    """Memory, where there is such a folder: the store asks the disk to keep each commit."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


@pytest_asyncio.fixture
async def make() -> AsyncIterator[Make]:
    made: list[World] = []
    with tempfile.TemporaryDirectory(dir=quick_folder()) as root:

        def new(**options: Any) -> World:
            world = World(Path(root) / f"state{len(made)}", **options)
            made.append(world)
            return world

        yield new
        for world in made:
            await world.close()


@pytest_asyncio.fixture
async def world(make: Make) -> World:
    return make()

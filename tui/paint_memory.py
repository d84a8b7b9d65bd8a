"""What Textual keeps of widgets that are long gone, let go.

Textual 8.2 remembers the inner and outer style of the last 1,024 (cache, colours) pairs by `lru_cache` on a method, and so
keeps alive the style cache of every dialog that was ever open, with every line it painted: 13 kB a key press in a program
that stays open for weeks (measured: `make soak-screen`). What is dropped is worked out again at the next painting.
"""

from __future__ import annotations

from typing import Final

from textual._styles_cache import StylesCache

RELEASE_SECONDS: Final = 60.0


def release() -> None:
    """Forget the style caches that only this memory holds. A Textual without it has nothing to forget."""
    if clear := getattr(StylesCache.get_inner_outer, "cache_clear", None):
        clear()

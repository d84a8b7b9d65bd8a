"""Immutable mappings that are cheap to change: what a reader holds never moves under it.

A table in memory is a `Snapshot`. A change makes a new one that shares the big dictionary and
carries the few differences, so that neither a change nor handing it to a thread costs anything that
grows with the table (the shared part is rebuilt once in some hundred changes).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from contextlib import contextmanager
from typing import Any, Final, Generic, TypeVar, cast

K = TypeVar("K")
T = TypeVar("T")


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the garbage collector's passes, which cost more than making 50,000 values and find nothing."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


class _Gone:
    """A key of the shared part that is not there any more."""


GONE: Final = _Gone()
MIN_OVER: Final = 256


class Snapshot(Mapping[K, T], Generic[K, T]):
    """Read-only. Values are kept as the bytes of the file until they are asked for; `decode` makes
    the value from key and bytes (None: values are ready). Safe to read from any thread."""

    __slots__ = ("_base", "_decode", "_limit", "_over", "_size", "_whole")

    def __init__(
        self,
        base: dict[K, Any] | None = None,
        decode: Callable[[K, bytes], T] | None = None,
        over: dict[K, Any] | None = None,
        size: int | None = None,
    ) -> None:
        self._base: dict[K, Any] = {} if base is None else base
        self._decode = decode
        self._whole = decode is None  # no bytes left in the shared part
        self._over: dict[K, Any] = over or {}
        self._size = len(self._base) if size is None else size
        self._whole = decode is None
        self._limit = max(MIN_OVER, int(4 * len(self._base) ** 0.5))

    def __getitem__(self, key: K) -> T:
        part = self._over if key in self._over else self._base
        value = part[key]
        if value is GONE:
            raise KeyError(key)
        if self._decode is not None and type(value) is bytes:
            # Replacing the value of a key that is there is safe beside other readers: no size changes.
            value = part[key] = self._decode(key, value)
        return cast(T, value)

    def get(self, key: K, default: Any = None) -> Any:
        """As a dict's; the mixin's own raises and catches an exception for each key that is not there."""
        over = self._over
        part = over if over and key in over else self._base
        value = part.get(key, GONE)
        if value is GONE:
            return default
        if type(value) is bytes and self._decode is not None:
            value = part[key] = self._decode(key, value)
        return value

    def moved_since(self, older: Mapping[K, Any]) -> set[K] | None:
        """Keys whose value may not be that of `older`; None where the two share too little to tell. Costs what was
        changed between them, not what they hold."""
        if not isinstance(older, Snapshot) or older._base is not self._base:  # noqa: SLF001 # its own class
            return None
        ours, theirs = self._over, older._over  # noqa: SLF001
        return {key for key in ours.keys() | theirs.keys() if ours.get(key, theirs) is not theirs.get(key, theirs)}

    def __contains__(self, key: object) -> bool:
        if key in self._over:
            return self._over[key] is not GONE
        return key in self._base

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[K]:
        if not self._over:
            yield from self._base
            return
        for key in self._base:
            if self._over.get(key) is not GONE:
                yield key
        for key, value in self._over.items():
            if value is not GONE and key not in self._base:
                yield key

    def keys(self) -> KeysView[K]:
        return super().keys() if self._over else self._base.keys()

    def items(self) -> ItemsView[K, T]:
        return super().items() if self._over else self._decoded().items()

    def values(self) -> ValuesView[T]:
        return super().values() if self._over else self._decoded().values()

    def _decoded(self) -> dict[K, Any]:
        """The shared part with nothing left as bytes, so that going over it is as quick as over a dict."""
        decode = self._decode
        if decode is not None and not self._whole:
            with uncollected():
                for key, value in self._base.items():
                    if type(value) is bytes:
                        self._base[key] = decode(key, value)
            self._whole = True
        return self._base

    def __repr__(self) -> str:
        return f"<Snapshot of {self._size}>"

    def changed(self, changes: Mapping[K, Any]) -> Snapshot[K, T]:
        """A new snapshot with these values (or bytes); GONE takes a key away."""
        size = self._size
        for key, value in changes.items():
            size += (value is not GONE) - (key in self)
        if not changes:
            return self
        over = {**self._over, **changes}
        if len(over) <= self._limit:
            return Snapshot(self._base, self._decode, over, size)
        base = {**self._base, **over}
        for key, value in over.items():
            if value is GONE:
                del base[key]
        return Snapshot(base, self._decode)

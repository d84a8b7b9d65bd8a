"""Field values and pairs as JSON holds them (`core.model.values.to_json`), each made when it is asked for.

Of a record that is read once and let go, a few of its twenty fields are. Equal JSON is equal values, so that nearly
all of a plan over everything is told without making any (core/reconcile/instep.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from core.model.link import Pair
from core.model.values import Value, from_json, to_json

T = TypeVar("T")


class _Stored(Mapping[str, T]):
    """What is common to both: by name, as JSON."""

    __slots__ = ("stored",)

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.stored = stored

    def __contains__(self, name: object) -> bool:
        return name in self.stored

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)

    def __repr__(self) -> str:
        return repr(dict(self))


class StoredValues(_Stored[Value]):
    """Field name → value; `stored` is the JSON."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Value:
        value = self.stored[name]
        return value if type(value) is str else from_json(value)

    def get(self, name: str, default: Any = None) -> Any:
        value = self.stored.get(name, default)
        return value if value is default or type(value) is str else from_json(value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return self.stored == _stored_form(other) or dict(self) == dict(other)  # 1.10 and 1.1 are one amount

    __hash__ = None  # type: ignore[assignment] # as any mapping's


def _stored_form(values: Mapping[str, Value]) -> Mapping[str, Any]:
    if isinstance(values, StoredValues):
        return values.stored
    return {name: value if type(value) is str else to_json(value) for name, value in values.items()}


class StoredPairs(_Stored[Pair]):
    """A base. `stored` maps each field name to [ajera, crm] or [ajera, crm, note]."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Pair:
        pair = self.stored[name]
        return Pair(from_json(pair[0]), from_json(pair[1]), *pair[2:])

"""Whether a linked pair stands exactly as it was agreed on, told without going field by field.

Nearly all pairs of nearly all plans do: this is what planning everything costs. All values of a side are fetched and
compared at once; whatever is not the very same is then looked at field by field (fields.py), so this decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

from core.model.link import Base
from core.model.stored import StoredPairs, StoredValues
from core.model.values import Value
from core.policy import FieldSpec

Shape = tuple[Callable[[Mapping[str, Any]], tuple[Any, ...]], tuple[str, ...], tuple[str, ...]]


class InStep:
    """Asked for the pairs of one kind, one after the other; most have the same fields agreed on."""

    def __init__(self, specs: Iterable[FieldSpec]) -> None:
        self._names = tuple(spec.name for spec in specs)
        self._shapes: dict[int, Shape | None] = {}

    def __call__(self, base: Base, ajera: Mapping[str, Value], crm: Mapping[str, Value]) -> bool:
        if type(base) is StoredPairs and type(ajera) is type(crm) is StoredValues:
            return self._stored_alike(base, ajera, crm)
        size = len(base)
        shape = self._shapes[size] if size in self._shapes else self._shape(base, ajera, crm)
        if shape is None:
            return False
        fetch, others, unnoted = shape
        try:
            # All three of one length: asking would cost as much as comparing.
            if fetch(base) != tuple(zip(fetch(ajera), fetch(crm), unnoted, strict=False)):
                return False
        except KeyError:  # other fields than the pairs before it
            return False
        return not others or all(name not in ajera or name not in crm for name in others)

    def _stored_alike(self, base: StoredPairs, ajera: StoredValues, crm: StoredValues) -> bool:
        """The same by what the store holds, without making a value: equal JSON is equal values, and a pair with a note
        has three parts there."""
        ours, theirs = ajera.stored, crm.stored
        for name in self._names:
            if name in ours and name in theirs and base.stored.get(name) != [ours[name], theirs[name]]:
                return False
        return True

    def _shape(self, base: Base, ajera: Mapping[str, Value], crm: Mapping[str, Value]) -> Shape | None:
        """How to fetch the fields that were agreed on, those that must not have been read by both sides, and no notes."""
        agreed = [name for name in self._names if name in base and name in ajera and name in crm]
        others = tuple(name for name in self._names if name not in agreed)
        # One name alone would be fetched bare.
        found = (itemgetter(*agreed), others, ("",) * len(agreed)) if len(agreed) > 1 else None
        self._shapes[len(base)] = found
        return found

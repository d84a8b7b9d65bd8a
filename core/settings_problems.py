"""pydantic's errors as sentences for the person who wrote the file: where, what was found, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from core.errors import Problem
from core.text import safe_line

_HIDDEN: Final = frozenset({"password", "client_secret", "url"})  # an Ajera address carries a key of its own


def problems_of(error: ValidationError, raw: Mapping[str, Any], model: type[BaseModel], file: str) -> list[Problem]:
    """One Problem for each mistake pydantic found."""
    seen: dict[str, Problem] = {}
    for item in error.errors(include_url=False, include_context=True, include_input=False):
        loc = _own_names(item["loc"], raw)
        key = dotted(loc)
        seen.setdefault(key, _problem(item["type"], item, loc, raw, model, f"{file}: {key}"))
    return list(seen.values())


def dotted(loc: Iterable[object]) -> str:
    return ".".join(str(part) for part in loc)


def found_text(value: object, name: str) -> str:
    """What stands in the file, unless it is or may hold a secret."""
    if name in _HIDDEN or isinstance(value, dict | list):
        return f"found {_type_name(value)} (not shown)" if name in _HIDDEN else f"found {_type_name(value)}"
    return f"found {safe_line(repr(value), 80)}"


def nearest(name: str, known: Iterable[str]) -> str:
    """`Nearest known key: x`, or the list of known keys where nothing is near."""
    choices = sorted(known)
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    return f"Nearest known key: {near[0]}" if near else f"Known keys: {', '.join(choices)}"


def _own_names(loc: Sequence[int | str], raw: Any) -> tuple[str, ...]:
    """The path without what pydantic adds for unions and dictionary keys."""
    names: list[str] = []
    here: Any = raw
    for place, part in enumerate(loc):
        known = isinstance(here, Mapping) and part in here
        if not known and names and place != len(loc) - 1 and not isinstance(here, Mapping):
            break
        if part == "[key]":
            break
        if known or isinstance(here, Mapping):
            names.append(str(part))
            here = here[part] if known else None
    return tuple(names)


def _problem(
    kind: str, item: Any, loc: tuple[str, ...], raw: Mapping[str, Any], model: type[BaseModel], where: str
) -> Problem:
    name = loc[-1] if loc else ""
    if kind == "missing":
        return Problem(where, "is missing", f"Required: {_description(model, loc)}")
    if kind == "extra_forbidden":
        return Problem(where, "is not a known key", _unknown_hint(name, model, loc))
    return Problem(where, found_text(_value(raw, loc), name), _allowed(kind, item))


def _allowed(kind: str, item: Any) -> str:
    if kind == "literal_error":
        return f"Allowed: {item['ctx']['expected']}"
    text = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    return f"It {text}" if text.startswith("must") else f"Allowed: {text}"


def _unknown_hint(name: str, model: type[BaseModel], loc: tuple[str, ...]) -> str:
    known = list(_model_at(model, loc[:-1]).model_fields)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"Nearest known key: {near[0]}"
    elsewhere = [place for place in _sections(model) if name in _model_at(model, (place,)).model_fields]
    if elsewhere:
        return f"It belongs under [{elsewhere[0]}]"
    return f"Known keys: {', '.join(known)}"


def _sections(model: type[BaseModel]) -> list[str]:
    return [name for name in model.model_fields if _submodel(model, name) is not None]


def _model_at(model: type[BaseModel], loc: Iterable[str]) -> type[BaseModel]:
    for name in loc:
        model = _submodel(model, name) or model
    return model


def _submodel(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The model a field holds, also as the value of a dictionary."""
    field = model.model_fields.get(name)
    annotation = field.annotation if field else None
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _description(model: type[BaseModel], loc: tuple[str, ...]) -> str:
    field = _model_at(model, loc[:-1]).model_fields.get(loc[-1])
    return (field.description if field else None) or "a value"


def _value(raw: Any, loc: Iterable[str]) -> object:
    for part in loc:
        if not isinstance(raw, Mapping) or part not in raw:
            return raw
        raw = raw[part]
    return raw


def _type_name(value: object) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number", dict: "a table", list: "a list"}
    return names.get(type(value), type(value).__name__)

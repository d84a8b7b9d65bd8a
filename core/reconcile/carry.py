"""A value taken from one side to the other: translated, or refused with the way out.

Statuses go by group, codes by description, references through links; nothing is ever cut to fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from core.model.values import Address, FieldType, Kind, Ref, Side, Value
from core.policy import STATUS_WORDS, FieldSpec
from core.reconcile.normalize import blank, canonical, plain_text
from core.reconcile.situation import Situation

AJERA_ADDRESS_LINES, CRM_ADDRESS_LINES = 3, 4
SIDE_NAMES = {Side.AJERA: "Ajera", Side.CRM: "the CRM"}


@dataclass(frozen=True, slots=True)
class CannotCarry:
    """Why a value cannot be written to the other side, and what to do about it."""

    reason: str


def agree(s: Situation, spec: FieldSpec, ajera: Value, crm: Value) -> bool:
    """Whether the two sides' values mean the same."""
    if spec.type is FieldType.REF:
        return _refs_agree(s, spec, ajera, crm)
    ours, theirs = (canonical(spec, side, _spelled(s, v)) for side, v in ((Side.AJERA, ajera), (Side.CRM, crm)))
    # A T is never turned into an I: Ajera's plain "Inactive" says less than the CRM's "Terminated".
    return ours == theirs or (spec.kind is Kind.EMPLOYEE and (ours, theirs) == ("inactive", "terminated"))


def _spelled(s: Situation, value: Value) -> Value:
    """An address with its state and country as the CRM's tables code them: "USA" is "United States"."""
    if not isinstance(value, Address):
        return value
    state, country = plain_text(value.state), plain_text(value.country)
    return replace(
        value,
        state=s.crm.states.get(state.casefold(), state),
        country=s.crm.countries.get(country.casefold(), country),
    )


def _refs_agree(s: Situation, spec: FieldSpec, ajera: Value, crm: Value) -> bool:
    if not isinstance(ajera, Ref) or not isinstance(crm, Ref) or not (ajera.key and crm.key):
        return blank(spec, Side.AJERA, ajera) and blank(spec, Side.CRM, crm)
    return s.links.partner(ajera.kind, Side.AJERA, ajera.key) == crm.key


def carry(
    s: Situation, spec: FieldSpec, value: Value, to: Side, coming: Mapping[tuple[Kind, Side, str], str]
) -> Value | CannotCarry:
    """`value` of the other side as `to` would hold it.

    `coming` names the records that this plan creates or links: a reference to one of them stays the
    source's own Ref and is resolved when the action is applied.
    """
    where = SIDE_NAMES[to]
    reason = s.connection(to).stopped.get((spec.kind, spec.name))
    if reason:
        return CannotCarry(reason)
    match spec.type:
        case FieldType.STATUS:
            return _carry_status(spec, value, to)
        case FieldType.REF:
            return _carry_ref(s, spec, value, to, coming)
        case FieldType.CODE:
            return _carry_code(s, spec, value, to)
        case FieldType.ADDRESS:
            return _carry_address(value, to)
    if isinstance(value, str):
        value = plain_text(value)
        limit = min(
            (each for each in (spec.limit(to), s.connection(to).limits.get((spec.kind, spec.name))) if each),
            default=None,
        )
        if limit is not None and len(value) > limit:
            return CannotCarry(
                f"{spec.label} has {len(value)} characters, {where} takes {limit}: shorten it where it was typed"
            )
    return value


def _carry_status(spec: FieldSpec, value: Value, to: Side) -> Value | CannotCarry:
    group = canonical(spec, to.other, value)
    word = STATUS_WORDS.get((spec.kind, to), {}).get(str(group))
    if word is None:
        return CannotCarry(f"status {value!r} is not set in {SIDE_NAMES[to]} by itself: set it there")
    return word


def _carry_ref(
    s: Situation, spec: FieldSpec, value: Value, to: Side, coming: Mapping[tuple[Kind, Side, str], str]
) -> Value | CannotCarry:
    if not isinstance(value, Ref) or not value.key:
        return None
    partner = s.links.partner(value.kind, value.side, value.key)
    if partner is None:
        if (value.kind, value.side, value.key) in coming:
            return value
        record = s.record(value.kind, value.side, value.key)
        named = record.label if record else value.key
        return CannotCarry(f"{spec.label} {named!r} is not linked to a record in {SIDE_NAMES[to]}")
    problem = _lacks_flag(s, spec, to, partner)
    return CannotCarry(problem) if problem else Ref(value.kind, to, partner)


def _lacks_flag(s: Situation, spec: FieldSpec, to: Side, key: str) -> str | None:
    """Ajera refuses a manager or principal whose employee lacks the flag (ajera-api 10.5)."""
    flag = {"manager": "is_project_manager", "principal": "is_principal"}.get(spec.name)
    if to is not Side.AJERA or flag is None:
        return None
    employee = s.record(Kind.EMPLOYEE, Side.AJERA, key)
    if employee is None or employee.extra.get(flag) == "Y":
        return None
    words = "a project manager" if spec.name == "manager" else "a principal"
    return f"{employee.label} is not marked as {words} in Ajera: set it on the employee there"


def _carry_code(s: Situation, spec: FieldSpec, value: Value, to: Side) -> Value | CannotCarry:
    text = plain_text(value) if isinstance(value, str) else ""
    known = s.connection(to).codes.get((spec.kind, spec.name))
    if not text or known is None:
        return text
    for each in known:
        if plain_text(each).casefold() == text.casefold():
            return each
    near = get_close_matches(text, known, n=3, cutoff=0.5)
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    return CannotCarry(
        f"{spec.label} {text!r} does not exist in {SIDE_NAMES[to]}{hint}: add it there or choose another"
    )


def _carry_address(value: Value, to: Side) -> Value | CannotCarry:
    if not isinstance(value, Address):
        return Address()
    lines = tuple(text for text in map(plain_text, value.lines) if text)
    most = AJERA_ADDRESS_LINES if to is Side.AJERA else CRM_ADDRESS_LINES
    if len(lines) > most:
        return CannotCarry(
            f"the address has {len(lines)} lines, {SIDE_NAMES[to]} takes {most}: shorten it where it was typed"
        )
    return Address(
        lines, plain_text(value.city), plain_text(value.state), plain_text(value.zip), plain_text(value.country)
    )

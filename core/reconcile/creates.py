"""What a new record is made of, and when it is refused instead (sync-rules 4 and 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from core.model.plan import Action, Change, Op, Refusal
from core.model.record import Record
from core.model.values import FieldType, Kind, Ref, Side, Value
from core.policy import ACCOUNTING_GROUPS, STATUS_GROUPS, FieldSpec
from core.reconcile.carry import CannotCarry, carry
from core.reconcile.normalize import blank, name_key, plain_text
from core.reconcile.situation import Situation, text_of
from core.reconcile.ticks import Ticks

RecordId = tuple[Kind, Side, str]
Coming = Mapping[RecordId, str]
# What CreateProjects or a CRM project takes at creation although it flows one way afterwards.
NAMED_BY = {"name", "last_name", "number"}  # without these a record is made that nobody finds again
DATES_ON_CREATE = {"start_date", "estimated_completion"}


@dataclass(frozen=True, slots=True)
class Creation:
    """The action that makes the record, or None with the refusals that explain why not."""

    action: Action | None
    refused: tuple[Refusal, ...] = ()


def creation_of(s: Situation, record: Record, ticks: Ticks, coming: Coming, reason: str) -> Creation:
    """The create on the other side of `record`."""
    to = record.side.other
    problem = _problem(s, record, ticks, coming)
    if problem:
        return Creation(None, (_refusal(record, problem),))
    changes: dict[str, Change] = {}
    source: dict[str, Value] = {}
    refused: list[Refusal] = []
    for spec in s.policy.active_fields(record.kind):
        value = record.fields.get(spec.name)
        if spec.name not in record.fields or blank(spec, record.side, value) or not _sent_on_create(s, spec, to):
            continue
        carried = carry(s, spec, value, to, coming)
        if isinstance(carried, CannotCarry):
            refused.append(_refusal(record, carried.reason, spec.name))
        else:
            changes[spec.name] = Change(None, carried, reason)
            source[spec.name] = value
    if "status" in changes and record.kind is Kind.PROJECT and record.extra.get("ChargeType") == "P":
        changes["status"] = Change(None, "Preliminary", "a promotional project")
    if any(refusal.field in NAMED_BY for refusal in refused):
        return Creation(None, tuple(refused))
    if to is Side.CRM and record.kind is not Kind.EMPLOYEE and record.kind.value in s.crm.mark_columns:
        changes["mark"] = Change(None, True, "kept in step from now on")
    template = _template(s, record, ticks) if record.kind is Kind.PROJECT and to is Side.AJERA else None
    action = Action(
        op=Op.CREATE,
        kind=record.kind,
        side=to,
        ajera_key=record.key if record.side is Side.AJERA else None,
        crm_key=record.key if record.side is Side.CRM else None,
        label=record.label,
        fields=changes,
        source=source,
        reason=reason,
        template=template,
        number="" if _numbered_there(s, record.kind, to) else plain_text(record.number),
    )
    return Creation(action, tuple(refused))


def _sent_on_create(s: Situation, spec: FieldSpec, to: Side) -> bool:
    if spec.name == "number" and _numbered_there(s, spec.kind, to):
        return False
    if spec.type is FieldType.ENTRIES or (spec.name == "firm" and to is Side.AJERA):
        return False  # an entry of the client's list, made after both exist (ajera-api 7.3)
    if spec.kind is Kind.PROJECT and spec.group in ACCOUNTING_GROUPS:
        # In the CRM, money is written by the update that follows: a refusal then costs only that.
        return spec.name in DATES_ON_CREATE if to is Side.AJERA else spec.group == "dates"
    return True


def _numbered_there(s: Situation, kind: Kind, to: Side) -> bool:
    """Whether the CRM gives a new firm a number of its own: it owns that number, and ours may be taken there."""
    return to is Side.CRM and kind is Kind.FIRM and kind in s.crm.autonumbers


def _refusal(record: Record, reason: str, name: str | None = None) -> Refusal:
    return Refusal(record.kind, record.side, record.key, record.label, reason, name)


def _problem(s: Situation, record: Record, ticks: Ticks, coming: Coming) -> str | None:
    to = record.side.other
    if record.why_not is not None:
        return record.why_not
    if not plain_text(record.name):
        return "it has no name"
    match record.kind:
        case Kind.CONTACT if to is Side.AJERA:
            return _contact_problem(s, record)
        case Kind.PROJECT if to is Side.AJERA:
            return _project_problem(s, record, ticks, coming)
        case Kind.PROJECT:
            return _crm_project_problem(s, record, coming)
        case _:
            return None


def full_name(record: Record) -> tuple[str, ...]:
    return tuple(name_key(text_of(record, name)) for name in ("first_name", "middle_name", "last_name"))


def _contact_problem(s: Situation, record: Record) -> str | None:
    """Ajera wants a contact's name unique over all its contacts (ajera-api 8.3)."""
    same = s.pools[Kind.CONTACT, Side.AJERA].by_name.get(name_key(record.name), ())
    for other in sorted(same, key=lambda each: each.key):
        if full_name(other) == full_name(record):
            return (
                f"Ajera has a contact of exactly this name already (key {other.key}) and wants names unique: "
                "give one of the two a middle name"
            )
    return None


def _project_problem(s: Situation, record: Record, ticks: Ticks, coming: Coming) -> str | None:
    group = STATUS_GROUPS[Kind.PROJECT, Side.CRM].get(str(record.fields.get("status") or "A"), "")
    if group != "active":
        return "its status in the CRM is not Active: only active projects are created in Ajera"
    client = record.fields.get("client")
    if not isinstance(client, Ref):
        return "it has no primary client: choose one in the CRM"
    if s.links.partner(Kind.FIRM, Side.CRM, client.key) is None and (Kind.FIRM, Side.CRM, client.key) not in coming:
        firm = s.record(Kind.FIRM, Side.CRM, client.key)
        return f"its client {firm.label if firm else client.key!r} is not in Ajera yet (it waits, is refused, or was ruled out)"
    return _template_problem(s, _template(s, record, ticks))


def _template(s: Situation, record: Record, ticks: Ticks) -> str | None:
    return ticks.projects.get(record.key) or record.template or s.policy.default_template


def _template_problem(s: Situation, template: str | None) -> str | None:
    """The template's text must equal the description of an Ajera template (sync-behaviour 3.3)."""
    if not template:
        return "it has no Ajera Project Template and there is no default one: choose a template on its Overview tab"
    known = s.ajera.templates
    if plain_text(template) not in {plain_text(each) for each in known}:
        near = get_close_matches(template, known, n=3, cutoff=0.3)
        hint = f"; the nearest are {', '.join(near)}" if near else ""
        return f"Ajera has no project template named {template!r}{hint}"
    if plain_text(template) in s.ajera.flat_templates and not s.policy.allow_flat_template:
        return (
            f"the template {template!r} has nested phases, which this Ajera is not known to take on create: "
            "choose another, or allow it in the settings ([sync] allow_flat_template)"
        )
    return None


def _crm_project_problem(s: Situation, record: Record, coming: Coming) -> str | None:
    if not plain_text(record.number) and Kind.PROJECT not in s.crm.autonumbers:
        return "it has no Project ID in Ajera and the CRM is not set to number projects itself: give it an ID"
    client = record.fields.get("client")
    if "client" not in record.fields:
        return record.extra.get("client_note") or "its invoice groups name different clients"
    if not isinstance(client, Ref):
        return "its invoice group names no client"
    if s.links.partner(Kind.FIRM, Side.AJERA, client.key) is None and (Kind.FIRM, Side.AJERA, client.key) not in coming:
        firm = s.record(Kind.FIRM, Side.AJERA, client.key)
        return f"its client {firm.label if firm else client.key!r} is not in the CRM yet (it waits or is refused)"
    return None


def same_name_twice(creates: list[Action]) -> tuple[list[Action], list[tuple[Action, Action]]]:
    """Creates of one name, or project number, on one side: the first stays, the others wait (sync-rules 4)."""
    first: dict[tuple[Kind, Side | None, str, str], Action] = {}
    kept: list[Action] = []
    waiting: list[tuple[Action, Action]] = []
    for action in sorted(creates, key=lambda each: (each.kind, each.ajera_key or "", each.crm_key or "")):
        keys = [(action.kind, action.side, *bears) for bears in _borne_by(action)]
        same = next((first[key] for key in keys if key in first), None)
        if same is not None and action.reason != ASKED:
            waiting.append((action, same))
            continue
        kept.append(action)
        for key in keys:
            first.setdefault(key, action)
    return kept, waiting


ASKED = "an operator asked for a new one"


def _borne_by(action: Action) -> list[tuple[str, str]]:
    """What of a new record must not be there twice."""
    if action.kind is not Kind.PROJECT:
        return [("name", name_key(action.label))]
    number = action.number.casefold()
    name = str(action.fields["name"].to) if "name" in action.fields else action.label
    return [("name", name_key(name))] + ([("number", number)] if number else [])

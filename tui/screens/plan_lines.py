"""A plan in sections and lines: what would be done, grouped; what waits; each with its fields and the rule. Pure
but for names of records, which the service tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from core.engine.service import Service
from core.engine.views import FieldView
from core.errors import UsageError
from core.model.plan import Action, Candidate, Change, Item, Op, Plan, Refusal
from core.model.values import KIND_ORDER, Kind, Side
from tui.formatting import count, joined
from tui.glyphs import glyphs
from tui.screens.values import BLANK, SIDE_NAMES, field_label, local, value_words
from tui.widgets.columns import Column
from tui.widgets.outline import Entry, Line, Section
from tui.widgets.text_lines import labelled, paragraph, shown

FIELDS: Final = ("kind", "op", "side", "field", "group", "reason", "state")
PLURALS: Final = {Kind.EMPLOYEE: "employees", Kind.FIRM: "firms", Kind.CONTACT: "contacts", Kind.PROJECT: "projects"}
#: A plan's count that waits for a person, one and many of it.
WAITS: Final = (
    ("conflict", "conflict", "conflicts"), ("difference", "difference", "differences"), ("drift", "drifted", "drifted"),
    ("candidate", "candidate", "candidates"), ("refused", "refused", "refused"),
)  # fmt: skip
_VERBS: Final = {
    Op.CREATE: "Create", Op.UPDATE: "Update", Op.LINK: "Link", Op.UNLINK: "Unlink", Op.REBASE: "Remember as equal",
}  # fmt: skip
_SHOW_ORDER: Final = {op: place for place, op in enumerate((Op.CREATE, Op.UPDATE, Op.LINK, Op.UNLINK, Op.REBASE))}
_COLUMNS: Final = (Column("label", "Record", 18, flex=2, most=48), Column("what", "What", 16, flex=3))
_ITEM_COLUMNS: Final = (
    Column("label", "Record", 16, flex=2, most=40),
    Column("field", "Field", 10, flex=1, most=22),
    Column("values", "Values", 16, flex=3),
)


def action_title(op: Op, side: Side | None, kind: Kind) -> str:
    """ "Create in Ajera: firms", "Link: contacts"."""
    where = f" in {'Ajera' if side is Side.AJERA else 'the CRM'}" if side and op in (Op.CREATE, Op.UPDATE) else ""
    return f"{_VERBS[op]}{where}: {PLURALS[kind]}"


def plan_sections(service: Service, plan: Plan, outcomes: Mapping[str, tuple[str, str]] | None = None) -> list[Section]:
    """The whole plan. `outcomes` maps an action's id to ("ok" or "error", words) once it has been applied."""
    done = outcomes or {}
    sections = [
        Section(
            f"{op}-{side}-{kind}",
            action_title(op, side, kind),
            _COLUMNS,
            [action_entry(service, action, done.get(action.id)) for action in actions],
            note=_number(len(actions)),
            folded=op is Op.REBASE,
        )
        for (op, side, kind), actions in _grouped(plan.actions)
    ]
    sections += [
        *_waiting(service, "conflicts", "Conflicts: both sides moved; not touched", plan.conflicts, "conflict"),
        *_waiting(service, "differences", "Differences of new links; not touched", plan.differences, "difference"),
        *_waiting(service, "drift", "Drift: changed on the side that does not own it", plan.drift, "changed"),
    ]
    if plan.candidates:
        entries = [candidate_entry(service, each) for each in plan.candidates]
        sections.append(
            Section("candidates", "Candidates: may be the same", _COLUMNS, entries, note=_number(len(entries)))
        )
    if plan.refused:
        entries = [refusal_entry(service, each) for each in plan.refused]
        sections.append(Section("refused", "Refused, with the way out", _COLUMNS, entries, note=_number(len(entries))))
    return _with_own_keys(sections)


def _with_own_keys(sections: Sequence[Section]) -> list[Section]:
    """Every entry its own key: a plan may hold the same step twice, and unfolding one must not unfold both."""
    seen: Counter[str] = Counter()

    def own(entry: Entry) -> Entry:
        seen[entry.key] += 1
        return entry if seen[entry.key] == 1 else replace(entry, key=f"{entry.key}#{seen[entry.key]}")

    return [replace(section, entries=[own(entry) for entry in section.entries]) for section in sections]


def _number(number: int) -> str:
    return f"{number:,}"


def _grouped(actions: Iterable[Action]) -> list[tuple[tuple[Op, Side | None, Kind], list[Action]]]:
    def order(action: Action) -> tuple[int, str, int]:
        return _SHOW_ORDER[action.op], action.side or "", KIND_ORDER[action.kind]

    groups = groupby(sorted(actions, key=order), key=lambda action: (action.op, action.side, action.kind))
    return [(key, list(members)) for key, members in groups]


def _waiting(service: Service, key: str, title: str, items: Sequence[Item], flag: str) -> list[Section]:
    if not items:
        return []
    entries = [item_entry(service, item, flag) for item in items]
    return [Section(key, title, _ITEM_COLUMNS, entries, note=_number(len(entries)))]


# -- entries ---------------------------------------------------------------------------------------------------


def action_entry(service: Service, action: Action, outcome: tuple[str, str] | None = None) -> Entry:
    """One action; unfolded it tells each field. `outcome` is what became of it."""
    what = _what(service, action)
    if outcome is not None:
        what = joined((outcome[1], what))
    style = {"error": "bad"}.get(outcome[0], "") if outcome else ""
    return Entry(
        key=action.id,
        cells=(action.label, what),
        flag=outcome[0] if outcome else "",
        style=style,
        lines=lambda width: action_lines(service, action, width),
        fields={
            "kind": action.kind.value, "op": action.op.value, "side": action.side.value if action.side else "",
            "field": " ".join(action.fields), "group": action.group, "reason": action.reason,
            "state": outcome[0] if outcome else "",
        },
        data=action,
    )  # fmt: skip


def _what(service: Service, action: Action) -> str:
    names = field_names(service, action.kind, action.fields)
    if action.op is Op.CREATE:
        template = f"template {action.template}" if action.template else ""
        return joined((count(len(action.fields), "field"), template, action.reason))
    if action.op is Op.UPDATE:
        if len(action.fields) == 1:
            ((name, change),) = action.fields.items()
            return f"{names}: {_from_to(service, action, name, change)}"
        return joined((names, action.reason))
    return action.reason or names


def field_names(service: Service, kind: Kind, names: Iterable[str]) -> str:
    """The fields by their labels: "Team (3), Website"."""
    labels = Counter(field_label(service, kind, name) for name in sorted(names))
    return ", ".join(f"{label} ({number})" if number > 1 else label for label, number in labels.items())


def _from_to(service: Service, action: Action, name: str, change: Change) -> str:
    before = value_words(service, action.kind, name, change.frm)
    after = value_words(service, action.kind, name, change.to)
    return f"{before or BLANK} {glyphs().arrow} {after or BLANK}"


def item_entry(service: Service, item: Item, flag: str) -> Entry:
    """One field that waits for a person."""
    crm, ajera = (value_words(service, item.kind, item.field, value) for value in (item.crm, item.ajera))
    return Entry(
        key=item.id,
        cells=(item.label, field_label(service, item.kind, item.field), f"CRM {crm or BLANK} | Ajera {ajera or BLANK}"),
        flag=flag,
        lines=lambda width: item_lines(service, item, width),
        fields={"kind": item.kind.value, "op": flag, "field": item.field, "reason": item.reason, "state": flag},
        data=item,
    )


def candidate_entry(service: Service, candidate: Candidate) -> Entry:  # noqa: ARG001
    """Two records that may be the same."""
    reasons = ", ".join(candidate.reasons)

    def lines(width: int) -> list[Line]:
        return [
            *labelled("CRM key", candidate.crm_key or "none", width),
            *labelled("Ajera key", candidate.ajera_key or "none", width),
            *labelled("Why", reasons, width),
            *paragraph("Nothing is linked or created until you say so in the Inbox (key 5).", width, style="muted"),
        ]

    return Entry(
        key=candidate.id,
        cells=(candidate.label, f"{candidate.kind}, {round(100 * candidate.score)} %: {reasons}"),
        flag="candidate",
        lines=lines,
        fields={"kind": candidate.kind.value, "op": "candidate", "reason": reasons, "state": "candidate"},
        data=candidate,
    )


def refusal_entry(service: Service, refusal: Refusal) -> Entry:
    """Something that will not be done."""
    field = field_label(service, refusal.kind, refusal.field) if refusal.field else ""
    return Entry(
        key=refusal.id,
        cells=(refusal.label, joined((field, refusal.reason))),
        flag="refused",
        lines=lambda width: [
            *paragraph(refusal.reason, width),
            *labelled("Record", f"{refusal.kind} {refusal.key} of {SIDE_NAMES[refusal.side]}", width, style="muted"),
        ],
        fields={"kind": refusal.kind.value, "op": "refused", "side": refusal.side.value, "reason": refusal.reason,
                "field": refusal.field or "", "state": "refused"},
        data=refusal,
    )  # fmt: skip


# -- field by field --------------------------------------------------------------------------------------------


def action_lines(service: Service, action: Action, width: int) -> list[Line]:
    """Each field from → to, then what both sides hold, the base, and the rule that decided."""
    views = _views(service, action)
    lines: list[Line] = []
    for name, change in sorted(action.fields.items()):
        lines += _field_lines(service, action, name, change, views.get(name), width)
    for name, pair in sorted(action.pairs.items()):
        ajera, crm = (value_words(service, action.kind, name, half) for half in (pair.ajera, pair.crm))
        told = ajera or BLANK if ajera == crm else f"CRM {crm or BLANK} {glyphs().dot} Ajera {ajera or BLANK}"
        lines += labelled(field_label(service, action.kind, name), f"agreed: {told}", width, room=20)
    if action.reason:
        lines += labelled("Why", action.reason, width, room=20, style="muted")
    if action.template:
        lines += labelled("Template", action.template, width, room=20)
    keys = joined(
        (f"CRM {action.crm_key}" if action.crm_key else "", f"Ajera {action.ajera_key}" if action.ajera_key else "")
    )
    return [*lines, *labelled("Keys", keys or "none yet", width, room=20, style="muted")]


def _views(service: Service, action: Action) -> Mapping[str, FieldView]:
    """The fields as the hubs show them, for the base; nothing for a record that went away."""
    for side in (Side.CRM, Side.AJERA):
        key = action.key(side)
        if key and action.op is Op.UPDATE:
            try:
                return {view.name: view for view in service.detail(service.row(action.kind, key, side)).fields}
            except UsageError:
                continue
    return {}


def _field_lines(
    service: Service, action: Action, name: str, change: Change, view: FieldView | None, width: int
) -> list[Line]:
    label = field_label(service, action.kind, name)
    if action.op is Op.CREATE:
        lines = labelled(label, value_words(service, action.kind, name, change.to) or BLANK, width, room=20)
    else:
        lines = labelled(label, _from_to(service, action, name, change), width, room=20)
    told = joined((*_sides(service, action, name, change, view), _rule(action, change, view)))
    if told:
        lines += [
            (" " * 22 + text.lstrip(), style) for text, style in paragraph(told, width - 21, style="muted", limit=3)
        ]
    return lines


def _sides(service: Service, action: Action, name: str, change: Change, view: FieldView | None) -> list[str]:
    if action.op is not Op.UPDATE or action.side is None:
        return []
    values = {action.side: change.frm, action.side.other: action.source.get(name, change.to)}
    told = [
        f"{SIDE_NAMES[side]} {value_words(service, action.kind, name, values[side]) or BLANK}"
        for side in (Side.CRM, Side.AJERA)
    ]
    if view is not None and view.base is not None:
        base = {value_words(service, action.kind, name, half) or BLANK for half in (view.base.ajera, view.base.crm)}
        return [*told, f"agreed before: {' / '.join(sorted(base))}"]
    return [*told, "never agreed before"] if view is not None else told


def _rule(action: Action, change: Change, view: FieldView | None) -> str:
    owner = f"owner {view.owner}" if view is not None and view.owner else ""
    return joined((f"rule: {change.rule}" if change.rule and change.rule != action.reason else "", owner))


def item_lines(service: Service, item: Item, width: int) -> list[Line]:
    """Both values whole, the base, why it waits, since when."""
    ajera, crm = (value_words(service, item.kind, item.field, value) for value in (item.ajera, item.crm))
    lines = [*labelled("CRM", crm or BLANK, width), *labelled("Ajera", ajera or BLANK, width)]
    if item.base is not None:
        halves = {
            value_words(service, item.kind, item.field, half) or BLANK for half in (item.base.ajera, item.base.crm)
        }
        lines += labelled("Agreed before", " / ".join(sorted(halves)), width, style="muted")
    else:
        lines += labelled("Agreed before", "never", width, style="muted")
    lines += labelled("Owner", item.owner, width, style="muted")
    if item.reason:
        lines += labelled("Why", item.reason, width, style="muted")
    return [*lines, *labelled("Since", local(item.since), width, style="muted")]


def detail_lines(service: Service, data: object, width: int) -> list[Line]:
    """What stands beside the list for the entry under the cursor."""
    match data:
        case Action():
            head = action_title(data.op, data.side, data.kind)
            return [(f" {shown(data.label)}", "strong"), *paragraph(head, width, style="muted"), ("", ""),
                    *action_lines(service, data, width)]  # fmt: skip
        case Item():
            title = f"{data.label}: {field_label(service, data.kind, data.field)}"
            return [(f" {shown(title)}", "strong"), ("", ""), *item_lines(service, data, width)]
        case Candidate():
            return [
                (f" {shown(data.label)}", "strong"),
                ("", ""),
                *(candidate_entry(service, data).lines or _none)(width),
            ]
        case Refusal():
            return [
                (f" {shown(data.label)}", "strong"),
                ("", ""),
                *(refusal_entry(service, data).lines or _none)(width),
            ]
        case _:
            return []


def _none(_width: int) -> list[Line]:
    return []

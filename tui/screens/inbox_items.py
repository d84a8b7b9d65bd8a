"""What waits for a person, of whatever queue, as one kind of thing; and how it is told side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Final

from core.engine.service import Service
from core.engine.views import Detail, ErrorView, Touched
from core.errors import AjerasyncError
from core.model.plan import Candidate, Item, Refusal
from core.model.values import Kind, Side
from core.ports import HistoryEntry
from tui.formatting import age, count, fit, joined, wrap
from tui.glyphs import glyphs
from tui.screens.values import BLANK, SIDE_NAMES, field_label, local, parsed, value_words
from tui.widgets.columns import Column
from tui.widgets.record_table import Row
from tui.widgets.text_lines import Line, labelled, paragraph, shown

TYPES: Final = ("conflict", "candidate", "difference", "error", "refused", "drift")
COLUMNS: Final = (
    Column("type", "Waits", 10),
    Column("label", "Record", 14, flex=2, most=40),
    Column("field", "Field", 10, flex=1, most=20, priority=1),
    Column("values", "CRM | Ajera, or why", 20, flex=3),
    Column("saved", "Saved last", 18, priority=3),
    Column("age", "Since", 10, align="right", priority=2),
)
FIELDS: Final = ("kind", "type", "label", "field", "values", "saved", "answered")
_FLAGS: Final = {"drift": "changed"}
_WHY: Final = {
    "conflict": "Both sides changed this since they last agreed. Neither is written until you choose.",
    "difference": "The records were linked with different values. Nothing is written until you choose.",
    "drift": "This changed on the side that does not own the field. Choose to put it right.",
    "candidate": "These may be the same. Nothing is linked or created until you say so.",
    "error": "The write failed. It is tried again by itself; y tries it with the next run.",
    "refused": "This will not be sent as it is. Change what is named, and the next run looks again.",
}
_SHOWN_FIELDS: Final = 30
_SHOWN_HISTORY: Final = 6


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing in the Inbox. `values` is one line about it; `saved` says of a field who saved either side last, and
    when; `data` is the service's own value."""

    id: str
    type: str
    kind: Kind
    label: str
    field: str
    field_label: str
    values: str
    since: str
    data: Item | Candidate | ErrorView | Refusal
    saved: tuple[Touched, Touched] | None = None  # CRM, Ajera

    @property
    def fingerprint(self) -> str:
        """Changes when the question does: an answer given to another question is none."""
        return f"{self.id}:{self.values}"


def waiting(service: Service) -> list[Waiting]:
    """All queues, in the order of `TYPES`, candidates of a record best first."""
    found = [
        *_items(service, "conflict", service.conflicts()),
        *(_candidate(service, each) for each in sorted(service.candidates(), key=lambda c: (c.label, c.key, -c.score))),
        *_items(service, "difference", service.differences()),
        *(_error(each) for each in service.errors()),
        *(_refusal(service, each) for each in service.refusals()),
        *_items(service, "drift", service.drift()),
    ]
    return list({each.id: each for each in found}.values())


def _items(service: Service, type_: str, items: Iterable[Item]) -> Iterable[Waiting]:
    for item in items:
        crm, ajera = (value_words(service, item.kind, item.field, value) for value in (item.crm, item.ajera))
        label = field_label(service, item.kind, item.field)
        values = f"{crm or BLANK} | {ajera or BLANK}"
        saved = (
            service.last_saved(item.kind, Side.CRM, item.crm_key),
            service.last_saved(item.kind, Side.AJERA, item.ajera_key),
        )
        yield Waiting(item.id, type_, item.kind, item.label, item.field, label, values, item.since, item, saved)


def _candidate(service: Service, each: Candidate) -> Waiting:
    other = each.ajera_key if each.side is Side.CRM else each.crm_key
    partner = _label(service, each.kind, each.side.other, other)
    values = joined((f"{SIDE_NAMES[each.side.other]}: {partner}" if partner else "", f"{round(100 * each.score)} %",
                     ", ".join(each.reasons)))  # fmt: skip
    return Waiting(each.id, "candidate", each.kind, each.label, "", each.kind.value, values, each.since, each)


def _error(each: ErrorView) -> Waiting:
    return Waiting(each.id, "error", each.kind, each.label, "", each.op, each.message, each.at, each)


def _refusal(service: Service, each: Refusal) -> Waiting:
    label = field_label(service, each.kind, each.field) if each.field else each.kind.value
    return Waiting(each.id, "refused", each.kind, each.label, each.field or "", label, each.reason, each.since, each)


def _label(service: Service, kind: Kind, side: Side, key: str | None) -> str:
    if not key:
        return ""
    try:
        return service.row(kind, key, side).label
    except AjerasyncError:
        return key


def saved_brief(each: Waiting, now: datetime) -> str:
    """ "CRM 2 h ago jsmith": the side that was saved last, when, and by whom if it says so."""
    if each.saved is None:
        return ""
    told = [(at, name, touched.by) for name, touched in zip(("CRM", "Ajera"), each.saved, strict=True)
            if (at := parsed(touched.at))]  # fmt: skip
    if not told:
        return ""
    at, name, by = max(told)
    return f"{name} {age(at, now)} {by}".strip()


def _saved_words(touched: Touched, side: Side, own: str, now: datetime) -> str:
    """When a side was saved, and by whom; what that system does not tell is said."""
    if not touched.at:
        return "not told"
    ours = " (this program's user)" if own and touched.by.casefold() == own.casefold() else ""
    by = f"by {touched.by}{ours}" if touched.by else f"{SIDE_NAMES[side]} does not say by whom"
    return joined((f"{local(touched.at)}, {age(parsed(touched.at), now)}", by))


def inbox_row(each: Waiting, answer: str, now: datetime) -> Row:
    """Its line in the list; an answered one says so instead of its values."""
    since = parsed(each.since)
    told = f"answered: {answer}" if answer else each.values
    saved = saved_brief(each, now)
    cells = (each.type, each.label, each.field_label, told, saved, age(since, now) if since else "")
    sort = (
        TYPES.index(each.type),
        each.label.casefold(),
        each.field_label.casefold(),
        told.casefold(),
        saved,
        each.since,
    )
    return Row(each.id, cells, sort=sort, style="muted" if answer else "bad" if each.type == "error" else "",
               flag="ok" if answer else _FLAGS.get(each.type, each.type), tickable=False, data=each)  # fmt: skip


# -- one of them, told whole -----------------------------------------------------------------------------------


def beside(label: str, left: str, right: str, width: int, style: str = "") -> list[Line]:
    """Label, the CRM's value and Ajera's in three columns; long values are wrapped under themselves."""
    room = max(8, min(18, width // 5))
    half = max(8, (width - room - 4) // 2)
    columns = (wrap(shown(label, 60), room, 2), wrap(shown(left), half, 6), wrap(shown(right), half, 6))
    return [
        (f" {fit(a, room)} {fit(b, half)} {c}".rstrip(), style)
        for a, b, c in zip_longest(*columns, fillvalue="")
    ]  # fmt: skip


def told_whole(service: Service, each: Waiting, answer: str, now: datetime, width: int) -> list[Line]:
    """Everything that helps to answer, the answers first."""
    since = parsed(each.since)
    title = f"{each.label}: {each.field_label}" if each.field else each.label
    lines: list[Line] = [(f" {part}", "strong") for part in wrap(shown(title), width - 1, 2)]
    words = (each.type, each.kind.value, f"since {local(each.since)}, {age(since, now)}" if since else "")
    lines += [*paragraph(joined(words), width, style="muted"), ("", "")]
    if answer:
        lines += [*paragraph(f"{glyphs().flag('ok')} answered: {answer}", width, style="good"),
                  *paragraph("R runs now. Another answer replaces this one.", width, style="muted"), ("", "")]  # fmt: skip
    match each.data:
        case Item():
            lines += _item_whole(service, each, each.data, now, width)
        case Candidate():
            lines += _candidate_whole(service, each.data, width)
        case ErrorView():
            lines += _error_whole(service, each.data, now, width)
        case Refusal():
            lines += _refusal_whole(service, each.data, now, width)
    return lines


_FIELD_KEYS: Final = (
    ("C", "takes the CRM's value for both"), ("J", "takes Ajera's value for both"), ("e", "types another value"),
    ("F", "gives one answer for all of this field"),
)  # fmt: skip
_CANDIDATE_KEYS: Final = (
    ("=", "they are the same: link them"), ("+", "there is no partner: create one"), ("-", "not the same: never ask again"),
)  # fmt: skip
_ERROR_KEYS: Final = (("y", "tries it again with the next run"), ("Y", "tries all errors again"))


def _ask(each_type: str, keys: Sequence[tuple[str, str]], width: int) -> list[Line]:
    return [*paragraph(_WHY[each_type], width), *[(f"   {key}  {words}", "strong") for key, words in keys], ("", "")]


def _item_whole(service: Service, each: Waiting, item: Item, now: datetime, width: int) -> list[Line]:
    crm, ajera = (value_words(service, item.kind, item.field, value) for value in (item.crm, item.ajera))
    lines = _ask(each.type, _FIELD_KEYS, width)
    lines += [*beside("", "CRM", "Ajera", width, "strong"), *beside("Now", crm or BLANK, ajera or BLANK, width)]
    if each.saved is not None:
        own = str(getattr(getattr(service.settings, "crm", None), "username", ""))
        crm_saved, ajera_saved = each.saved
        lines += beside(
            "Record saved",
            _saved_words(crm_saved, Side.CRM, own, now),
            _saved_words(ajera_saved, Side.AJERA, "", now),
            width,
        )
    if item.base is not None:
        halves = [
            value_words(service, item.kind, item.field, half) or BLANK for half in (item.base.crm, item.base.ajera)
        ]
        lines += beside("Agreed before", halves[0], halves[1], width, "muted")
    lines += beside("Key", item.crm_key, item.ajera_key, width, "muted")
    told = joined((f"owner: {item.owner}", item.reason, item.base.note if item.base else "never agreed before"))
    lines += [*paragraph(told, width, style="muted"), ("", "")]
    detail = _detail(service, item.kind, Side.CRM, item.crm_key) or _detail(
        service, item.kind, Side.AJERA, item.ajera_key
    )
    return lines + (_history(service, item.kind, detail.history, item.field, width) if detail else [])


def _candidate_whole(service: Service, candidate: Candidate, width: int) -> list[Line]:
    lines = _ask("candidate", _CANDIDATE_KEYS, width)
    score = f"{round(100 * candidate.score)} % alike: {', '.join(candidate.reasons) or 'no reason given'}"
    lines += [*paragraph(score, width), ("", ""), *beside("", "CRM", "Ajera", width, "strong")]
    lines += beside("Key", candidate.crm_key or "none yet", candidate.ajera_key or "none yet", width, "muted")
    crm = _fields(_detail(service, candidate.kind, Side.CRM, candidate.crm_key), Side.CRM)
    ajera = _fields(_detail(service, candidate.kind, Side.AJERA, candidate.ajera_key), Side.AJERA)
    labels = {name: label for name, (label, _) in [*crm.items(), *ajera.items()]}
    for name in list(labels)[:_SHOWN_FIELDS]:
        left, right = crm.get(name, ("", ""))[1], ajera.get(name, ("", ""))[1]
        if left or right:
            same = left.casefold() == right.casefold()
            mark = glyphs().flag("in_step" if same else "difference")
            lines += beside(f"{mark} {labels[name]}", left or BLANK, right or BLANK, width, "muted" if same else "")
    return lines


def _detail(service: Service, kind: Kind, side: Side, key: str | None) -> Detail | None:
    if not key:
        return None
    try:
        return service.detail(service.row(kind, key, side))
    except AjerasyncError:
        return None


def _fields(detail: Detail | None, side: Side) -> dict[str, tuple[str, str]]:
    if detail is None:
        return {}
    return {view.name: (view.label, view.crm_text if side is Side.CRM else view.ajera_text) for view in detail.fields}


def _error_whole(service: Service, error: ErrorView, now: datetime, width: int) -> list[Line]:
    lines = [
        *paragraph(error.message, width, style="bad"),
        ("", ""),
        *_ask("error", _ERROR_KEYS, width),
    ]
    due = parsed(error.next_try)
    again = "not by itself any more: it waits for a change of the record, or for y" if due is None else (
        "with the next run" if due <= now else f"not before {local(error.next_try)}"
    )  # fmt: skip
    lines += labelled(
        "Write", f"{error.op} of {error.kind} {error.key or 'without a key yet'} in {SIDE_NAMES[error.side]}", width
    )
    lines += labelled("Tried", f"{count(error.tries, 'time')}, last {local(error.at)}", width)
    lines += [*labelled("Next try", again, width), ("", "")]
    detail = _detail(service, error.kind, error.side, error.key)
    return lines + (_history(service, error.kind, detail.history, "", width) if detail else [])


def _refusal_whole(service: Service, refusal: Refusal, now: datetime, width: int) -> list[Line]:
    lines = [*paragraph(refusal.reason, width), ("", ""), *paragraph(_WHY["refused"], width, style="muted")]
    lines += labelled("Record", f"{refusal.kind} {refusal.key} of {SIDE_NAMES[refusal.side]}", width)
    if refusal.field:
        lines += labelled("Field", field_label(service, refusal.kind, refusal.field), width)
    if refusal.since:
        lines += labelled("Waits since", f"{local(refusal.since)}, {age(parsed(refusal.since), now)}", width)
    return lines


def _history(service: Service, kind: Kind, history: Sequence[HistoryEntry], field: str, width: int) -> list[Line]:
    """What happened to the record (to this field first of all), newest first."""
    entries = [each for each in history if not field or field in each.fields] or list(history)
    if not entries:
        return [(" No run has written to this record yet.", "muted")]
    lines: list[Line] = [(" History", "strong")]
    for entry in entries[:_SHOWN_HISTORY]:
        where = f" in {SIDE_NAMES[entry.side]}" if entry.side else ""
        lines += paragraph(joined((f"{local(entry.at)} {entry.op}{where}", entry.outcome, entry.message)), width)
        for name, (before, after, rule) in sorted(entry.fields.items()):
            if field and name != field:
                continue
            old, new = (value_words(service, kind, name, value) or BLANK for value in (before, after))
            lines += labelled(
                field_label(service, kind, name), joined((f"{old} {glyphs().arrow} {new}", rule)), width,
                room=18, indent=3, style="muted",
            )  # fmt: skip
    return lines

"""What the tabs of one record show, made from the engine's detail. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.engine.views import ContactView, Detail, FieldView, Row, TeamView
from core.model.plan import Item
from core.model.values import Kind, Side
from core.policy import TOTAL_FAMILIES, TOTAL_PARTS
from core.text import safe_line
from tui.formatting import count, joined, state_word
from tui.glyphs import glyphs
from tui.screens.hub_rows import side_of
from tui.widgets import record_table
from tui.widgets.columns import Column
from tui.widgets.fields import FieldRow
from tui.widgets.money_grid import MoneyRow

OVERVIEW, CONTACTS, TEAM = "Overview", "Contacts", "Team"
BUDGET, DATES, TOTALS, PROJECTS = "Budget & Revenue", "Dates & Costs", "Ajera Totals", "Projects"
TABS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.FIRM: (OVERVIEW, CONTACTS),
    Kind.PROJECT: (OVERVIEW, CONTACTS, TEAM, BUDGET, DATES, TOTALS),
    Kind.EMPLOYEE: (OVERVIEW, PROJECTS),
}
SHORT_TABS: Final = {BUDGET: "Budget", DATES: "Dates", TOTALS: "Totals"}
FIELD_TABS: Final = frozenset({OVERVIEW, BUDGET, DATES})
_MARK_STYLES: Final = {"conflict": "warn", "difference": "warn", "drift": "warn", "stopped": "muted"}
_OWNERS: Final = {"shared": "shared", "ajera": "Ajera", "crm": "CRM"}


def box(on: bool) -> str:
    """A tick box, the same in every set of signs."""
    return "[x]" if on else "[ ]"


def tab_label(tab: str, detail: Detail | None) -> str:
    """ "Contacts 3/5" where a cap holds, "Contacts 3" where none does."""
    if detail is None or tab != CONTACTS:
        return tab
    ticked = sum(contact.marked for contact in detail.contacts)
    if detail.row.side is Side.AJERA and not detail.contacts:
        return tab
    return f"{tab} {ticked}/{detail.cap}" if detail.cap is not None else f"{tab} {ticked}"


def empty_words(tab: str, detail: Detail | None, *, one_way: bool = False) -> str:
    """What stands on a tab without a line: why, and what to do next."""
    if detail is None:
        return "No record is chosen.\n\nArrows choose one in the list."
    row = detail.row
    noun = {Kind.FIRM: "firm", Kind.PROJECT: "project", Kind.EMPLOYEE: "employee"}.get(row.kind, "record")
    if tab == CONTACTS and row.crm_key is None:
        return f"This {noun} is only in Ajera.\n\nIts contacts show here once it is in the CRM too: space ticks it, R sends it."
    if tab == CONTACTS:
        return f"This {noun} has no contacts in the CRM.\n\nAdd some there, then p reads them; space ticks them here."
    if tab == TEAM:
        return f"Nobody is on the team yet.\n\nAdd people in the CRM, then p reads them.{_HOURS[one_way]}"
    if tab == PROJECTS:
        return "This employee is on no project's team."
    if tab == TOTALS and one_way:
        return "Before Ajera 8.09 no totals come from Ajera: data goes one way, from the CRM to Ajera."
    if tab == TOTALS and not row.linked:
        return "No totals yet: this project is not linked with Ajera.\n\nSpace ticks it, R sends it; later runs read what is booked on it."
    if tab == TOTALS:
        return "Nothing is booked on this project in Ajera yet.\n\nEach run reads its totals; p reads them now."
    return "No field of this tab is kept in step.\n\nThe field map in the settings says which are."


_HOURS: Final = {
    True: " Before Ajera 8.09 no hours come from Ajera.",
    False: " Those who book time in Ajera come by themselves.",
}


def link_words(row: Row) -> str:
    """How the record stands to the other system: "linked to Ajera client 881"."""
    nouns = {Kind.FIRM: "client", Kind.CONTACT: "contact", Kind.PROJECT: "project", Kind.EMPLOYEE: "employee"}
    if row.linked:
        return f"linked to Ajera {nouns[row.kind]} {row.ajera_key}"
    return "only in Ajera" if side_of(row) == "ajera" else "not in Ajera yet"


def overview(detail: Detail) -> list[FieldRow]:
    """The Overview: the tick, the link and the reason, the template, then the fields."""
    row = detail.row
    rows = list(_head(detail))
    rows += field_rows(detail, OVERVIEW)
    if row.kind is Kind.FIRM and detail.projects:
        rows.append(FieldRow("h:projects", count(len(detail.projects), "project"), heading=True))
        rows += [FieldRow(f"p:{i}", part, label) for i, (label, part) in enumerate(detail.projects)]
    return rows


def _head(detail: Detail) -> Iterable[FieldRow]:
    row = detail.row
    if row.kind is not Kind.EMPLOYEE:
        label = "Sync to Ajera" if row.side is Side.CRM else "Sync to CRM"
        kept = "kept here only" if detail.kept_here or row.side is Side.AJERA else ""
        why = row.reason if row.state == "not_tickable" else ""
        yield FieldRow("sync", label, joined((box(row.marked), link_words(row), kept, why)))
    else:
        yield FieldRow("sync", "Link", link_words(row))
    word = state_word(row.state) or "not ticked"
    reason = "" if row.reason in (word, "not ticked", "only in Ajera") else row.reason
    style = "bad" if row.state == "error" else "warn" if row.state in ("conflict", "candidate", "refused") else ""
    yield FieldRow("state", "State", joined((word, reason)), flag=row.state, style=style)
    if row.kind is Kind.PROJECT and row.crm_key:
        yield _template_row(detail)
    if detail.ajera_flags:
        flags = detail.ajera_flags
        words = joined(f"{_FLAG_NAMES[name]} {box(on)}" for name, on in flags.items())
        yield FieldRow("flags", "In Ajera", words)
    for project in detail.brought_by:
        yield FieldRow("brought", "Comes with", f"project {project}")
    for i, refusal in enumerate(detail.refusals):
        if refusal.reason != row.reason:
            yield FieldRow(f"refused:{i}", "Refused", refusal.reason, flag="refused", style="warn")
    for i, candidate in enumerate(detail.candidates):
        other = candidate.ajera_key if candidate.side is Side.CRM else candidate.crm_key
        where = "Ajera" if candidate.side is Side.CRM else "the CRM"
        words = f"{candidate.score:.0%} like {other or 'none'} in {where}: {', '.join(candidate.reasons)}"
        yield FieldRow(f"candidate:{i}", "Perhaps", words, flag="candidate", style="warn")


_FLAG_NAMES: Final = {"SyncToCRM": "Sync to CRM", "CreateInCRM": "Create in CRM"}


def _template_row(detail: Detail) -> FieldRow:
    chosen, default = detail.template, detail.default_template
    refusal = next((choice.refusal for choice in detail.templates if choice.text == chosen), None)
    words = chosen or (f"{default} (default)" if default else "none chosen: t chooses")
    missing = not chosen and not default and detail.row.marked and not detail.row.linked
    flag, style = ("refused", "warn") if refusal else ("warning", "warn") if missing else ("", "")
    return FieldRow("template", "Ajera Template", joined((words, refusal or "")), flag=flag, style=style)


def field_rows(detail: Detail, tab: str) -> list[FieldRow]:
    """The mapped fields of a tab: CRM beside Ajera where they differ."""
    return [_field(view, detail.row) for view in detail.fields if view.tab == tab]


def _field(view: FieldView, row: Row) -> FieldRow:
    shown, other = view.crm_text, view.ajera_text
    if not row.crm_key:
        return FieldRow(view.name, view.label, other, None, _OWNERS.get(view.owner, view.owner))
    if view.mark == "same" or not row.linked or (view.mark == "one_side"):
        return FieldRow(view.name, view.label, shown, None, _OWNERS.get(view.owner, view.owner))
    flag = {"differs": "difference"}.get(view.mark, view.mark)
    beside = other if other != shown else None
    return FieldRow(
        view.name, view.label, shown, beside, _OWNERS.get(view.owner, view.owner), flag, _MARK_STYLES.get(view.mark, "")
    )


def field_note(detail: Detail, name: str) -> str:
    """The whole of one field: both values, what was agreed last, why it stands like this."""
    view = next((each for each in detail.fields if each.name == name), None)
    if view is None:
        return ""
    parts = [f"{view.label}:"]
    if not detail.row.linked:
        parts.append(view.crm_text or view.ajera_text or "(blank)")
    elif view.crm_text == view.ajera_text:
        parts.append(f"{view.crm_text or '(blank)'} on both sides")
    else:
        parts.append(f"CRM {view.crm_text or '(blank)'} {glyphs().dot} Ajera {view.ajera_text or '(blank)'}")
    owner = {"shared": "either side may change it", "ajera": "Ajera's value counts", "crm": "the CRM's value counts"}
    item = next((each for each in detail.items if each.field == name), None)
    return joined((" ".join(parts), owner.get(view.owner, ""), _item_words(item), view.note))


def _item_words(item: Item | None) -> str:
    return f"waits in the Inbox: {item.reason}" if item is not None else ""


# -- contacts ------------------------------------------------------------------------------------------------

CONTACT_COLUMNS: Final = (
    Column("name", "Name", 16, most=26, flex=2),
    Column("role", "Title", 10, most=28, flex=2, priority=2),
    Column("email", "E-mail", 14, most=44, flex=3, priority=4),
    Column("state", "State", 12, priority=1),
)


def contact_lines(detail: Detail) -> list[record_table.Row]:
    """The contact rows with their ticks."""
    return [_contact_line(contact) for contact in detail.contacts]


def _contact_line(contact: ContactView) -> record_table.Row:
    about = joined((contact.role or contact.title, "primary" if contact.primary else ""), ", ")
    state = contact.refusal or (state_word(contact.state) if contact.marked or contact.state != "unmarked" else "")
    return record_table.Row(
        contact.crm_key or f"a:{contact.ajera_key}",
        (contact.label, about, contact.email, state),
        style="muted" if contact.refusal else "",
        flag=contact.state,
        tickable=contact.refusal is None and contact.crm_key is not None,
        data=contact,
    )


def ticked_contacts(detail: Detail) -> set[str]:
    """The CRM keys of the ticked ones."""
    return {contact.crm_key for contact in detail.contacts if contact.marked and contact.crm_key}


def contacts_note(detail: Detail) -> str:
    """The cap in words, and where the ticks are kept."""
    if not detail.contacts:
        return ""
    ticked = sum(contact.marked for contact in detail.contacts)
    cap = f"{ticked} of {detail.cap} ticked" if detail.cap is not None else f"{ticked} ticked, no cap"
    kept = "kept here only: the CRM has no column for these ticks" if detail.contacts[0].kept_here else ""
    return joined((f"Ajera Sync: {cap}", kept))


def refusal_note(refused: Sequence[tuple[str, str]], names: dict[str, str]) -> str:
    """Why ticks were refused, in full."""
    reasons = dict.fromkeys(reason for _, reason in refused)
    who = ", ".join(names.get(key, key) for key, _ in refused[:3])
    more = f" and {len(refused) - 3} more" if len(refused) > 3 else ""
    return safe_line(f"Not ticked: {who}{more}. {' '.join(reason.rstrip('.') + '.' for reason in reasons)}", 900)


# -- team, projects, totals --------------------------------------------------------------------------------------

TEAM_COLUMNS: Final = (
    Column("name", "Name", 16, flex=2),
    Column("role", "Role", 10, most=24, flex=1),
    Column("crm", "CRM h", 9, align="right"),
    Column("ajera", "Ajera h", 9, align="right"),
    Column("start", "Start Date", 10, priority=2),
)
PROJECT_COLUMNS: Final = (Column("project", "Project", 20, flex=3), Column("part", "Part", 12, most=24, flex=1))


def team_lines(detail: Detail) -> list[record_table.Row]:
    """Hours as each side has them."""
    return [_team_line(place, member) for place, member in enumerate(detail.team)]


def _team_line(place: int, member: TeamView) -> record_table.Row:
    differ = bool(member.ajera_hours) and member.crm_hours != member.ajera_hours
    cells = (
        member.employee,
        joined((member.role, member.note), ", "),
        member.crm_hours,
        member.ajera_hours,
        member.start,
    )
    return record_table.Row(str(place), cells, flag="difference" if differ else "", style="warn" if differ else "")


def project_lines(detail: Detail) -> list[record_table.Row]:
    """An employee's projects."""
    return [record_table.Row(str(i), pair) for i, pair in enumerate(detail.projects)]


TOTAL_LABELS: Final = ("Labor", "Reimbursable", "Consultant", "Total")
SHORT_TOTAL_LABELS: Final = ("Labor", "Reimb.", "Cons.", "Total")
_ROW_LABELS: Final = {"spent": "Spent", "cost": "Cost", "wip": "WIP", "billed": "Billed", "received": "Received"}


@dataclass(frozen=True, slots=True)
class _Amounts:
    parts: tuple[Decimal | None, ...]

    @property
    def known(self) -> bool:
        return any(part is not None for part in self.parts)

    @property
    def with_sum(self) -> tuple[Decimal | None, ...]:
        """The parts and their sum; no sum where a part is not known."""
        whole = [part for part in self.parts if part is not None]
        return (*self.parts, sum(whole, Decimal(0)) if len(whole) == len(self.parts) else None)

    def minus(self, other: _Amounts) -> _Amounts:
        """What this one has more than the other; a blank counts as nothing beside an amount."""
        pairs = zip(self.parts, other.parts, strict=True)
        return _Amounts(
            tuple(None if a is None and b is None else (a or Decimal(0)) - (b or Decimal(0)) for a, b in pairs)
        )


def totals(detail: Detail) -> list[MoneyRow]:
    """Five rows of four: Ajera's amounts, and where the CRM's differ both of them and the difference."""
    fields = {view.name: view for view in detail.fields}
    rows: list[MoneyRow] = []
    for name in TOTAL_FAMILIES:
        views = [fields.get(f"{name}_{part}") for part in TOTAL_PARTS]
        ajera = _Amounts(tuple(_amount(view.ajera) if view else None for view in views))
        crm = _Amounts(tuple(_amount(view.crm) if view else None for view in views))
        if not ajera.known and (not crm.known or not any(crm.parts)):
            continue  # nothing was ever booked, or the project is not in Ajera yet: the CRM's noughts say nothing
        label = _ROW_LABELS[name]
        if not crm.known or not ajera.known or not any(crm.minus(ajera).parts):
            shown = ajera if ajera.known else crm
            note = "" if (ajera.known and crm.known) else " (Ajera)" if ajera.known else " (CRM)"
            rows.append(MoneyRow(label + note, shown.with_sum, strong=True, short=label))
            continue
        rows.append(MoneyRow(f"{label} (Ajera)", ajera.with_sum, strong=True, short=label))
        rows.append(MoneyRow("  in the CRM", crm.with_sum, short=" in CRM"))
        rows.append(MoneyRow("  difference", ajera.minus(crm).with_sum, short=" differs", style="warn"))
    return rows


def _amount(value: object) -> Decimal | None:
    return value if isinstance(value, Decimal) else None

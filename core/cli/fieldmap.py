"""The default field map as a page: `python -m core.cli.fieldmap > docs/field-map.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from core.model.values import Kind, Side
from core.policy import DEFAULT_FIELDS, STATUS_GROUPS, FieldSpec, Owner

HEAD: Final = """# The field map

What is kept in step, field by field, unless `[sync.fields]` in the [settings](settings.md#sync) says otherwise. This page is made
from `core/policy.py` by `python -m core.cli.fieldmap`, and a test holds it. What a tenant's own metadata says (missing, read-only or
shorter columns) counts before it; `ajerasync doctor` tells.

*Owner* is the side whose value counts. A `shared` field is merged: what changed on one side travels to the other, and what changed on both
waits as a conflict. A field of an owner is written from that side; what somebody changes on the other side is listed as drift and never
travels. *Once* means written when the record is made and not after. With Ajera before 8.09, or `direction = "to-ajera"`, nothing
but ticks is written to the CRM."""
ABOUT: Final = {
    Kind.FIRM: ("Firms", "The CRM's firms are Ajera's clients."),
    Kind.CONTACT: ("Contacts", "Only those that are ticked for a firm or a project; the firm's entry is kept with it."),
    Kind.PROJECT: (
        "Projects",
        """The top level in the CRM; phases are Ajera's. A new one is made from its template. Its list of contacts goes entry by
entry; their roles (CRM `Role`, Ajera `Text`) only with `[sync] contact_roles = true`, when a contact is put there.""",
    ),
    Kind.EMPLOYEE: ("Employees", "From Ajera to the CRM only. What an employee earns is never read from the reply."),
}
OWNERS: Final = {Owner.SHARED: "shared", Owner.AJERA: "Ajera", Owner.CRM: "CRM"}


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield HEAD
    for kind, (title, words) in ABOUT.items():
        yield from ("", f"## {title}", "", words)
        for tab, specs in groupby(DEFAULT_FIELDS[kind], key=lambda spec: spec.tab):
            yield from _table(tab, list(specs))
        yield from _statuses(kind)


def _table(tab: str, specs: list[FieldSpec]) -> Iterator[str]:
    yield from ("", f"Tab *{tab}*:", "")
    yield "| field | label | CRM | Ajera | type | owner | |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for spec in specs:
        cells = (f"`{spec.kind}.{spec.name}`", spec.label, f"`{spec.crm}`", f"`{spec.ajera}`", spec.type.value)
        yield f"| {' | '.join(cells)} | {OWNERS[spec.owner]} | {_notes(spec)} |"


def _notes(spec: FieldSpec) -> str:
    notes = ["once"] if spec.create_only else []
    notes += [] if spec.on else ["off by default"]
    for side, name in ((Side.CRM, "CRM"), (Side.AJERA, "Ajera")):
        limit = spec.limit(side)
        notes += [f"{name}: {limit} characters"] if limit else []
    return "; ".join(notes)


def _statuses(kind: Kind) -> Iterator[str]:
    """Which words of both sides mean the same."""
    groups: dict[str, dict[Side, list[str]]] = {}
    for side in (Side.CRM, Side.AJERA):
        for word, group in STATUS_GROUPS.get((kind, side), {}).items():
            groups.setdefault(group, {}).setdefault(side, []).append(f"`{word}`")
    if not groups:
        return
    yield from ("", "Status, as it is compared:", "", "| means | CRM | Ajera |", "| --- | --- | --- |")
    for group, sides in groups.items():
        yield f"| {group} | {', '.join(sides.get(Side.CRM, ()))} | {', '.join(sides.get(Side.AJERA, ()))} |"


if __name__ == "__main__":
    sys.stdout.write(page())

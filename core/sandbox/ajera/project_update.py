"""UpdateProjects: whole nested records with their originals in version 1, changes plus bundle in 2 (contract 10.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.sandbox.ajera.call import INVALID_DATA, Call, Content, Method, Refused, is_int
from core.sandbox.ajera.contacts import check_entries
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.inward import check_fields, check_pointers, custom_names, has_custom, read_record, same
from core.sandbox.ajera.project_rules import CRM_FLAGS, check_unique, check_work
from core.sandbox.ajera.project_shapes import bundle, nested
from core.sandbox.ajera.updates import Batch, check_fresh, compare

Place = tuple[str, int]
_NOT_ON_V2 = {"Contacts"}


@dataclass
class Save:
    """What one project of the call changes: edits by (table, key), new children in order, children that are gone."""

    project: int
    edits: dict[Place, Record] = field(default_factory=dict)
    new: list[tuple[str, Record]] = field(default_factory=list)
    gone: list[Place] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.edits or self.new or self.gone)


def update_projects(call: Call) -> Content:
    return _update_v1(call) if call.version == 1 else _update_v2(call)


# -- version 1 --------------------------------------------------------------------------------------------------------


def _update_v1(call: Call) -> Content:
    updated, unchanged = (_records(call.args.get(f"{w}Projects")) for w in ("Updated", "Unchanged"))
    twins = {record["ProjectKey"]: record for record in unchanged}
    saves: list[Save] = []
    refused: list[Refused] = []
    if not updated or len({r["ProjectKey"] for r in updated}) != len(updated):
        raise Refused(INVALID_DATA)
    for record in updated:
        try:
            saves.append(_judge_v1(call, record, twins.get(record["ProjectKey"])))
        except Refused as refusal:
            refused.append(refusal)
    # There is no delete of projects (contract 10.5), whatever the quirk delete_form says of other records.
    alone = twins.keys() - {record["ProjectKey"] for record in updated}
    refused.extend(Refused(f"Project {key} has no updated record.") for key in sorted(alone))
    if refused and (call.flag("UseSingleTransaction") or call.quirks.per_record_errors == "all"):
        call.errors.extend(refused)
        return {}
    shown = [_save_v1(call, save) for save in saves]
    if call.quirks.per_record_errors != "silent":
        call.errors.extend(refused)
    return {"Projects": shown, "NumberOfProjectsUpdated": len(shown)} if shown or not call.errors else {}


def _records(value: Any) -> list[Record]:
    if not isinstance(value, list) or not all(isinstance(r, dict) and is_int(r.get("ProjectKey")) for r in value):
        raise Refused(INVALID_DATA)
    return value


def _judge_v1(call: Call, record: Record, twin: Record | None) -> Save:
    key = record["ProjectKey"]
    if key not in call.data.tables["projects"]:
        raise Refused(f"Project {key} does not exist.")
    if twin is None:
        raise Refused(f"Project {key} has no unchanged record.")
    save = Save(key)
    wanted, base = _flatten(record), _flatten(twin)
    for place, (row, link) in wanted.items():
        if place[1] < 0:
            save.new.append((place[0], {**_read_new(call, place[0], row), **link, "#": place[1]}))
        elif place in base:
            _compare_into(call, save, place, row, base[place][0])
            moved = {name: value for name, value in link.items() if value != base[place][1].get(name)}
            if moved:
                save.edits[place] = {**save.edits.get(place, {}), **moved}
        else:
            raise Refused(INVALID_DATA)
    _children_gone(call, save, set(base) - set(wanted))
    if not save and call.quirks.noop_update == "error":
        raise Refused(f"No changes were made to ProjectKey {key}.")
    return save


def _flatten(project: Record) -> dict[Place, tuple[Record, Record]]:
    """Every record of a nested project by (table, key), each with its place in the tree."""
    flat: dict[Place, tuple[Record, Record]] = {}
    own = {k: v for k, v in project.items() if k != "InvoiceGroups"}
    flat[("projects", project["ProjectKey"])] = (own, {})
    for group in _list(project.get("InvoiceGroups")):
        row = {k: v for k, v in group.items() if k not in ("Phases", "Client")}
        if "Client" in group:
            row["ClientKey"] = (group["Client"] or {}).get("ClientKey")
        key = _put(flat, "invoice_groups", "InvoiceGroupKey", row, {"ProjectKey": project["ProjectKey"]})
        place = {"ProjectKey": project["ProjectKey"], "InvoiceGroupKey": key, "ParentKey": None}
        _flatten_phases(flat, _list(group.get("Phases")), place)
    return flat


def _flatten_phases(flat: dict[Place, tuple[Record, Record]], phases: list[Record], place: Record) -> None:
    for phase in phases:
        row = {k: v for k, v in phase.items() if k != "Phases"}
        key = _put(flat, "phases", "PhaseKey", row, place)
        _flatten_phases(flat, _list(phase.get("Phases")), {**place, "ParentKey": key})


def _put(flat: dict[Place, tuple[Record, Record]], table: str, name: str, row: Record, place: Record) -> int:
    key = row.get(name)
    if not is_int(key) or (table, key) in flat:
        raise Refused(INVALID_DATA)
    assert key is not None
    flat[(table, key)] = (row, place)
    return int(key)


def _list(value: Any) -> list[Record]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise Refused(INVALID_DATA)
    return value


def _read_new(call: Call, table: str, row: Record) -> Record:
    custom = custom_names(call, table, None) if has_custom(row) else set()
    read = read_record(call, table, row, custom)
    read = {k: v for k, v in read.items() if v is not None and k != "LastModifiedDate"}
    if table == "phases":
        if not read.get("Description"):
            raise Refused(INVALID_DATA)
        check_work(call, {k: v for k, v in read.items() if v != ""})
        read = {k: v for k, v in read.items() if v != ""}
    check_pointers(call, table, read)
    return read


def _compare_into(call: Call, save: Save, place: Place, row: Record, base: Record) -> None:
    table, key = place
    stored = call.data.tables[table].get(key)
    if stored is None:
        raise Refused(call.quirks.stale_error)
    changes = _allowed(call, compare(call, table, row, base, stored))
    if not changes:
        return
    check_pointers(call, table, changes)
    if table != "invoice_groups":
        check_work(call, changes)
    if table == "projects":
        check_unique(call, changes, key)
        check_entries(call, {"Contacts": changes.get("Contacts", [])}, Batch())
    save.edits[place] = changes


def _allowed(call: Call, changes: Record) -> Record:
    """Contacts and CRM flags are taken, ignored or refused as the quirks say (contract 10.6, 16)."""
    for names, switch in ((("Contacts",), call.quirks.project_contacts_v1), (CRM_FLAGS, call.quirks.crm_flags)):
        hit = [n for n in names if n in changes]
        if hit and switch == "error":
            raise Refused(INVALID_DATA)
        if switch == "ignore":
            changes = {n: v for n, v in changes.items() if n not in hit}
    if any(entry["ContactKey"] < 0 for entry in changes.get("Contacts", ())):
        # Contacts are made by UpdateContacts; a project's array only links them.
        raise Refused(INVALID_DATA)
    return changes


def _children_gone(call: Call, save: Save, missing: set[Place]) -> None:
    if not missing:
        return
    if call.quirks.delete_form == "reject":
        raise Refused("An unchanged record has no updated record.")
    save.gone = [place for place in missing if place[1] in call.data.tables[place[0]]]


def _save_v1(call: Call, save: Save) -> Record:
    """The whole project is saved: project and phases get one stamp (contract 14)."""
    data = call.data
    before = data.tables["projects"][save.project]["LastModifiedDate"]
    real: dict[Place, int] = {}
    for table, row in save.new:
        original = row.pop("#")
        _real_links(row, real)
        real[(table, original)] = data.insert(table, row)
    for (table, key), changes in save.edits.items():
        if table != "projects":
            _real_links(changes, real)
            data.edit(table, key, changes)
    for table, key in sorted(save.gone):
        data.delete(table, key)
    if save:
        data.edit("projects", save.project, save.edits.get(("projects", save.project), {}))
    shown = nested(call, save.project)
    if call.quirks.stamp_moves == "no":
        shown["LastModifiedDate"] = before
    _mark_new(shown, {(t, key): original for (t, original), key in real.items()})
    return shown


def _real_links(row: Record, real: dict[Place, int]) -> None:
    """Links to records that are new in this call, from their negative keys to the real ones."""
    for name, parent in (("InvoiceGroupKey", "invoice_groups"), ("ParentKey", "phases")):
        if is_int(row.get(name)) and row[name] < 0:
            row[name] = real[(parent, row[name])]


def _mark_new(project: Record, originals: dict[Place, int]) -> None:
    for group in project["InvoiceGroups"] if originals else ():
        if (where := ("invoice_groups", group["InvoiceGroupKey"])) in originals:
            group["OriginalInvoiceGroupKey"] = originals[where]
        _mark_phases(group["Phases"], originals)


def _mark_phases(phases: list[Record], originals: dict[Place, int]) -> None:
    for phase in phases:
        if (where := ("phases", phase["PhaseKey"])) in originals:
            phase["OriginalPhaseKey"] = originals[where]
        _mark_phases(phase["Phases"], originals)


# -- version 2 --------------------------------------------------------------------------------------------------------

_CHILDREN = {"PhaseKey": ("phases", "Phases"), "InvoiceGroupKey": ("invoice_groups", "InvoiceGroups")}


def _update_v2(call: Call) -> Content:
    """Changed objects with their key and only what changed; UnchangedProjects is a whole Content object."""
    changes, base = call.args.get("UpdatedProjects"), call.args.get("UnchangedProjects")
    if not isinstance(changes, list) or not changes or not isinstance(base, dict):
        raise Refused(INVALID_DATA)
    if not all(isinstance(base.get(n), list) for n in ("Projects", "InvoiceGroups", "Phases")):
        raise Refused(INVALID_DATA)
    edits = [_judge_v2(call, change, base) for change in changes]
    for table, key, changed in edits:
        if changed:
            call.data.edit(table, key, changed)
    return bundle(call, _projects_of(call, edits))


def _judge_v2(call: Call, change: Any, base: Record) -> tuple[str, int, Record]:
    if not isinstance(change, dict):
        raise Refused(INVALID_DATA)
    table, array, name = _target(call, change)
    key = change[name]
    stored = call.data.tables[table].get(key)
    twin = next((r for r in base[array] if isinstance(r, dict) and r.get(name) == key), None)
    if stored is None or twin is None or (table == "projects" and _NOT_ON_V2 & change.keys()):
        raise Refused(INVALID_DATA)
    custom = custom_names(call, table, stored) if has_custom(twin) or has_custom(change) else set()
    place = ("ProjectKey", "ParentKey", "InvoiceGroupKey") if table != "projects" else ()
    baseline = read_record(call, table, {k: v for k, v in twin.items() if k not in place}, custom)
    check_fresh(call, table, baseline, twin, stored)
    wanted = read_record(call, table, {k: v for k, v in change.items() if k not in place}, custom)
    changed = _allowed(call, _difference(wanted, baseline, stored))
    if not changed and call.quirks.noop_update == "error":
        raise Refused(f"No changes were made to {name} {key}.")
    check_pointers(call, table, changed)
    if table != "invoice_groups":
        check_work(call, changed)
    if table == "projects":
        check_unique(call, changed, key)
    return table, key, changed


def _target(call: Call, change: Record) -> tuple[str, str, str]:
    """A project, or with the quirk a phase or invoice group recognised by its key (contract 10.6: not found)."""
    for name, (table, array) in _CHILDREN.items():
        if is_int(change.get(name)):
            if call.quirks.update_children_v2 == "error":
                raise Refused(INVALID_DATA)
            return table, array, name
    if not is_int(change.get("ProjectKey")):
        raise Refused(INVALID_DATA)
    return "projects", "Projects", "ProjectKey"


def _difference(wanted: Record, baseline: Record, stored: Record) -> Record:
    fields = wanted.pop("CustomFields", {})
    held = stored.get("CustomFields") or {}
    changed = {
        n: v for n, v in wanted.items() if n != "LastModifiedDate" and not same(n, v, baseline.get(n, stored.get(n)))
    }
    if any(not same(n, v, held.get(n)) for n, v in fields.items()):
        check_fields(held, fields)
        changed["CustomFields"] = {**held, **fields}
    return changed


def _projects_of(call: Call, edits: list[tuple[str, int, Record]]) -> list[int]:
    keys = [key if table == "projects" else call.data.tables[table][key]["ProjectKey"] for table, key, _ in edits]
    return list(dict.fromkeys(keys))


METHODS = {"UpdateProjects": Method(update_projects, frozenset({1, 2}), writes=True)}

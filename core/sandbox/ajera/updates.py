"""The update pattern of clients, contacts, employees and vendors: updated and unchanged twins (contract 6.3 to 6.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from core.sandbox.ajera.call import INVALID_DATA, Call, Content, Refused, is_int
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.inward import (
    check_fields,
    check_pointers,
    custom_names,
    has_custom,
    read_record,
    same,
)
from core.sandbox.ajera.schema import TABLES, default_of

Check = Callable[[Call, Record, "int | None", "Batch"], None]
Show = Callable[[Call, int], Record]


@dataclass(frozen=True)
class Entity:
    """What one of the four Update methods needs to know: its table, wire names, own rules and how it is shown."""

    table: str
    plural: str
    singular: str
    check: Check
    show: Show
    new_per_call: Callable[[Call], int | None] = lambda _call: None

    @property
    def key(self) -> str:
        return TABLES[self.table].key


@dataclass
class Step:
    """One record that passed: what to save. `key` is None for a new one, `changes` None for a deleted one."""

    key: int | None
    original: int | None
    changes: Record | None


@dataclass
class Batch:
    """All records of one call, judged before any is saved. `names` are those that new records of the call take."""

    steps: list[Step] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    names: set[tuple[str, ...]] = field(default_factory=set)


def update(call: Call, entity: Entity) -> Content:
    """Judge every record, then save the good ones (or none, with UseSingleTransaction)."""
    updated, unchanged = _arrays(call, entity)
    single = call.flag("UseSingleTransaction")
    _check_keys(call, entity, updated)
    batch = Batch()
    twins = {record[entity.key]: record for record in unchanged}
    for record in updated:
        _judge(batch, lambda r=record: _step(call, entity, r, twins, batch))  # type: ignore[misc] # a default binds the loop's value
    for key in sorted(twins.keys() - {record[entity.key] for record in updated}):
        _judge(batch, lambda k=key: _twinless(call, entity, twins[k]))  # type: ignore[misc] # the same
    if batch.refused and (single or call.quirks.per_record_errors == "all"):
        call.errors.extend(batch.refused)
        return {}
    saved = [_save(call, entity, step) for step in batch.steps]
    if call.quirks.per_record_errors != "silent":
        call.errors.extend(batch.refused)
    return {entity.plural: saved, f"NumberOf{entity.plural}Updated": len(saved)} if saved or not call.errors else {}


def _arrays(call: Call, entity: Entity) -> tuple[list[Record], list[Record]]:
    """Both arrays are required, directly in MethodArguments: not wrapped in Content (contract 6.4)."""
    arrays = [call.args.get(f"{which}{entity.plural}") for which in ("Updated", "Unchanged")]
    for array in arrays:
        if not isinstance(array, list) or not all(isinstance(r, dict) and is_int(r.get(entity.key)) for r in array):
            raise Refused(INVALID_DATA)
    updated, unchanged = arrays
    assert updated is not None
    assert unchanged is not None
    return updated, unchanged


def _check_keys(call: Call, entity: Entity, updated: list[Record]) -> None:
    """Every new record needs its own negative number, nested ones included; nothing may come twice (contract 6.3)."""
    keys = [r[entity.key] for r in updated]
    arrays = [r["Contacts"] for r in updated if isinstance(r.get("Contacts"), list)]
    nested = [e.get("ContactKey") for array in arrays for e in array if isinstance(e, dict)]
    numbers = keys + [k for k in nested if is_int(k) and k < 0]
    nothing = not updated and not call.args["Unchanged" + entity.plural]
    if len(set(numbers)) != len(numbers) or 0 in keys or nothing:
        raise Refused(INVALID_DATA)
    limit = entity.new_per_call(call)
    if limit is not None and sum(k < 0 for k in keys) > limit:
        raise Refused(f"Only {limit} new {entity.singular.lower()} can be added at a time.")


def _judge(batch: Batch, decide: Callable[[], Step | None]) -> None:
    try:
        step = decide()
    except Refused as refused:
        batch.refused.append(refused)
        return
    if step is not None:
        batch.steps.append(step)


def _step(call: Call, entity: Entity, record: Record, twins: dict[int, Record], batch: Batch) -> Step | None:
    key = record[entity.key]
    if key < 0:
        if key in twins:
            raise Refused(INVALID_DATA)
        return _new(call, entity, record, batch)
    stored = call.data.tables[entity.table].get(key)
    if stored is None:
        raise Refused(f"{entity.singular} {key} does not exist.")
    if key not in twins:
        raise Refused(f"{entity.singular} {key} has no unchanged record.")
    changes = compare(call, entity.table, record, twins[key], stored)
    if not changes:
        return _no_difference(call, entity.table, key)
    check_pointers(call, entity.table, changes)
    entity.check(call, {**stored, **changes}, key, batch)
    return Step(key, None, changes)


def _no_difference(call: Call, table: str, key: int) -> Step:
    if call.quirks.noop_update == "error":
        raise Refused(f"No changes were made to {TABLES[table].key} {key}.")
    return Step(key, None, {})


def _new(call: Call, entity: Entity, record: Record, batch: Batch) -> Step:
    custom = custom_names(call, entity.table, None) if has_custom(record) else set()
    read = read_record(call, entity.table, record, custom)
    read.pop("LastModifiedDate", None)
    if "Status" in read and not read["Status"]:
        del read["Status"]
    check_pointers(call, entity.table, read)
    entity.check(call, {**TABLES[entity.table].blank(), **read}, None, batch)
    return Step(None, record[entity.key], read)


def _twinless(call: Call, entity: Entity, baseline: Record) -> Step:
    """A baseline without an updated twin: refused, or the way to delete, as the quirk says (contract 14)."""
    key = baseline[entity.key]
    stored = call.data.tables[entity.table].get(key)
    if call.quirks.delete_form == "reject" or stored is None:
        raise Refused(f"{entity.singular} {key} has no updated record.")
    check_fresh(call, entity.table, _read_known(call, entity.table, baseline, stored), baseline, stored)
    return Step(key, None, None)


def compare(call: Call, table: str, record: Record, baseline: Record, stored: Record) -> Record:
    """What the update changes, after the baseline proved fresh. Raises Refused when it is stale."""
    base = _read_known(call, table, baseline, stored)
    check_fresh(call, table, base, baseline, stored)
    wanted = _read_known(call, table, record, stored)
    wanted = _fill_missing(call, table, wanted, base)
    changes = {
        n: v for n, v in wanted.items() if n != "LastModifiedDate" and not same(n, v, base.get(n, stored.get(n)))
    }
    if "CustomFields" in changes:
        check_fields(stored.get("CustomFields") or {}, changes["CustomFields"])
        changes["CustomFields"] = {**(stored.get("CustomFields") or {}), **changes["CustomFields"]}
    return changes


def check_fresh(call: Call, table: str, base: Record, raw: Record, stored: Record) -> None:
    """Stamp and values of the baseline against what is stored (contract 6.5, 14)."""
    compare_by = call.quirks.stale_compare
    stamped = compare_by in ("both", "stamp") and TABLES[table].stamped
    if stamped and raw.get("LastModifiedDate") != stored["LastModifiedDate"]:
        raise Refused(call.quirks.stale_error)
    if compare_by in ("both", "values"):
        if any(not same(n, v, stored.get(n)) for n, v in base.items() if n not in ("LastModifiedDate", "CustomFields")):
            raise Refused(call.quirks.stale_error)
        fields = stored.get("CustomFields") or {}
        if any(not same(n, v, fields.get(n)) for n, v in base.get("CustomFields", {}).items()):
            raise Refused(call.quirks.stale_error)


def _read_known(call: Call, table: str, record: Record, stored: Record) -> Record:
    custom = custom_names(call, table, stored) if has_custom(record) else set()
    return read_record(call, table, record, custom)


def _fill_missing(call: Call, table: str, wanted: Record, base: Record) -> Record:
    missing = [n for n in base if n not in wanted and n != "LastModifiedDate"]
    if not missing or call.quirks.missing_property == "keep":
        return wanted
    if call.quirks.missing_property == "error":
        raise Refused(INVALID_DATA)
    cleared: Record = {n: default_of(TABLES[table].kinds[n]) for n in missing if n != "CustomFields"}
    gone = base.get("CustomFields", {}).keys() - wanted.get("CustomFields", {}).keys()
    if gone:
        cleared["CustomFields"] = {**wanted.get("CustomFields", {}), **dict.fromkeys(gone)}
    return {**wanted, **cleared}


def _save(call: Call, entity: Entity, step: Step) -> Record:
    data = call.data
    if step.changes is None:
        assert step.key is not None
        shown = entity.show(call, step.key)
        data.delete(entity.table, step.key)
        return {**shown, "Deleted": True}
    if step.key is not None:
        before = data.tables[entity.table][step.key].get("LastModifiedDate", "")
        originals = _save_nested(call, step.changes)
        if step.changes:
            data.edit(entity.table, step.key, step.changes)
        shown = entity.show(call, step.key)
        if call.quirks.stamp_moves == "no":
            shown["LastModifiedDate"] = before
        return _mark_originals(shown, originals)
    originals = _save_nested(call, step.changes)
    key = data.insert(entity.table, step.changes)
    return _mark_originals({**entity.show(call, key), f"Original{entity.singular}Key": step.original}, originals)


def _save_nested(call: Call, changes: Record) -> dict[int, int]:
    """New contacts and pay rates inside the record get their real keys; answers real key → original of contacts."""
    originals: dict[int, int] = {}
    for entry in changes.get("Contacts", ()):
        if entry["ContactKey"] < 0:
            named = {n: entry.get(n) or "" for n in ("FirstName", "MiddleName", "LastName", "Title", "Company")}
            key = call.data.insert("contacts", named)
            originals[key] = entry["ContactKey"]
            link = {"ContactKey": key, "Order": entry.get("Order") or 0, "Text": entry.get("Text") or ""}
            entry.clear()
            entry.update(link)
    for rate in changes.get("PayRates", ()):
        if rate["PayRateKey"] < 0:
            rate["PayRateKey"] = call.data.take_key("pay_rates")
    return originals


def _mark_originals(shown: Record, originals: dict[int, int]) -> Record:
    for entry in shown.get("Contacts", ()) if originals else ():
        if entry["ContactKey"] in originals:
            entry["OriginalContactKey"] = originals[entry["ContactKey"]]
    return shown


def check_status(record: Record, allowed: tuple[str, ...]) -> None:
    if record["Status"] not in allowed:
        raise Refused(INVALID_DATA)


def required(record: Record, *names: str) -> None:
    """Properties without which a record is not taken (inferred: contract 7.2, 16)."""
    for name in names:
        if not str(record.get(name) or "").strip():
            raise Refused(f"{name} is required.")


def has_any(record: Record, *names: str) -> bool:
    return any(str(record.get(name) or "").strip() for name in names)

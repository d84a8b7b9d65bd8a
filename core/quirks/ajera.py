"""How one Ajera tenant answers where the contract pages do not say.

One field per unknown of the Ajera contract (section 14 gives the defaults). The client of the real system and the
sandbox share this class: `[ajera.quirks]` in the settings, `--quirk NAME=VALUE` in the sandbox. Every default is the
reading that asks most care of a client, so that what works against the sandbox works against a kinder tenant too.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


class QuirkError(ValueError):
    """One or more quirk names or values are not known; `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def _choice(default: str, *others: str, section: str, about: str) -> Any:
    """A quirk with a closed set of values; the first is the default."""
    return field(default=default, metadata={"allowed": (default, *others), "section": section, "about": about})


def _number(default: int, *, low: int, high: int, section: str, about: str) -> Any:
    return field(default=default, metadata={"range": (low, high), "section": section, "about": about})


def _text(default: str, *, section: str, about: str) -> Any:
    return field(default=default, metadata={"section": section, "about": about})


@dataclass(frozen=True)
class AjeraQuirks:
    """All switches; each carries `allowed` (or `range`), `section` and `about` in its field metadata."""

    # -- envelope and errors (contract 3, 4) --------------------------------------------------------------------------
    success_code: str = _choice(
        "200", "0", section="4", about="ResponseCode of a successful call; 0 = 200 for CreateAPISession, 0 for the rest"
    )
    generic_first_error: str = _choice(
        "no", "yes", section="4", about="whether 'An error has occurred.' precedes the specific error"
    )
    zero_error_item: str = _choice(
        "no", "yes", section="4", about="whether a success carries a lone Errors item with ErrorID 0"
    )
    unknown_method: str = _choice(
        "error", "empty", section="4", about="unknown or forbidden method: -150 error, or success with empty Content"
    )
    method_arguments: str = _choice(
        "required", "optional", section="3.1", about="whether a call without MethodArguments is refused"
    )
    lenient_json: str = _choice("yes", "no", section="3.1", about="whether unquoted property names are accepted")
    null_properties: str = _choice(
        "omit", "null", "empty", section="3.2", about="a property without value: left out, sent as null, or as ''"
    )
    untyped_contact: str = _choice(
        "null", "omit", section="3.2", about="type text of a contact without type: explicit null, or like the others"
    )
    unknown_filter: str = _choice("ignore", "error", section="3.1", about="a filter name that the method does not have")
    missing_key: str = _choice("omit", "error", section="14", about="a key in a Get that does not exist")

    # -- limits (contract 5) ------------------------------------------------------------------------------------------
    throttle: str = _choice(
        "wait", "429", "error", section="5", about="over the rate: the request waits, HTTP 429, or a -100 error"
    )
    batch_limits: str = _choice(
        "employees", "all", section="5", about="which Gets refuse more than 50 keys: GetEmployees only, or every Get"
    )

    # -- sessions (contract 2) ----------------------------------------------------------------------------------------
    session_minutes: int = _number(20, low=1, high=10_080, section="2.3", about="life of a session token in minutes")
    session_sliding: str = _choice("yes", "no", section="2.3", about="whether use extends the life of a token")
    invalid_session_text: str = _text("Invalid Session", section="2.3", about="error text of a bad or expired token")
    v1_on_v2: str = _choice("refuse", "accept", section="15", about="a version 1 method called on a version 2 session")
    authorizing_employee: str = _choice(
        "yes", "no", section="1", about="whether the API user has an active authorizing employee (timesheets, groups)"
    )

    # -- dates and filters (contract 6.1, 6.2) ------------------------------------------------------------------------
    date_filter: str = _choice(
        "stamp", "day", section="6.1", about="modified-date filters: the time of day counts, or only the day"
    )
    date_bounds: str = _choice("inclusive", "exclusive", section="6.1", about="whether the bounds belong to the window")
    date_latest_day: str = _choice(
        "whole", "midnight", section="6.1", about="a bare latest date means the whole day, or its first moment"
    )
    date_returned_form: str = _choice(
        "accept", "ignore", "error", section="6.1", about="a filter in the form LastModifiedDate is returned in"
    )
    date_unreadable: str = _choice(
        "error", "ignore", section="6.1", about="a date filter that is in no known form: refused, or without effect"
    )
    date_zone: str = _choice("server", "utc", section="6.1", about="the zone in which a bare date of a filter is read")
    project_status_filter: str = _choice(
        "list", "active", section="6.2", about="a status list on ListProjects is honoured, or narrows to Active"
    )
    null_type_filter: str = _choice(
        "untyped", "nothing", section="6.2", about="null in a type filter selects records without type, or none"
    )
    contact_extra_filters: str = _choice(
        "ignore", "accept", section="8.1", about="FilterByNameLike and FilterByClient on ListContacts"
    )
    contact_link_rows: str = _choice(
        "yes", "no", section="8.1", about="whether ListContacts rows carry ContactClientKey and ContactVendorKey"
    )

    # -- updates (contract 6.3 to 6.5) --------------------------------------------------------------------------------
    stale_compare: str = _choice(
        "both", "stamp", "values", section="14", about="what of the baseline must equal what the server holds"
    )
    stale_error: str = _text(
        "The record was modified by another user.", section="14", about="error text of a stale baseline"
    )
    noop_update: str = _choice("error", "accept", section="6.4", about="an update without a difference to its baseline")
    delete_form: str = _choice(
        "reject", "delete", section="14", about="a baseline record without an updated twin: refused, or deleted"
    )
    missing_property: str = _choice(
        "clear", "keep", "error", section="6.4", about="a property in the baseline but not in the updated record"
    )
    unknown_property: str = _choice("error", "ignore", section="14", about="an unknown property in an update record")
    per_record_errors: str = _choice(
        "errors",
        "success",
        "silent",
        "all",
        section="6.4",
        about="partial success: error code with the good records in Content; success code with Errors; failed records "
        "only missing; or nothing is applied at all",
    )
    stamp_moves: str = _choice(
        "yes", "no", section="6.5", about="whether the answer of an update carries the new LastModifiedDate"
    )
    new_contacts_per_call: str = _choice("one", "many", section="8.3", about="new contacts in one UpdateContacts call")
    duplicate_contact_name: str = _choice("error", "accept", section="8.3", about="a second contact with the same name")
    contact_name_parts: str = _choice(
        "full",
        "first_last",
        section="14",
        about="the parts that make a contact's name: first, middle, last or no middle",
    )
    duplicate_client_name: str = _choice("accept", "error", section="16", about="a second client with the same name")
    long_text: str = _choice(
        "error", "cut", section="16", about="Description over 80 or project ID over 30 characters: refused, or cut"
    )

    # -- projects (contract 10) ---------------------------------------------------------------------------------------
    project_contacts_v1: str = _choice(
        "accept", "ignore", "error", section="10.6", about="Contacts edited in a version 1 UpdateProjects"
    )
    update_children_v2: str = _choice(
        "error", "accept", section="10.6", about="phases and invoice groups in UpdatedProjects of version 2"
    )
    crm_flags: str = _choice(
        "accept", "ignore", "error", section="16", about="writing SyncToCRM, CreateInCRM and CRMFinalSync"
    )
    create_extras: str = _choice(
        "ignore",
        "accept",
        "error",
        section="10.5",
        about="contract amounts, budgets, contacts and CRM flags in CreateProjects (custom fields are always ignored)",
    )
    create_phases: str = _choice(
        "flat", "nested", section="10.5", about="CreateProjects with nested phases: answered with a skeleton, or taken"
    )
    create_invoice_format: str = _choice(
        "optional", "required", section="10.5", about="InvoiceFormatKey of a new invoice group"
    )
    duplicate_project_id: str = _choice("accept", "error", section="10.5", about="a second project with the same ID")
    duplicate_project_name: str = _choice(
        "accept", "error", section="10.5", about="a second project with the same Description"
    )
    blank_project_id: str = _choice(
        "blank", "auto", section="10.5", about="a project created without ID stays without, or gets the next number"
    )
    child_moves_parent: str = _choice(
        "no", "yes", section="16", about="whether a change of a phase or invoice group moves the project's stamp"
    )
    transactions_move_stamp: str = _choice(
        "no", "yes", section="13", about="whether posted time moves the project's stamp"
    )
    totals_shape: str = _choice(
        "object",
        "array",
        "projects",
        section="10.4",
        about="ProjectTotals as one object, as an array, or as an array under Projects",
    )
    percent_scale: str = _choice(
        "hundred", "one", section="10.2", about="ReportedPercentComplete runs from 0 to 100, or from 0 to 1"
    )
    resource_link: str = _choice(
        "both", "PhaseKey", "ParentKey", section="10.2", about="what a version 2 resource calls its phase"
    )
    resources_v2: str = _choice("sent", "missing", section="10.2", about="whether version 2 Content has Resources")

    # -- timesheets (contract 12) -------------------------------------------------------------------------------------
    timesheet_day_one: str = _choice(
        "ends", "starts", section="12.2", about="TimesheetDate is the week's last day (D7), or its first (D1)"
    )

    @classmethod
    def from_pairs(cls, pairs: Mapping[str, object]) -> AjeraQuirks:
        """Build from names and texts as the settings or the command line give them.

        Raises QuirkError that names every unknown name (with the nearest known one) and every bad value at once.
        """
        known = {f.name: f for f in fields(cls)}
        problems: list[str] = []
        values: dict[str, Any] = {}
        for name, raw in pairs.items():
            if name not in known:
                problems.append(_unknown(name, list(known)))
                continue
            meta = known[name].metadata
            text = ("yes" if raw else "no") if isinstance(raw, bool) else str(raw)
            value, problem = _read(name, text, meta)
            if problem:
                problems.append(problem)
            else:
                values[name] = value
        if problems:
            raise QuirkError(problems)
        return cls(**values)

    @classmethod
    def describe(cls) -> list[tuple[str, str, str, str]]:
        """Rows of (name, default, allowed, what it switches and its contract section) for help and documentation."""
        return [(f.name, str(f.default), allowed_text(f.metadata), _about(f.metadata)) for f in fields(cls)]


def allowed_text(meta: Mapping[str, Any]) -> str:
    """The allowed values of one quirk in words."""
    if "allowed" in meta:
        return ", ".join(meta["allowed"])
    if "range" in meta:
        low, high = meta["range"]
        return f"{low} to {high}"
    return "any text"


def _about(meta: Mapping[str, Any]) -> str:
    return f"{meta['about']} (contract {meta['section']})"


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"; the nearest known name is {near[0]}" if near else ""
    return f"unknown quirk {name!r}{hint}"


def _read(name: str, text: str, meta: Mapping[str, Any]) -> tuple[Any, str | None]:
    if "allowed" in meta:
        bad = None if text in meta["allowed"] else text
        return text, None if bad is None else _bad(name, text, meta)
    if "range" in meta:
        low, high = meta["range"]
        if not text.lstrip("-").isdigit() or not low <= int(text) <= high:
            return None, _bad(name, text, meta)
        return int(text), None
    return text, None if text.strip() else _bad(name, text, meta)


def _bad(name: str, text: str, meta: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(text, meta.get("allowed", ()), n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]}" if near else ""
    return f"quirk {name}: {text!r} is not allowed ({allowed_text(meta)}){hint}"

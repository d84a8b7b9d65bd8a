"""How one CRM tenant (DPS 1.x or Vantagepoint) answers where the contract page does not say.

One field per unknown or switch of the CRM contract; the comment above each group names its section and probe. The
client of the real system and the sandbox share this class: ``[crm.quirks]`` in the settings, ``--quirk NAME=VALUE`` in
the sandbox. Defaults are the documented reading, or, where nothing is known, the one that asks most care of a client.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from core.quirks.ajera import QuirkError, allowed_text

__all__ = ["CrmQuirks", "QuirkError"]

_TRUE = frozenset({"yes", "y", "true", "1", "on"})
_FALSE = frozenset({"no", "n", "false", "0", "off"})


def _choice(default: str, *others: str, section: str, about: str) -> Any:
    """A switch with a closed set of values; the first is the default."""
    return field(default=default, metadata={"allowed": (default, *others), "section": section, "about": about})


def _switch(default: bool, *, section: str, about: str) -> Any:
    """A switch that is on or off, written yes or no."""
    return field(default=default, metadata={"allowed": ("yes", "no"), "section": section, "about": about})


def _number(default: int, *, low: int, high: int, section: str, about: str) -> Any:
    return field(default=default, metadata={"range": (low, high), "section": section, "about": about})


def _text(default: str, *, section: str, about: str) -> Any:
    """A name; an empty one means that the thing does not exist in this tenant."""
    return field(default=default, metadata={"section": section, "about": about})


@dataclass(frozen=True)
class CrmQuirks:
    """All switches; each carries `allowed` (or `range`), `section` and `about` in its field metadata."""

    # -- names of things whose name was not found (sections 11.1, 14; probes P7, P8, P9) ------------------------------
    firm_contact_flag: str = _text(
        "AjeraSync", section="14 P7", about="column of Contacts that ticks a firm's contact; '' = no such column"
    )
    project_contact_flag: str = _text(
        "AjeraSync", section="14 P7", about="column of PRContactAssoc that ticks a project's contact; '' = none"
    )
    template_field: str = _text(
        "ProjectTemplate", section="14 P7", about="column of PR for the Ajera Project Template; '' = none"
    )
    template_code_table: str = _text(
        "CFGAjeraProjectTemplate", section="14 P7", about="code table of the template column, as metadata names it"
    )
    project_contact_array: str = _text(
        "PRCONTACTASSOC", section="11.1 P9", about="array of contact rows that PUT /project takes; '' = not taken"
    )
    custom_marker: str = _text(
        "", section="8", about="user-defined column (Cust...) of firm, contact and project for an Ajera key; '' = none"
    )
    ajera_columns: bool = _switch(
        True, section="14 P8", about="whether Ajera synchronisation is enabled, so that its columns exist"
    )
    ajera_by_charge_type: bool = _switch(
        True, section="14", about="whether Ajera columns are refused on overhead and unlinked promotional projects"
    )

    # -- team rows (section 11.1, 11.3; probe P10) --------------------------------------------------------------------
    team_employee_type: str = _text("E", section="11.1 P10", about="RecordType of an employee in /teammember")
    team_contact_type: str = _text("C", section="11.1 P10", about="RecordType of a contact in /teammember")
    team_contact_key: str = _text(
        "ContactID", section="11.1 P10", about="column of a /teammember row with the contact's key; '' = not sent"
    )
    team_shows_flag: bool = _switch(
        True, section="11.1 P10", about="whether a contact's /teammember row carries the project contact flag"
    )
    crm_hours: str = _choice(
        "writable", "ignored", "refused", section="11.3", about="CRMHours of a team row written by the API"
    )
    original_values: str = _choice(
        "ignored", "enforced", section="7 P5", about="whether a row with stale _originalValues is refused"
    )
    parent_stamp_moves: bool = _switch(
        False, section="6 P3", about="whether a change of a child row moves the parent's ModDate"
    )

    custom_stamp_moves: bool = _switch(
        False, section="13 P3", about="whether a change of user-defined columns alone moves the record's ModDate"
    )

    # -- keys and numbers (section 8; probes P1, P2) ------------------------------------------------------------------
    client_keys: str = _choice(
        "accepted", "ignored", "refused", section="8 P1", about="ClientID, ContactID chosen by the client on POST"
    )
    put_missing: str = _choice("404", "400", "500", "create", section="8 P2", about="PUT to a key that does not exist")
    missing_get: str = _choice(
        "404", "empty", section="3", about="GET of a missing key: 404, or 200 with an empty array"
    )
    autonumber_firm: bool = _switch(True, section="8", about="whether firm numbers are handed out")
    autonumber_project: bool = _switch(False, section="8", about="whether project numbers are handed out")
    autonumber_employee: bool = _switch(True, section="8", about="whether employee numbers are handed out")
    autonumber_override: bool = _switch(
        True, section="8", about="whether a number may be sent while they are handed out"
    )
    autonumber_clash: str = _choice(
        "refused", "ignored", section="8", about="a number sent against the override rule: refused, or replaced"
    )
    number_padding: int = _number(
        0,
        low=0,
        high=20,
        section="8",
        about="digits to which sent firm, project, employee numbers are padded; 0 = none",
    )
    employee_length: int = _number(
        0, low=0, high=20, section="8", about="fixed length of employee numbers; 0 = any length"
    )
    employee_path: str = _choice(
        "number", "company", section="12", about="an employee's path key: Employee, or Employee|EmployeeCompany"
    )

    # -- lists (sections 4, 5; probes P4, P6) -------------------------------------------------------------------------
    default_page_size: int = _number(
        100, low=0, high=100_000, section="4 P6", about="rows of a hub list when no size is asked; 0 = all"
    )
    max_page_size: int = _number(
        1000, low=0, high=100_000, section="4 P6", about="most rows of a hub list, cut silently; 0 = no limit"
    )
    date_needs_type: bool = _switch(
        True, section="5 P4", about="whether a date filter without [type]=datetime selects nothing"
    )
    date_needs_zone: bool = _switch(
        True, section="5 P4", about="whether a date filter whose value has no zone selects nothing"
    )
    word_operators: str = _choice(
        "accepted", "empty", "error", section="5", about="operators written eq, ne, ge, ... instead of symbols"
    )
    like_percent: str = _choice("wildcard", "literal", section="5", about="a percent sign in the value of like")
    unknown_column: str = _choice("omitted", "error", section="4", about="a column in fieldFilter that does not exist")

    # -- writes (section 3; probes P11 to P14) ------------------------------------------------------------------------
    unknown_field: str = _choice("error", "ignored", section="3", about="a field in a body that does not exist")
    name_case: str = _choice(
        "ignored", "insensitive", "error", section="3", about="a field in a body spelled in another case"
    )
    empty_clears: bool = _switch(True, section="3 P12", about="whether an empty string clears a text field")
    null_value: str = _choice(
        "error", "clears", "ignored", section="3 P12", about="a JSON null: refused, clears, or without effect"
    )
    flattened_writes: str = _choice(
        "ignored", "address", "error", section="9", about="writing PrimaryAddress1, PrimaryEmail, ... of a firm"
    )
    address_label_unique: bool = _switch(
        False, section="8 9", about="whether a second address of a firm with the same label is refused"
    )
    fee_on_phased: str = _choice(
        "refused", "ignored", "accepted", section="11 P11", about="fees written to a project with phases"
    )
    contact_cap: int = _number(
        0, low=0, high=100, section="14 P13", about="most flagged contacts of a firm or project; 0 = not enforced"
    )
    delete_firm_in_use: str = _choice("refused", "accepted", section="15 P14", about="DELETE of a firm with projects")
    business_status: str = _choice("400", "500", section="15", about="status of a business error on a write")
    messages_repeat: bool = _switch(False, section="15", about="whether each sentence of a refusal comes twice")
    write_reply: str = _choice("array", "object", section="3", about="body of a POST or PUT reply")

    # -- token (section 2; probe P15) ---------------------------------------------------------------------------------
    token_seconds: int = _number(1799, low=1, high=86_400, section="2", about="life of an access token")
    token_early_death: int = _number(
        0, low=0, high=1_000_000, section="2", about="a session dies after so many calls; 0 = lives its full time"
    )
    token_parallel: bool = _switch(True, section="2 P15", about="whether a login leaves earlier ones alive")
    token_shared: bool = _switch(
        False, section="2", about="whether a second login gets the running token and its remaining life"
    )
    login_rights: str = _choice(
        "all", "read", section="2 15", about="rights of the login's role: a write without the right is a 403"
    )
    refresh_reuse: bool = _switch(False, section="2 P15", about="whether a refresh token can be used twice")

    @classmethod
    def from_pairs(cls, pairs: Mapping[str, object]) -> CrmQuirks:
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
            try:
                values[name] = _read(raw, known[name].default, known[name].metadata)
            except ValueError:
                problems.append(_bad(name, str(raw), known[name].metadata))
        if problems:
            raise QuirkError(problems)
        return cls(**values)

    @classmethod
    def describe(cls) -> list[tuple[str, str, str, str]]:
        """Rows of (name, default, allowed, what it switches and its contract section) for help and documentation."""
        return [(f.name, _shown(f.default), allowed_text(f.metadata), _about(f.metadata)) for f in fields(cls)]


def _shown(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _about(meta: Mapping[str, Any]) -> str:
    return f"{meta['about']} (contract {meta['section']})"


def _read(raw: object, default: Any, meta: Mapping[str, Any]) -> Any:
    """The value of one quirk; ValueError if it is not allowed."""
    text = (("yes" if raw else "no") if isinstance(raw, bool) else str(raw)).strip()
    if isinstance(default, bool):
        if text.lower() not in _TRUE | _FALSE:
            raise ValueError(text)
        return text.lower() in _TRUE
    if "allowed" in meta and text not in meta["allowed"]:
        raise ValueError(text)
    if "range" in meta:
        low, high = meta["range"]
        if not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)
    if "allowed" not in meta and text and not text.replace("_", "").isalnum():
        raise ValueError(text)
    return text


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"; the nearest known name is {near[0]}" if near else ""
    return f"unknown quirk {name!r}{hint}"


def _bad(name: str, text: str, meta: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(text, meta.get("allowed", ()), n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]}" if near else ""
    allowed = allowed_text(meta) if {"allowed", "range"} & set(meta) else "letters, digits and underscores, or nothing"
    return f"quirk {name}: {text!r} is not allowed ({allowed}){hint}"

"""What a CRM tenant answers where the contract does not say, found by reading (doctor --probe).

One probe per switch of CrmQuirks, each named after it and its row of the probe table (contract section 15). Those
that make records are in probe_writes.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

from core.crm import probe_rows, probe_writes
from core.crm.client import CrmClient, segment
from core.crm.hubs import HUBS, PROJECT_CONTACTS
from core.crm.probe_ground import PROBES, CrmGround, good, key_of, refused, words
from core.crm.probe_records import clean_up
from core.crm.query import Clause, Query, equals, moment_of, parameters, zulu
from core.crm.replies import rows_of
from core.crm.wire import Row, TableMeta, text_of
from core.model.values import Kind
from core.quirks.probing import Answer, ProbeReport, Undetermined

NO_SUCH_KEY: Final = "0" * 31 + "e"
NO_SUCH_COLUMN: Final = "AjerasyncProbe"
LARGE_PAGE: Final = 5000  # P6
TRIED: Final = 15  # projects whose team is looked at
KEY_LENGTH: Final = 8  # a text that may be a contact's key is at least so long

reads = PROBES.reads
REGISTERED: Final = (probe_rows, probe_writes)  # each registers its probes when imported


async def probe(
    client: CrmClient,
    *,
    defaults: Mapping[Kind, Mapping[str, str]],
    contact_cap: int = 5,
    writing: bool = False,
    only: Collection[str] | None = None,
    left: list[str] | None = None,
) -> ProbeReport:
    """Every switch of CrmQuirks, as this tenant shows it; `writing` lets probes make records of their own.

    `left` takes the names of records that stay, also where the probes are stopped half way. Raises Unreachable and
    LoginRefused where nothing can be asked at all.
    """
    await client.log_in()
    ground = CrmGround(client, defaults, contact_cap, left=[] if left is None else left)
    try:
        findings = await PROBES.find(ground, writing=writing, only=only)
    finally:
        if writing:
            await clean_up(ground)
    return ProbeReport(tuple(findings), tuple(ground.left))


# -- names that metadata tells (P7, P8) ------------------------------------------------------------


def _has_ajera(tables: Mapping[str, TableMeta] | list[TableMeta]) -> bool:
    each = tables.values() if isinstance(tables, Mapping) else tables
    return any(name.startswith("ajera") for table in each for name in table)


@reads("ajera_columns")
async def _ajera_columns(ground: CrmGround) -> Answer:
    catalogue = await ground.catalogue()
    there = _has_ajera([catalogue.tables[Kind.FIRM], catalogue.tables[Kind.PROJECT]])
    return there, "columns that begin with Ajera in the metadata of firms and projects"


async def _enabled(ground: CrmGround) -> None:
    catalogue = await ground.catalogue()
    if not _has_ajera([catalogue.tables[Kind.FIRM], catalogue.tables[Kind.PROJECT]]):
        raise Undetermined("Ajera synchronisation is not enabled in the CRM, so its columns are not there")


@reads("firm_contact_flag")
async def _firm_contact_flag(ground: CrmGround) -> Answer:
    await _enabled(ground)
    return (await ground.catalogue()).marks.get("contact", ""), "metadata of contacts: name, caption"


@reads("project_contact_flag")
async def _project_contact_flag(ground: CrmGround) -> Answer:
    await _enabled(ground)
    catalogue = await ground.catalogue()
    if not catalogue.rows.get(PROJECT_CONTACTS):
        raise Undetermined("the metadata of projects does not describe their contacts")
    return catalogue.marks.get("project_contact", ""), "metadata of a project's contacts: name, caption"


@reads("template_field")
async def _template_field(ground: CrmGround) -> Answer:
    await _enabled(ground)
    return (await ground.catalogue()).template or "", "metadata of projects: caption, name"


@reads("template_code_table")
async def _template_code_table(ground: CrmGround) -> Answer:
    name = (await ground.catalogue()).template_table()
    if not name:
        raise Undetermined("the project has no template column, or no code table behind it")
    return name, "CodeTable of the template column"


@reads("custom_marker")
async def _custom_marker(ground: CrmGround) -> Answer:
    """A user-defined text that firms, contacts and projects all have, and that speaks of Ajera."""
    catalogue = await ground.catalogue()
    tables = [catalogue.tables[kind] for kind in (Kind.FIRM, Kind.CONTACT, Kind.PROJECT)]
    shared = [name for name in tables[0] if all(name in table for table in tables)]
    for name in shared:
        meta = tables[0][name]
        if name.startswith("cust") and "ajera" in f"{name} {meta.caption}".lower():
            return meta.fieldname, f"user-defined column of firms, contacts and projects: {meta.caption}"
    return "", "no user-defined column of firms, contacts and projects speaks of Ajera"


# -- team rows (P10) -------------------------------------------------------------------------------


async def _members(ground: CrmGround) -> tuple[list[Row], list[Row]]:
    """Team rows of some projects: of employees, and of contacts. A row with an Employee is an employee's."""
    if "members" not in ground.made:
        employees: list[Row] = []
        contacts: list[Row] = []
        for row in (await ground.some(Kind.PROJECT, limit=100))[:TRIED]:
            for member in await ground.client.children("project", key_of(Kind.PROJECT, row), "teammember") or []:
                (employees if text_of(member.get("Employee")).strip() else contacts).append(member)
            if employees and contacts:
                break
        ground.made["members"] = employees, contacts
    found: tuple[list[Row], list[Row]] = ground.made["members"]
    return found


async def _contact_members(ground: CrmGround) -> list[Row]:
    contacts = (await _members(ground))[1]
    if not contacts:
        raise Undetermined("no project looked at has a contact")
    return contacts


@reads("team_employee_type")
async def _team_employee_type(ground: CrmGround) -> Answer:
    rows = (await _members(ground))[0]
    kind = text_of(rows[0].get("RecordType")).strip() if rows else ""
    if not kind:
        raise Undetermined("no project looked at has an employee with a RecordType")
    return kind, "RecordType of a team row with an employee"


@reads("team_contact_type")
async def _team_contact_type(ground: CrmGround) -> Answer:
    kind = text_of((await _contact_members(ground))[0].get("RecordType")).strip()
    if not kind:
        raise Undetermined("a contact's team row has no RecordType")
    return kind, "RecordType of a team row without an employee"


@reads("team_contact_key")
async def _team_contact_key(ground: CrmGround) -> Answer:
    """The column whose value is the key of a contact that exists."""
    row = (await _contact_members(ground))[0]
    likely = sorted(row, key=lambda name: "contact" not in name.lower())
    for name in likely:
        value = text_of(row[name]).strip()
        if len(value) < KEY_LENGTH or name.lower() in ("recordid", "firmid") or " " in value or "-" in value[:5]:
            continue
        if await ground.client.one("contact", value, ("ContactID",)) is not None:
            return name, "the column of a contact's team row that holds the key of a contact"
    return "", "no column of a contact's team row holds the key of a contact"


@reads("team_shows_flag", "project_contact_flag")
async def _team_shows_flag(ground: CrmGround) -> Answer:
    flag = str(ground.found.get("project_contact_flag") or "")
    if not flag:
        raise Undetermined("no column that ticks a project's contact is known")
    names = {name.lower() for row in await _contact_members(ground) for name in row}
    return flag.lower() in names, f"{flag} in a contact's team row"


# -- records and lists (P4, P6) --------------------------------------------------------------------


@reads("missing_get")
async def _missing_get(ground: CrmGround) -> Answer:
    reply = await ground.ask(f"firm/{NO_SUCH_KEY}", [("fieldFilter", "ClientID")])
    if reply.status == 404:
        return "404", "GET of a firm that does not exist"
    if refused(reply) or rows_of(reply):
        raise Undetermined(f"GET of a firm that does not exist: {words(reply)}")
    return "empty", "GET of a firm that does not exist"


@reads("employee_path")
async def _employee_path(ground: CrmGround) -> Answer:
    for row in await ground.some(Kind.EMPLOYEE, "EmployeeCompany"):
        number, company = text_of(row.get("Employee")).strip(), text_of(row.get("EmployeeCompany")).strip()
        for key, value in ((number, "number"), (f"{number}|{company}", "company")):
            reply = await ground.ask(f"employee/{segment(key)}", [("fieldFilter", "Employee")])
            if not refused(reply) and rows_of(reply):
                return value, f"GET of an employee by {value}"
    raise Undetermined("there are no employees, or none that can be read by key")


async def _largest(ground: CrmGround) -> tuple[Kind, int, int]:
    """The hub where most rows come without a size, that number, and the number that comes when 5,000 are asked."""
    if "pages" not in ground.made:
        found = []
        for kind in (Kind.CONTACT, Kind.FIRM, Kind.PROJECT):
            query = Query((HUBS[kind].key,), order=HUBS[kind].key)
            found.append((kind, len(await ground.rows(kind, query)), len(await ground.rows(kind, query, LARGE_PAGE))))
        ground.made["pages"] = max(found, key=lambda each: (each[2], each[1]))
    pages: tuple[Kind, int, int] = ground.made["pages"]
    return pages


async def _more(ground: CrmGround, kind: Kind, offset: int) -> bool:
    """Whether the list has a row after so many."""
    query = parameters(Query((HUBS[kind].key,), order=HUBS[kind].key), 1, offset)
    return bool(good(await ground.ask(HUBS[kind].path, query)))


@reads("default_page_size")
async def _default_page_size(ground: CrmGround) -> Answer:
    kind, unasked, asked = await _largest(ground)
    if unasked < asked:
        return unasked, f"rows of the list of {kind}s without a size"
    if not await _more(ground, kind, unasked):
        raise Undetermined(f"all {unasked} {kind}s come without a size: more are needed to see a limit")
    raise Undetermined(f"{unasked} rows come with and without a size: the greatest page hides the default one")


@reads("max_page_size")
async def _max_page_size(ground: CrmGround) -> Answer:
    kind, _, asked = await _largest(ground)
    if asked >= LARGE_PAGE:
        return 0, f"{asked} rows came at once; none more were asked for"
    if not await _more(ground, kind, asked):
        raise Undetermined(f"all {asked} {kind}s come at once: more are needed to see a limit")
    return asked, f"rows of the list of {kind}s when {LARGE_PAGE} are asked for"


async def _a_firm(ground: CrmGround) -> Row:
    """A firm with a stamp and a name of some length."""
    for row in await ground.some(Kind.FIRM, "Name"):
        name = text_of(row.get("Name")).strip()
        if moment_of(text_of(row.get("ModDate"))) and len(name) > 5 and name.isascii() and "%" not in name:
            return row
    raise Undetermined("there is no firm with a name of some length")


async def _selects(ground: CrmGround, row: Row, clause: Clause) -> bool | None:
    """Whether a filter selects the firm; None where it is refused."""
    only = equals("ClientID", text_of(row["ClientID"]))
    reply = await ground.ask("firm", parameters(Query(("ClientID",), (only, clause)), 1))
    return None if refused(reply) else bool(rows_of(reply))


async def _date_selects(ground: CrmGround, row: Row, *, typed: bool, zoned: bool) -> bool:
    """Whether a date filter in some form selects a firm that was modified later. Raises Undetermined where even the
    documented form does not, or where any date does."""
    moment = moment_of(text_of(row["ModDate"]))
    assert moment is not None
    kind = "datetime" if typed else ""
    before, after = (zulu(moment + timedelta(days=days)) for days in (-2, 2))
    if not zoned:
        before, after = before.removesuffix("Z"), after.removesuffix("Z")
    if await _selects(ground, row, Clause("ModDate", after, ">=", kind)):
        raise Undetermined("a date filter in this form is ignored")
    return bool(await _selects(ground, row, Clause("ModDate", before, ">=", kind)))


@reads("date_needs_type")
async def _date_needs_type(ground: CrmGround) -> Answer:
    row = await _a_firm(ground)
    if not await _date_selects(ground, row, typed=True, zoned=True):
        raise Undetermined("the date filter does not work in the documented form")
    return not await _date_selects(ground, row, typed=False, zoned=True), "a ModDate filter without [type]=datetime"


@reads("date_needs_zone")
async def _date_needs_zone(ground: CrmGround) -> Answer:
    row = await _a_firm(ground)
    if not await _date_selects(ground, row, typed=True, zoned=True):
        raise Undetermined("the date filter does not work in the documented form")
    return not await _date_selects(ground, row, typed=True, zoned=False), "a ModDate filter without a zone"


@reads("word_operators")
async def _word_operators(ground: CrmGround) -> Answer:
    row = await _a_firm(ground)
    selected = await _selects(ground, row, Clause("Name", text_of(row["Name"]), "eq"))
    value = "error" if selected is None else "accepted" if selected else "empty"
    return value, "a filter with the operator eq"


@reads("like_percent")
async def _like_percent(ground: CrmGround) -> Answer:
    row = await _a_firm(ground)
    name = text_of(row["Name"]).strip()
    if not await _selects(ground, row, Clause("Name", name[:5], "like")):
        raise Undetermined("like does not find a firm by the beginning of its name")
    selected = await _selects(ground, row, Clause("Name", f"{name[:2]}%{name[-2:]}", "like"))
    return "wildcard" if selected else "literal", "like with a percent sign inside a name"


@reads("unknown_column")
async def _unknown_column(ground: CrmGround) -> Answer:
    reply = await ground.ask("firm", parameters(Query(("ClientID", NO_SUCH_COLUMN)), 1))
    return "error" if refused(reply) else "omitted", "a list with a column that does not exist"


# -- tokens (P15) ----------------------------------------------------------------------------------


@reads("token_shared")
async def _token_shared(ground: CrmGround) -> Answer:
    first, second = await ground.client.session.another(), await ground.client.session.another()
    return first.access == second.access, "the tokens of two logins, one after the other"


@reads("token_seconds", "token_shared")
async def _token_seconds(ground: CrmGround) -> Answer:
    seconds = (await ground.client.session.another()).seconds
    if not seconds:
        raise Undetermined("the login does not say how long its token lives")
    if ground.found.get("token_shared"):
        raise Undetermined(f"logins share a token, which has {seconds} s left: its whole life is not told")
    return seconds, "expires_in of a login"


@reads("token_parallel")
async def _token_parallel(ground: CrmGround) -> Answer:
    first, second = await ground.client.session.another(), await ground.client.session.another()
    if first.access == second.access:
        raise Undetermined("logins share a token")
    reply = await ground.client.raw("GET", "firm", params=parameters(Query(("ClientID",)), 1), token=first.access)
    return reply.status != 401, "a call with the token of an earlier login"


@reads("refresh_reuse")
async def _refresh_reuse(ground: CrmGround) -> Answer:
    first = await ground.client.session.another()
    if not first.refresh or await ground.client.session.refreshed(first.refresh) is None:
        raise Undetermined("a refresh token is not given, or not taken")
    return await ground.client.session.refreshed(first.refresh) is not None, "the same refresh token a second time"

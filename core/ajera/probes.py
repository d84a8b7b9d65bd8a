"""What an Ajera tenant answers where the contract does not say, found by reading (doctor --probe).

One probe per switch of AjeraQuirks, each named after it. Those that make records are in probe_writes.py. Nothing of
employees is asked for: their records hold pay.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from core.ajera import names, probe_dates, probe_projects, probe_writes
from core.ajera.client import AjeraClient
from core.ajera.names import ENTITIES
from core.ajera.probe_ground import EARLIEST, PROBES, YEARS, AjeraGround, Reply
from core.ajera.probe_records import clean_up
from core.ajera.wire import Raw, read_amount, read_day, read_key, read_stamp
from core.errors import AccessRefused, LoginRefused
from core.model.values import Kind
from core.quirks.probing import Answer, ProbeReport, Undetermined
from core.text import safe_line

NO_SUCH_KEY: Final = 2_147_483_600
NO_SUCH_SESSION: Final = "ajerasync-probe-no-session"
TRIED: Final = 15  # projects of a sample that are asked for one by one
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

reads = PROBES.reads
REGISTERED: Final = (probe_dates, probe_projects, probe_writes)  # each registers its probes when imported


async def probe(
    client: AjeraClient,
    *,
    now: Callable[[], datetime],
    writing: bool = False,
    only: Collection[str] | None = None,
    left: list[str] | None = None,
) -> ProbeReport:
    """Every switch of AjeraQuirks, as this tenant shows it; `writing` lets probes make records of their own.

    `left` takes the names of records that stay, also where the probes are stopped half way. Raises Unreachable and
    LoginRefused where nothing can be asked at all.
    """
    await client.session()
    ground = AjeraGround(client, now, left=[] if left is None else left)
    try:
        findings = await PROBES.find(ground, writing=writing, only=only)
    finally:
        if writing:
            await clean_up(ground)
    return ProbeReport(tuple(findings), tuple(ground.left))


# -- envelope and errors ---------------------------------------------------------------------------


@reads("success_code")
async def _success_code(ground: AjeraGround) -> Answer:
    reply = await ground.ask("ListCompanies", {})
    if reply.refused:
        raise Undetermined(f"ListCompanies was refused: {reply.words}")
    return str(int(reply.envelope.ResponseCode or 0)), "ResponseCode of ListCompanies"


@reads("generic_first_error")
async def _generic_first_error(ground: AjeraGround) -> Answer:
    reply = await _a_refusal(ground)
    first = reply.envelope.Errors[0].ErrorMessage if reply.envelope.Errors else reply.envelope.Message
    return "yes" if first == names.GENERIC_ERROR else "no", "first error of a call with an argument of the wrong type"


async def _a_refusal(ground: AjeraGround) -> Reply:
    """The refusal that was seen live: an array where GetProjectTotals wants one number (10.4)."""
    reply = await ground.ask("GetProjectTotals", {"RequestedProjectTotals": [NO_SUCH_KEY]})
    if not reply.refused:
        raise Undetermined("no call of the probes was refused")
    return reply


@reads("zero_error_item")
async def _zero_error_item(ground: AjeraGround) -> Answer:
    reply = await ground.ask("ListCompanies", {})
    if reply.refused:
        raise Undetermined(f"ListCompanies was refused: {reply.words}")
    return "yes" if reply.envelope.Errors else "no", "Errors of a call that worked"


@reads("unknown_method")
async def _unknown_method(ground: AjeraGround) -> Answer:
    reply = await ground.ask("ListAjerasyncProbes", {})
    return "error" if reply.refused else "empty", "call of ListAjerasyncProbes, which does not exist"


@reads("method_arguments")
async def _method_arguments(ground: AjeraGround) -> Answer:
    reply = await ground.ask("ListCompanies", None)
    return "required" if reply.refused else "optional", "ListCompanies without MethodArguments"


@reads("lenient_json")
async def _lenient_json(ground: AjeraGround) -> Answer:
    reply = await ground.ask("ListCompanies", {}, unquoted=True)
    return "no" if reply.refused else "yes", "ListCompanies with property names without quotes"


@reads("null_properties")
async def _null_properties(ground: AjeraGround) -> Answer:
    """Keys and dates have no text form of their own, so a missing one shows how nothing is sent."""
    wanted = {
        Kind.FIRM: ("DateEstablished", "ClientTypeKey", "EmailStatementTemplateKey"),
        Kind.PROJECT: ("EstimatedStartDate", "EstimatedCompletionDate", "ActualCompletionDate", "WageTableKey"),
    }
    absent = False
    for kind, properties in wanted.items():
        for row in await ground.sample(kind):
            for name in properties:
                if name in row and row[name] in (None, ""):
                    return "null" if row[name] is None else "empty", f"{name} of a {kind}"
                absent = absent or name not in row
    if not absent:
        raise Undetermined("every date and key of the records looked at has a value")
    return "omit", "dates and keys without value are left out"


@reads("untyped_contact", "null_properties")
async def _untyped_contact(ground: AjeraGround) -> Answer:
    if ground.found.get("null_properties") == "null":
        raise Undetermined("every empty property is null here, so it makes no difference")
    row = next((row for row in await ground.sample(Kind.CONTACT) if not read_key(row.get("ContactTypeKey"))), None)
    if row is None:
        raise Undetermined("every contact looked at has a type")
    sent = "ContactTypeDescription" in row and row["ContactTypeDescription"] is None
    return "null" if sent else "omit", "ContactTypeDescription of a contact without type"


@reads("unknown_filter")
async def _unknown_filter(ground: AjeraGround) -> Answer:
    reply = await ground.ask("ListClients", {"FilterByAjerasyncProbe": "x"})
    return "error" if reply.refused else "ignore", "ListClients with a filter that does not exist"


@reads("missing_key")
async def _missing_key(ground: AjeraGround) -> Answer:
    reply = await ground.ask("GetClients", {"RequestedClients": [NO_SUCH_KEY]})
    ground.made["missing key"] = reply.words
    return "error" if reply.refused else "omit", "GetClients with a key that does not exist"


@reads("batch_limits", "missing_key")
async def _batch_limits(ground: AjeraGround) -> Answer:
    keys = sorted(await ground.listed(Kind.FIRM))[:51]
    padding = [NO_SUCH_KEY + n for n in range(51 - len(keys))]
    reply = await ground.ask("GetClients", {"RequestedClients": keys + padding})
    if padding and reply.refused and reply.words == ground.made.get("missing key"):
        raise Undetermined("fewer than 51 clients, and a missing key is refused in the same words as too many")
    return "all" if reply.refused else "employees", "GetClients with 51 keys"


# -- sessions --------------------------------------------------------------------------------------


@reads("session_minutes")
async def _session_minutes(ground: AjeraGround) -> Answer:
    session = await ground.client.another_session()
    asked = ground.client.date or ground.now()
    await ground.client.end(session)
    ends = read_stamp(session.SessionExpiration.replace("T", " ", 1))
    if ends is None:
        raise Undetermined("the login does not say when its session ends")
    minutes = max(1, round((ends - asked).total_seconds() / 60))
    return minutes, f"SessionExpiration of a new session, {minutes} minutes ahead"


@reads("invalid_session_text")
async def _invalid_session_text(ground: AjeraGround) -> Answer:
    reply = await ground.ask("ListCompanies", {}, token=NO_SUCH_SESSION)
    if not reply.refused:
        raise Undetermined("a token that was never given is accepted")
    return safe_line(reply.words, 200), "ListCompanies with a token that was never given"


@reads("v1_on_v2")
async def _v1_on_v2(ground: AjeraGround) -> Answer:
    reply = await ground.ask("ListClients", {EARLIEST: _far(ground)}, version=2)
    return "refuse" if reply.refused else "accept", "ListClients on a version 2 session"


def _far(ground: AjeraGround) -> str:
    return f"{ground.now().year + YEARS}-01-01"


@reads("authorizing_employee")
async def _authorizing_employee(ground: AjeraGround) -> Answer:
    session = await ground.client.session()
    if session.Timesheets is not None:
        return "yes" if session.Timesheets.UserHasAccess else "no", "Timesheets.UserHasAccess of the session"
    reply = await ground.ask("ListAccountGroups", {})
    return "no" if reply.refused else "yes", "ListAccountGroups, which needs an authorizing employee"


# -- filters ---------------------------------------------------------------------------------------


@reads("project_status_filter")
async def _project_status_filter(ground: AjeraGround) -> Answer:
    everything, active = await ground.listed(Kind.PROJECT), await ground.listed(Kind.PROJECT, FilterByStatus=["Active"])
    others = ["Preliminary", "Hold", "WorkHold", "BillingHold", "Closed", "Marketing"]
    rest = await ground.listed(Kind.PROJECT, FilterByStatus=others)
    if active and rest == active:
        return "active", "a list of the other statuses sends the active projects"
    if rest and rest == everything - active:
        return "list", "a list of statuses sends the projects of these"
    raise Undetermined("all projects are active, or the filter answers something else")


@reads("null_type_filter")
async def _null_type_filter(ground: AjeraGround) -> Answer:
    places = (
        (Kind.CONTACT, "ContactTypeKey", "FilterByContactType"),
        (Kind.PROJECT, "ProjectTypeKey", "FilterByProjectType"),
    )
    for kind, prop, name in places:
        row = next((row for row in await ground.sample(kind) if not read_key(row.get(prop))), None)
        if row is not None:
            selected = read_key(row.get(ENTITIES[kind].key)) in await ground.listed(kind, **{name: [None]})
            return "untyped" if selected else "nothing", f"{name} with null, and a {kind} without type"
    raise Undetermined("every contact and project looked at has a type")


@reads("contact_extra_filters")
async def _contact_extra_filters(ground: AjeraGround) -> Answer:
    if not await ground.listed(Kind.CONTACT):
        raise Undetermined("there are no contacts")
    reply = await ground.ask("ListContacts", {"FilterByNameLike": "zq ajerasync probe zq"})
    if reply.refused:
        raise Undetermined(f"FilterByNameLike was refused: {reply.words}")
    return "ignore" if reply.content.get("Contacts") else "accept", "FilterByNameLike with a name that nobody has"


@reads("contact_link_rows")
async def _contact_link_rows(ground: AjeraGround) -> Answer:
    rows = (await ground.content("ListContacts", {})).get("Contacts") or []
    if any("ContactClientKey" in row or "ContactVendorKey" in row for row in rows):
        return "yes", "rows of ListContacts carry ContactClientKey"
    linked = [row for row in await ground.sample(Kind.CONTACT) if read_key(row.get("ContactClientKey"))]
    if not linked:
        raise Undetermined("no contact looked at belongs to a client")
    return "no", "the row of a contact with a client does not carry ContactClientKey"


# -- projects and timesheets -----------------------------------------------------------------------


@reads("totals_shape")
async def _totals_shape(ground: AjeraGround) -> Answer:
    for key in await _project_keys(ground):
        reply = await ground.ask("GetProjectTotals", {"RequestedProjectTotals": key})
        for name, shape in (("ProjectTotals", "array"), ("Projects", "projects")):
            found = reply.content.get(name)
            if found and not reply.refused:
                return "object" if isinstance(
                    found, dict
                ) and name == "ProjectTotals" else shape, f"{name} of a project"
    raise Undetermined("no project looked at has totals")


async def _project_keys(ground: AjeraGround) -> list[int]:
    keys = [read_key(row.get("ProjectKey")) for row in await ground.sample(Kind.PROJECT)]
    return [key for key in keys if key is not None][-TRIED:]


@reads("percent_scale")
async def _percent_scale(ground: AjeraGround) -> Answer:
    """A guess from the values: the greatest of those that are not 0."""
    shares = [share for row in await ground.sample(Kind.PROJECT) for share in _shares(row)]
    if any(share > 1 for share in shares):
        return "hundred", "a percent complete above 1"
    if any(0 < share < 1 for share in shares) and sum(share > 0 for share in shares) > 1:
        return "one", f"{sum(share > 0 for share in shares)} values above 0, none above 1: a guess"
    raise Undetermined("no project or phase looked at says how much of it is complete")


def _shares(row: Raw) -> list[Decimal]:
    """ReportedPercentComplete of a nested project and its phases."""
    own = read_amount(row.get("ReportedPercentComplete"))
    parts = [*(row.get("InvoiceGroups") or []), *(row.get("Phases") or [])]
    below = [share for part in parts if isinstance(part, dict) for share in _shares(part)]
    return [own, *below] if own is not None else below


async def _bundle(ground: AjeraGround) -> Raw:
    """The version 2 Content of some projects."""
    keys = await _project_keys(ground)
    if not keys:
        raise Undetermined("there are no projects")
    return await ground.content("GetProjects", {"RequestedProjects": keys}, version=2)


@reads("resources_v2")
async def _resources_v2(ground: AjeraGround) -> Answer:
    return "sent" if "Resources" in await _bundle(ground) else "missing", "GetProjects on a version 2 session"


@reads("resource_link")
async def _resource_link(ground: AjeraGround) -> Answer:
    rows = (await _bundle(ground)).get("Resources") or []
    links = [name for name in ("PhaseKey", "ParentKey") if any(row.get(name) for row in rows)]
    if not links:
        raise Undetermined("no project looked at has resources")
    return "both" if len(links) == 2 else links[0], "Resources of GetProjects on a version 2 session"


@reads("timesheet_day_one")
async def _timesheet_day_one(ground: AjeraGround) -> Answer:
    session = await ground.client.session()
    start = (session.Timesheets.TimeStartOfWeek if session.Timesheets else "").strip().casefold()
    if start not in WEEKDAYS:
        raise Undetermined("the session does not say on which day the week starts")
    day = await _a_timesheet_day(ground)
    ahead = (day.weekday() - WEEKDAYS.index(start)) % 7
    if ahead not in (0, 6):
        raise Undetermined(f"a timesheet is dated on the week's day {ahead + 1}, neither its first nor its last")
    return "ends" if ahead == 6 else "starts", f"a week starts on {start}, a timesheet is dated {day}"


async def _a_timesheet_day(ground: AjeraGround) -> date:
    """The date of a timesheet of the last weeks, in windows that the silent cut of the list cannot harm."""
    for back in (0, 7, 14, 21, 28, 56):
        last = ground.now().date() - timedelta(days=back)
        filters = {
            "FilterByEarliestTimesheetDate": (last - timedelta(days=6)).isoformat(),
            "FilterByLatestTimesheetDate": last.isoformat(),
        }
        try:
            rows = await ground.client.list_timesheets(filters)
        except (AccessRefused, LoginRefused) as error:
            raise Undetermined(f"timesheets are not for this user: {error}") from None
        days = [day for row in rows if (day := read_day(row.get("Timesheet Date")))]
        if days:
            return days[0]
    raise Undetermined("there is no timesheet of the last weeks")

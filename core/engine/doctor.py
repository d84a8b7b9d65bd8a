"""What `doctor` finds: what both systems say of themselves, held against the rules. Pure; `core.doctor` asks.

settings_check ...  in core.doctor, which knows the settings file and its secrets
checks(facts)       everything else, in the order a person would look
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from core.errors import AjerasyncError, SystemFailure
from core.model.values import FieldType, Kind, Side
from core.policy import ConflictPolicy, Policy, mode_for
from core.ports import Connection

OK, WARN, FAIL = "ok", "warn", "fail"
SKEW: Final = 120.0  # seconds: the overlap of the cursors
SHOWN: Final = 5
NAMES: Final = {Side.AJERA: "Ajera", Side.CRM: "CRM"}
BURST, WITHIN = 10, timedelta(seconds=60)  # saves by one user that no person makes
BURST_AGE: Final = timedelta(days=14)
ALL_TICKS: Final = frozenset({"firm", "contact", "project", "project_contact", "template"})
AUTO_RUN: Final = "Set Auto Run to None in Ajera (Setup > Company > Preferences > Integration > CRM), or make sure that it is somebody else"

Answers = Mapping[Side, Connection | AjerasyncError]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, `state` ok, warn or fail, what was found, what to do."""

    check: str
    state: str
    message: str
    way_out: str = ""


class Rights(Protocol):
    """core.ajera.survey.AjeraSurvey."""

    @property
    def rights(self) -> Mapping[str, str]: ...
    @property
    def untried(self) -> tuple[str, ...]: ...
    @property
    def offset(self) -> timedelta | None: ...
    @property
    def final_syncs(self) -> int: ...
    @property
    def employee_types(self) -> tuple[str, ...]: ...


class Save(Protocol):
    """core.crm.survey.Save."""

    @property
    def kind(self) -> Kind: ...
    @property
    def user(self) -> str: ...
    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """The store of this profile: `problem` where it cannot be read, `there` whether it was made yet."""

    there: bool = False
    problem: str = ""
    records: int = 0
    stale: str = ""
    last_good: str = ""
    waiting: Mapping[str, int] = field(default_factory=dict)
    running: str = ""
    lease: str = ""
    paused: bool = False
    next_run: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was asked. `ajera` and `saves` are None where they could not be asked."""

    answers: Answers
    now: datetime
    policy: Policy
    direction: str = "auto"
    crm_user: str = ""
    cron: str = ""
    timezone: str = "UTC"
    ajera: Rights | None = None
    saves: Sequence[Save] | None = None
    store: StoreFacts = field(default_factory=StoreFacts)
    trouble: Mapping[Side, str] = field(default_factory=dict)


def checks(facts: Facts) -> list[Check]:
    """All findings but those of the settings file."""
    found: list[Check] = []
    for side, answer in facts.answers.items():
        if isinstance(answer, Connection):
            found += _connection_checks(side, answer, facts.policy)
        else:
            found.append(_failure(side, answer))
        if side in facts.trouble:
            found.append(Check(f"{NAMES[side]}, closer look", WARN, facts.trouble[side], "Run doctor again"))
    ajera, crm = facts.answers.get(Side.AJERA), facts.answers.get(Side.CRM)
    if isinstance(ajera, Connection):
        found += _ajera_checks(ajera, facts)
    if isinstance(crm, Connection):
        found += _mark_checks(crm)
        found.append(_number_check(crm))
    if isinstance(ajera, Connection) and isinstance(crm, Connection):
        found += [*_template_pairs(ajera, crm), *_code_checks(ajera, crm, facts.policy), *_role_checks(crm, facts)]
    found += [*_deltek_checks(facts), *_store_checks(facts), *_schedule_checks(facts)]
    return found


def exit_code(found: Iterable[Check], answers: Answers) -> int:
    """3 where a system could not be reached or refused the login, 2 for settings, 1 where something is not ok, else 0."""
    codes = [answer.exit_code for answer in answers.values() if isinstance(answer, AjerasyncError)]
    if any(code > 1 for code in codes):
        return max(codes)
    return 1 if any(check.state != OK for check in found) else 0


# -- connections -----------------------------------------------------------------------------------


def _failure(side: Side, error: AjerasyncError) -> Check:
    way_out = "Check address, user and network" if isinstance(error, SystemFailure) else "Check the settings"
    return Check(f"{NAMES[side]}, connection", FAIL, str(error), way_out)


def _connection_checks(side: Side, connection: Connection, policy: Policy) -> Iterator[Check]:
    name = NAMES[side]
    told = ", ".join(part for part in (connection.company, connection.version) if part)
    yield Check(f"{name}, connection", OK, f"connected{f': {told}' if told else ''}")
    for text in connection.warnings:
        defaults = "[crm.defaults" in text
        yield Check(f"{name}, {'new records' if defaults else 'warning'}", WARN, text, _warning_way_out(text))
    yield _clock_check(side, connection.clock_offset, policy)
    for (kind, name_of), reason in sorted(connection.stopped.items()):
        yield Check(f"{name}, field {kind.value}.{name_of}", WARN, reason, _field_way_out(kind, name_of))
    if not connection.stopped:
        yield Check(f"{name}, field map", OK, "every mapped field can be used")


def _warning_way_out(text: str) -> str:
    if "[crm.defaults" in text:
        return "Give the column a value under [crm.defaults] in the settings"
    return "Have the system's administrator look at it"


def _field_way_out(kind: Kind, name: str) -> str:
    return f'Map it or switch it off: [sync.fields] "{kind.value}.{name}" = {{ on = false }}'


def _clock_check(side: Side, offset: float | None, policy: Policy) -> Check:
    name = f"{NAMES[side]}, clock"
    if offset is None:
        newest = ConflictPolicy.NEWEST in policy.conflicts.values()
        way_out = 'Conflicts that take the "newest" value will ask instead' if newest else ""
        return Check(name, WARN if newest else OK, "the server does not tell its time", way_out)
    message = f"{abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} this machine"
    if abs(offset) > SKEW:
        return Check(name, WARN, message, "Set the clock of this machine or of the server")
    return Check(name, OK, message)


# -- Ajera alone -----------------------------------------------------------------------------------


def _ajera_checks(ajera: Connection, facts: Facts) -> Iterator[Check]:
    mode = mode_for(ajera.version, facts.direction)
    unknown = "Both ways need Ajera 8.09 or later" if ajera.version is None else ""
    yield Check("direction", WARN if unknown else OK, f"{mode.direction.value}: {mode.reason}", unknown)
    if facts.ajera is not None:
        yield from _right_checks(facts.ajera)
        yield _zone_check(facts, facts.ajera.offset)
    yield from _template_checks(ajera, facts.policy)


def _right_checks(ajera: Rights) -> Iterator[Check]:
    for method, reason in ajera.rights.items():
        if reason:
            yield Check(
                f"Ajera, right {method}",
                WARN,
                reason,
                "Tick it for the API user in Ajera (Utility > Setup Integrations > API Settings); it may take 10 minutes",
            )
    good = sum(not reason for reason in ajera.rights.values())
    message = f"{good} methods can be read; {', '.join(ajera.untried)} are shown by the first write only"
    yield Check("Ajera, rights", OK, message)


def _zone_check(facts: Facts, offset: timedelta | None) -> Check:
    if offset is None:
        return Check("time zone", OK, "no record of the last month says in which zone Ajera's server is")
    ours = facts.now.astimezone(ZoneInfo(facts.timezone)).utcoffset() or timedelta()
    message = f"Ajera's server writes {_hours(offset)}, the schedule runs in {facts.timezone} ({_hours(ours)} now)"
    if facts.cron and facts.timezone == "UTC" and abs(offset) >= timedelta(hours=1):
        return Check(
            "time zone", WARN, message, "Set [schedule] timezone to the office's, if the hours are meant there"
        )
    return Check("time zone", OK, message)


def _hours(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _template_checks(ajera: Connection, policy: Policy) -> Iterator[Check]:
    count = len(ajera.templates)
    if not count:
        yield Check("templates", WARN, "Ajera has no project templates", "Projects cannot be created in Ajera")
        return
    yield Check("templates", OK, f"{count} in Ajera")
    if ajera.flat_templates and not policy.allow_flat_template:
        yield Check(
            "templates with nested phases",
            WARN,
            f"projects are not created from: {_few(ajera.flat_templates)}",
            "Flatten them in Ajera, or accept projects without the lower phases: [sync] allow_flat_template = true",
        )
    if policy.default_template and policy.default_template not in ajera.templates:
        message = f"Ajera has no template {policy.default_template!r}"
        yield Check(
            "default template", FAIL, message, f"Set [sync] default_template to one of: {_few(ajera.templates)}"
        )


# -- the CRM alone ---------------------------------------------------------------------------------


def _mark_checks(crm: Connection) -> Iterator[Check]:
    if not {"firm", "project"} & crm.mark_columns:
        way_out = "Enable Ajera synchronisation in the CRM, or name the columns under [crm.mark_columns]"
        message = "Ajera synchronisation is not enabled in the CRM: it has no column for the ticks; they are kept here"
        yield Check("ticks", WARN, message, way_out)
        return
    missing = ALL_TICKS - crm.mark_columns
    if missing:
        names = ", ".join(sorted(missing)).replace("_", " ")
        way_out = "They are kept here only; name the columns under [crm.mark_columns] if there are any"
        yield Check("ticks", WARN, f"no column in the CRM for: {names}", way_out)
    else:
        yield Check("ticks", OK, "the CRM has a column for each")


def _number_check(crm: Connection) -> Check:
    if Kind.EMPLOYEE in crm.autonumbers:
        return Check("employee numbers", OK, "handed out by the CRM, as [crm.quirks] autonumber_employee says")
    return Check(
        "employee numbers",
        WARN,
        "[crm.quirks] autonumber_employee says that the CRM hands out none, so no employee can be created there",
        "Turn on numbering of employees in the CRM (Settings > Workflow > Numbering) and set the switch to true",
    )


# -- both sides ------------------------------------------------------------------------------------


def _template_pairs(ajera: Connection, crm: Connection) -> Iterator[Check]:
    """An entry of the CRM's list must be called exactly as the Ajera template (sync-behaviour 1.4)."""
    if "template" not in crm.mark_columns:
        return
    known = {_same(name): name for name in ajera.templates}
    orphans = [name for name in crm.templates if _same(name) not in known]
    for name in orphans:
        near = difflib.get_close_matches(name, ajera.templates, n=3, cutoff=0.3)
        way_out = f"Give one of the two the other's name; nearest in Ajera: {', '.join(near) or 'none'}"
        yield Check(f"template {name}", WARN, "in the CRM's list, but Ajera has no template of that name", way_out)
    listed = {_same(name) for name in crm.templates}
    missing = [name for name in ajera.templates if _same(name) not in listed]
    if missing:
        message = f"not in the CRM's list: {_few(missing)}"
        yield Check("templates on both sides", WARN, message, "Add them in the CRM (Settings > Labels and Lists)")
    elif not orphans:
        yield Check("templates on both sides", OK, f"{len(crm.templates)} of the same name")


def _same(name: str) -> str:
    return " ".join(name.split()).casefold()


def _code_checks(ajera: Connection, crm: Connection, policy: Policy) -> Iterator[Check]:
    """Coded fields travel by description, which must be there on both sides."""
    for kind in Kind:
        for spec in policy.active_fields(kind):
            key = (kind, spec.name)
            if spec.type is FieldType.CODE and key in ajera.codes and key in crm.codes:
                yield _drift(f"codes of {kind.value}.{spec.name}", ajera.codes[key], crm.codes[key])


def _role_checks(crm: Connection, facts: Facts) -> Iterator[Check]:
    """Hours come by employee type and go to team rows by role of the same name (sync-behaviour 1.4)."""
    roles = crm.codes.get((Kind.PROJECT, "team_role"), ())
    types = facts.ajera.employee_types if facts.ajera else ()
    missing = [name for name in types if _same(name) not in {_same(role) for role in roles}]
    if missing:
        message = f"employee types of Ajera without a role of that name in the CRM: {_few(missing)}"
        yield Check("employee types and roles", WARN, message, "Add the roles in the CRM; until then hours have none")
    elif types:
        yield Check("employee types and roles", OK, f"{len(types)} employee types have their role")


def _drift(name: str, ours: Sequence[str], theirs: Sequence[str]) -> Check:
    left, right = {_same(text): text for text in ours}, {_same(text): text for text in theirs}
    sides = [("Ajera", sorted(left[k] for k in left.keys() - right.keys()))]
    sides.append(("the CRM", sorted(right[k] for k in right.keys() - left.keys())))
    lonely = "; ".join(f"in {side}: {_few(texts)}" for side, texts in sides if texts)
    if lonely:
        return Check(name, WARN, f"on one side only, {lonely}", "Add them on the other side, or they are refused")
    return Check(name, OK, f"{len(left)} on both sides")


def _few(texts: Iterable[str]) -> str:
    shown = sorted(texts)
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more


# -- Deltek's own schedule -------------------------------------------------------------------------


def _deltek_checks(facts: Facts) -> Iterator[Check]:
    """Two synchronisers chase each other (sync-behaviour 7.3). No API tells whether Deltek's own runs, so these are
    guesses from traces: saves in bursts by another user, and projects that got their last update."""
    if facts.saves is None and facts.ajera is None:
        return
    users = list(_bursts(facts))
    for user, count, at in users:
        message = f"a guess: user {user or '(none)'} saved {count} records within a minute ({at:%Y-%m-%d %H:%M} UTC)"
        yield Check("Deltek's own schedule", WARN, f"{message}, as a synchronisation does", AUTO_RUN)
    final = facts.ajera.final_syncs if facts.ajera else 0
    if final:
        message = f"a guess: {final} projects that changed lately carry CRMFinalSync, which Deltek's own sync sets"
        yield Check("Deltek's own schedule", WARN, message, AUTO_RUN)
    if not users and not final:
        yield Check("Deltek's own schedule", OK, "no traces of another synchronisation in the last weeks: a guess")


def _bursts(facts: Facts) -> Iterator[tuple[str, int, datetime]]:
    """Users other than ours with their largest burst of saves: no person saves ten records in a minute."""
    by_user: dict[str, list[datetime]] = {}
    for save in facts.saves or ():
        if save.user.casefold() != facts.crm_user.casefold() and save.at >= facts.now - BURST_AGE:
            by_user.setdefault(save.user, []).append(save.at)
    for user, moments in sorted(by_user.items()):
        moments.sort()
        sizes = [(sum(start <= at <= start + WITHIN for at in moments[n:]), start) for n, start in enumerate(moments)]
        count, start = max(sizes)
        if count >= BURST:
            yield user, count, start.astimezone(UTC)


# -- the program itself ----------------------------------------------------------------------------


def _store_checks(facts: Facts) -> Iterator[Check]:
    store = facts.store
    if store.problem:
        yield Check("store", FAIL, store.problem, "See docs/operations.md; both systems and `links export` rebuild it")
        return
    if not store.there:
        yield Check("store", OK, "not made yet: the first run makes it")
        return
    yield Check("store", OK, f"{store.records} records known, last good run {store.last_good or 'none yet'}")
    errors = store.waiting.get("errors", 0)
    if errors:
        yield Check("errors", WARN, f"{errors} wait to be tried again", "See `ajerasync errors`")
    if store.stale:
        yield Check("last good run", WARN, store.stale, "See `ajerasync status` and `ajerasync log --level error`")
    if store.running:
        yield Check("lock", OK, f"a run is going on in {store.running}")
    else:
        yield Check("lock", OK, "no run is going on")


def _schedule_checks(facts: Facts) -> Iterator[Check]:
    store = facts.store
    if not facts.cron:
        yield Check("schedule", OK, "none: runs are started by hand")
    elif store.paused:
        yield Check("schedule", WARN, "paused", "`ajerasync schedule resume`")
    else:
        keeper = f"kept by {store.lease}" if store.lease else "kept by nobody now"
        way_out = "" if store.lease else "Start `ajerasync watch`, or leave the UI open"
        next_run = f", next {store.next_run}" if store.next_run else ""
        yield Check("schedule", OK, f"{facts.cron} {facts.timezone}{next_run}; {keeper}", way_out)

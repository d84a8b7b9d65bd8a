"""What doctor finds in what the systems, the store and the settings say of themselves."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.doctor import may_write, save_quirks, settings_checks
from core.engine.doctor import Check, Facts, StoreFacts, checks, exit_code
from core.errors import AjerasyncError, LoginRefused, SettingsError, Unreachable, UsageError
from core.model.values import Kind, Side
from core.paths import Paths
from core.policy import Policy
from core.ports import Connection
from core.quirks.probing import Finding, ProbeReport
from core.settings import Settings, settings_from
from tests.unit.test_settings import GOOD

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ALL_TICKS = frozenset({"firm", "contact", "project", "project_contact", "template"})
AJERA = Connection(Side.AJERA, "9.10.00", "Acme", templates=("Standard", "Small"), clock_offset=1.0)
CRM = Connection(
    Side.CRM,
    mark_columns=ALL_TICKS,
    clock_offset=-2.0,
    templates=("standard", "Small"),
    autonumbers=frozenset({Kind.EMPLOYEE}),
    codes={(Kind.PROJECT, "team_role"): ("Senior",)},
)


@dataclass(frozen=True)
class Look:
    """What a survey of Ajera says."""

    rights: Mapping[str, str] = field(default_factory=lambda: {"ListClients": ""})
    untried: tuple[str, ...] = ("UpdateClients",)
    offset: timedelta | None = timedelta(hours=-5)
    final_syncs: int = 0
    employee_types: tuple[str, ...] = ("Senior",)


@dataclass(frozen=True)
class Save:
    kind: Kind
    user: str
    at: datetime


def facts(ajera: Connection | AjerasyncError = AJERA, crm: Connection | AjerasyncError = CRM, **more: Any) -> Facts:
    answers = {Side.AJERA: ajera, Side.CRM: crm}
    given = {"saves": (), "crm_user": "SYNC", **more}
    look, policy = given.pop("look", Look()), given.pop("policy", Policy())
    return Facts(answers=answers, now=NOW, policy=policy, ajera=look, **given)


def found(given: Facts) -> dict[str, Check]:
    return {check.check: check for check in checks(given)}


def code(given: Facts) -> int:
    return exit_code(checks(given), given.answers)


def burst(user: str, count: int, seconds: float, ago: timedelta = timedelta(days=1)) -> tuple[Save, ...]:
    return tuple(Save(Kind.FIRM, user, NOW - ago + timedelta(seconds=n * seconds)) for n in range(count))


def test_all_is_well() -> None:
    given = facts()
    assert {check.state for check in checks(given)} == {"ok"}
    assert code(given) == 0


@pytest.mark.parametrize("error", [LoginRefused("crm", "no such user"), Unreachable("crm", "no such user")])
def test_a_system_that_does_not_let_us_in(error: AjerasyncError) -> None:
    given = facts(crm=error)
    check = found(given)["CRM, connection"]
    assert (check.state, check.message) == ("fail", "no such user")
    assert check.way_out
    assert code(given) == 3


def test_a_default_template_that_ajera_does_not_have() -> None:
    given = facts(policy=Policy(default_template="Standrd"))
    assert found(given)["default template"].state == "fail"
    assert "Small, Standard" in found(given)["default template"].way_out
    assert code(given) == 1


CODES = {(Kind.FIRM, "type"): ("A", "B")}
WARNINGS: list[tuple[Facts, str, str]] = [
    (facts(replace(AJERA, clock_offset=600)), "Ajera, clock", "600 s ahead"),
    (facts(replace(AJERA, version=None)), "direction", "to-ajera"),
    (facts(replace(AJERA, templates=()), replace(CRM, templates=())), "templates", "no project templates"),
    (facts(replace(AJERA, flat_templates=frozenset({"Small"}))), "templates with nested phases", "Small"),
    (facts(crm=replace(CRM, templates=("Standrd", "Small"))), "template Standrd", "no template of that name"),
    (facts(crm=replace(CRM, templates=("Small",))), "templates on both sides", "not in the CRM's list: Standard"),
    (facts(crm=replace(CRM, mark_columns=frozenset())), "ticks", "not enabled in the CRM"),
    (facts(crm=replace(CRM, mark_columns=ALL_TICKS - {"contact"})), "ticks", "no column in the CRM for: contact"),
    (facts(crm=replace(CRM, stopped={(Kind.FIRM, "fax"): "read-only"})), "CRM, field firm.fax", "read-only"),
    (facts(crm=replace(CRM, warnings=("no code table X",))), "CRM, warning", "no code table X"),
    (facts(crm=replace(CRM, warnings=("set it under [crm.defaults.firm]",))), "CRM, new records", "[crm.defaults.firm]"),
    (facts(crm=replace(CRM, autonumbers=frozenset())), "employee numbers", "no employee can be created"),
    (
        facts(replace(AJERA, codes=CODES), replace(CRM, codes={(Kind.FIRM, "type"): ("b", "C")})),
        "codes of firm.type",
        "in Ajera: A; in the CRM: C",
    ),
    (facts(look=Look(employee_types=("Senior", "Intern"))), "employee types and roles", "in the CRM: Intern"),
    (facts(look=Look(rights={"GetClients": "Unauthorized"})), "Ajera, right GetClients", "Unauthorized"),
    (facts(cron="0 * * * *", timezone="UTC"), "time zone", "UTC-05:00"),
    (facts(saves=burst("DELTEK", 10, 5)), "Deltek's own schedule", "a guess: user DELTEK saved 10 records"),
    (facts(look=Look(final_syncs=3)), "Deltek's own schedule", "a guess: 3 projects"),
    (facts(trouble={Side.CRM: "it broke"}), "CRM, closer look", "it broke"),
    (facts(store=StoreFacts(there=True, stale="no good run since x")), "last good run", "no good run since x"),
    (facts(store=StoreFacts(there=True, waiting={"errors": 2})), "errors", "2 wait"),
    (facts(cron="0 * * * *", timezone="America/Chicago", store=StoreFacts(there=True, paused=True)), "schedule", "paused"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "name", "says"), WARNINGS, ids=[name for _, name, _ in WARNINGS])
def test_what_to_look_at(given: Facts, name: str, says: str) -> None:
    check = found(given)[name]
    assert check.state == "warn"
    assert says in check.message
    assert check.way_out
    assert code(given) == 1


def test_the_nearest_templates_are_named() -> None:
    given = facts(crm=replace(CRM, templates=("Standrd",)))
    assert "Standard" in found(given)["template Standrd"].way_out


@pytest.mark.parametrize(
    "saves",
    [
        burst("sync", 30, 1),  # our own
        burst("ANNE", 9, 5),  # a busy person
        burst("ANNE", 30, 60),  # over half an hour
        burst("DELTEK", 30, 1, timedelta(days=30)),  # long ago
    ],
    ids=["ours", "few", "slow", "old"],
)
def test_people_and_our_own_saves_are_no_other_synchronisation(saves: tuple[Save, ...]) -> None:
    assert found(facts(saves=saves))["Deltek's own schedule"].state == "ok"


def test_a_damaged_store_is_a_failure() -> None:
    given = facts(store=StoreFacts(there=True, problem="damaged"))
    assert found(given)["store"].state == "fail"


def test_a_run_in_another_program_is_told() -> None:
    store = StoreFacts(there=True, running="ajerasync watch (pid 7)", lease="ajerasync watch (pid 7)", records=12)
    result = found(facts(store=store, cron="0 * * * *", timezone="America/Chicago"))
    assert "pid 7" in result["lock"].message
    assert "kept by ajerasync watch" in result["schedule"].message
    assert "12 records" in result["store"].message


# -- the settings file -----------------------------------------------------------------------------


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / "secret.txt").write_text("s")
    (tmp_path / "secret.txt").chmod(0o600)
    (tmp_path / "config.toml").touch(0o600)
    return Paths("default", tmp_path / "config.toml", tmp_path / "state")


def settings(paths: Paths, text: str = GOOD) -> Settings:
    return settings_from(tomllib.loads(text), paths)


def test_a_plain_secret_is_warned_of_except_on_this_machine(paths: Paths) -> None:
    warned = [check.check for check in settings_checks(settings(paths)) if check.state == "warn"]
    assert "settings, crm.password" in warned
    local = GOOD.replace("https://crm.example.com", "http://127.0.0.1:1")
    assert [check.state for check in settings_checks(settings(paths, local)) if "password" in check.check] == []


def test_files_that_others_can_read(paths: Paths) -> None:
    secret = paths.config.parent / "secret.txt"
    secret.chmod(0o644)
    paths.config.chmod(0o640)
    text = GOOD.replace("secret.txt", str(secret))
    way_out = {check.check: check.way_out for check in settings_checks(settings(paths, text))}
    assert way_out["settings, crm.client_secret"] == f"chmod 600 {secret}"
    assert way_out["settings, file mode"] == f"chmod 600 {paths.config}"


# -- switches --------------------------------------------------------------------------------------

SAMPLE = "eyJDbGllbnRJRCI6MSwiRGF0YWJhc2VJRCI6NywiSXNTYW1wbGVEYXRhIjp0cnVlfQ%3d%3d"
LIVE = "eyJDbGllbnRJRCI6MSwiRGF0YWJhc2VJRCI6NywiSXNTYW1wbGVEYXRhIjpmYWxzZX0%3d"


@pytest.mark.parametrize(
    ("query", "named", "allowed"),
    [
        (SAMPLE, ("C0000",), True),
        (SAMPLE, ("c0000",), True),
        (SAMPLE, (), False),
        (SAMPLE, ("C0001",), False),
        (LIVE, ("C0000",), False),
        (LIVE, ("C0000", "8"), False),
        (LIVE, ("C0000", "7"), True),
        (LIVE, ("7",), False),
        ("key=abc", ("C0000",), False),
        ("key=abc", ("C0000", "abc"), False),
    ],
)
def test_writing_needs_both_databases_named(paths: Paths, query: str, named: tuple[str, ...], allowed: bool) -> None:
    given = settings(paths, GOOD.replace("key=abc", query))
    if allowed:
        may_write(given, named)
        return
    with pytest.raises(UsageError, match="database"):
        may_write(given, named)


REPORTS = {
    Side.AJERA: ProbeReport((Finding("date_filter", "day", ""), Finding("stale_error", 'a "b"\nc', ""))),
    Side.CRM: ProbeReport((Finding("autonumber_firm", False, ""), Finding("max_page_size", None, "few"))),
}


def test_found_switches_are_set_in_the_file_and_all_else_stays(paths: Paths) -> None:
    text = f'# ours\n{GOOD}[crm.quirks]\nput_missing = "400"  # seen in May\n'
    paths.config.write_text(text)
    paths.config.chmod(0o640)
    save_quirks(paths, REPORTS)
    written = paths.config.read_text()
    assert written.startswith("# ours\n")
    assert 'put_missing = "400"  # seen in May' in written
    read = settings(paths, written)
    assert (read.ajera_quirks.date_filter, read.ajera_quirks.stale_error) == ("day", 'a "b"\nc')
    assert (read.crm_quirks.autonumber_firm, read.crm_quirks.put_missing) == (False, "400")
    assert "max_page_size" not in written
    assert paths.config.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in paths.config.parent.iterdir() if path.name.endswith(".new")] == []


def test_a_value_that_the_settings_do_not_take_is_not_saved(paths: Paths) -> None:
    paths.config.write_text(GOOD)
    with pytest.raises(SettingsError):
        save_quirks(paths, {Side.AJERA: ProbeReport((Finding("date_filter", "never", ""),))})
    assert paths.config.read_text() == GOOD


def test_the_page_lists_every_switch_that_no_probe_finds() -> None:
    from core.ajera.probe_ground import SILENT as AJERA_SILENT
    from core.crm.probe_ground import SILENT as CRM_SILENT

    page = (Path(__file__).parents[2] / "docs/doctor.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith(("| ajera.", "| crm."))}
    assert rows == {f"ajera.{name}" for name in AJERA_SILENT} | {f"crm.{name}" for name in CRM_SILENT}

"""Settings: what is read, and a message for each kind of mistake."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.model.values import FieldType, Kind
from core.paths import Paths
from core.policy import ConflictPolicy, Guards, Owner, Policy
from core.settings import Settings, load_settings, settings_from

GOOD = """
[ajera]
url = "https://ajera.example.com/AjeraAPI.ashx?key=abc"
username = "api.user"
password = { env = "AJERA_PASSWORD" }
[crm]
url = "https://crm.example.com/api"
database = "C0000"
username = "crm.user"
password = "open-sesame"
client_id = "id"
client_secret = { file = "secret.txt" }
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths("default", tmp_path / "config.toml", tmp_path / "state")


def read(paths: Paths, text: str) -> Settings:
    return settings_from(tomllib.loads(text), paths, lambda cron, _zone: "five fields" if cron == "bad" else None)


def mistakes(paths: Paths, text: str) -> dict[str, str]:
    """Key -> the whole sentence about it."""
    with pytest.raises(SettingsError) as caught:
        read(paths, text)
    prefix = f"{paths.config}: "
    assert all(problem.where.startswith(prefix) for problem in caught.value.problems)
    return {problem.where.removeprefix(prefix): str(problem) for problem in caught.value.problems}


def test_defaults_are_those_of_the_kernel(paths: Paths) -> None:
    settings = read(paths, GOOD)
    assert settings.policy() == Policy()
    assert settings.sync.enabled
    assert settings.sync.direction == "auto"
    assert settings.ajera_quirks.throttle == "wait"


def test_the_policy_is_what_the_settings_say(paths: Paths) -> None:
    text = f"""{GOOD}
profile = "vantagepoint"
[sync]
default_template = "Standard"
first_link = "owner"
new_from_ajera = "all"
closed_projects = "follow"
deleted = {{ firm = "inactive" }}
drift = {{ "project.status" = "restore" }}
[sync.conflicts]
default = "crm"
firm.name = "ajera"
[sync.fields]
"firm.memo" = {{ on = true }}
"contact.status" = {{ owner = "crm" }}
firm.sector = {{ crm = "CustSector", ajera = "CF_Sector", type = "code", label = "Sector" }}
[sync.guards]
unlinks = 9
blank_percent = 7
[ajera.quirks]
throttle = "429"
[crm.quirks]
autonumber_project = true
"""
    settings = read(paths, text)
    policy = settings.policy()
    assert policy.caps_profile == "vantagepoint"
    assert (policy.firm_cap, policy.project_cap) == (None, 20)
    assert policy.conflicts == {"default": ConflictPolicy.CRM, "firm.name": ConflictPolicy.AJERA}
    assert policy.deleted == {Kind.FIRM: "inactive"}
    assert policy.guards == replace(Guards(), unlinks=9, blank_percent=7)
    memo, sector = policy.spec(Kind.FIRM, "memo"), policy.spec(Kind.FIRM, "sector")
    assert memo is not None
    assert memo.on
    assert sector is not None
    assert (sector.type, sector.owner, sector.custom) == (FieldType.CODE, Owner.SHARED, True)
    status = policy.spec(Kind.CONTACT, "status")
    assert status is not None
    assert status.owner is Owner.CRM
    assert settings.ajera_quirks.throttle == "429"
    assert settings.crm_quirks.autonumber_project is True


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ('[sync]\ndirecton = "auto"', "sync.directon", "Nearest known key: direction"),
        ('[sync]\ncron = "@daily"', "sync.cron", "It belongs under [schedule]"),
        ("[bogus]", "bogus", "Known keys: ajera, crm, sync, schedule, notify, ui"),
        ('[sync]\ndirection = "both"', "sync.direction", "found 'both'. Allowed: 'auto' or 'to-ajera'"),
        ('[sync]\nenabled = "yes"', "sync.enabled", "found 'yes'. Allowed: a valid boolean"),
        ('[sync.conflicts]\nfirm = "newer"', "sync.conflicts.firm", "Allowed: 'ask', 'ajera', 'crm' or 'newest'"),
        ('[sync.conflicts]\n"firm.nam" = "ask"', "sync.conflicts.firm.nam", "Nearest known key: firm.name"),
        ('[sync.conflicts]\nfirm.nam = "ask"', "sync.conflicts.firm.nam", "Nearest known key: firm.name"),
        ('[sync.drift]\nfrm = "list"', "sync.drift.frm", "Nearest known key: firm"),
        ('[sync.deleted]\nfirm = "delete"', "sync.deleted.firm", "Allowed: 'unlink' or 'inactive'"),
        ('[sync.fields]\n"firm.memoo" = { on = true }', "sync.fields.firm.memoo", "Nearest known key: memo"),
        ('[sync.fields]\n"memo" = { on = true }', "sync.fields.memo", "kind being employee, firm, contact, project"),
        ('[sync.fields]\n"firm.memo" = { ower = "crm" }', "sync.fields.firm.memo.ower", "Nearest known key: owner"),
        (
            '[sync.fields]\n"firm.x" = { crm = "Name", ajera = "CF_x", type = "text" }',
            "sync.fields.firm.x",
            "a user-defined column (Cust…) and a custom field (CF_…)",
        ),
        (
            '[sync.fields]\n"firm.x" = { crm = "CustX", ajera = "CF_x", type = "txt" }',
            "sync.fields.firm.x.type",
            "'text', 'email'",
        ),
        ("[sync.guards]\nunlinks = -1", "sync.guards.unlinks", "greater than or equal to 0"),
        ("[sync.guards]\nchange_percent = 101", "sync.guards.change_percent", "less than or equal to 100"),
        ('[schedule]\ntimezone = "America/Chicgo"', "schedule.timezone", "Did you mean America/Chicago"),
        ('[schedule]\ncron = "bad"', "schedule.cron", "found 'bad'. five fields"),
        ('[ajera.quirks]\nthrotle = "429"', "ajera.quirks", "the nearest known name is throttle"),
        ('[crm.quirks]\nput_missing = "40"', "crm.quirks", "'40' is not allowed (404, 400, 500, create)"),
        ("[ui]\ntheme = 3", "ui.theme", "found 3. Allowed: a valid string"),
    ],
)
def test_each_mistake_is_told(paths: Paths, text: str, key: str, says: str) -> None:
    found = mistakes(paths, GOOD + text)
    assert list(found) == [key]
    assert says in found[key]


def test_what_is_missing_is_named(paths: Paths) -> None:
    found = mistakes(paths, '[ajera]\nurl = "https://x"\n')
    assert set(found) == {"ajera.username", "ajera.password", "crm"}
    assert "is missing. Required: the user of the interface" in found["ajera.username"]


def test_all_mistakes_come_at_once(paths: Paths) -> None:
    text = GOOD.replace("username", "usrname") + '[sync]\nfirst_link = 1\n[schedule]\ntimezone = "Nowhere"\n'
    assert set(mistakes(paths, text)) == {
        "ajera.username", "ajera.usrname", "crm.username", "crm.usrname", "sync.first_link", "schedule.timezone",
    }  # fmt: skip


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:9", "127.9.9.9"])
def test_plain_http_is_for_loopback(paths: Paths, host: str) -> None:
    assert read(paths, GOOD.replace("https://ajera.example.com", f"http://{host}"))


def test_plain_http_elsewhere_only_for_the_host_that_is_named(paths: Paths) -> None:
    plain = GOOD.replace("https://crm", "http://crm")
    found = mistakes(paths, plain)
    assert 'allow_plain_http = "crm.example.com"' in found["crm.url"]
    assert read(paths, plain + 'allow_plain_http = "crm.example.com"\n')
    assert "crm.url" in mistakes(paths, plain + 'allow_plain_http = "other.example.com"\n')


def test_no_secret_in_any_message(paths: Paths) -> None:
    text = GOOD.replace('"open-sesame"', '{ env = "A", file = "hunter2" }').replace("https://ajera", "ftp://ajera")
    text = text.replace('{ env = "AJERA_PASSWORD" }', "12345678") + 'pasword = "hunter3"\n'
    told = "\n".join(mistakes(paths, text).values())
    for secret in ("hunter2", "hunter3", "12345678", "key=abc"):
        assert secret not in told


def test_a_secret_is_never_shown(paths: Paths) -> None:
    settings = read(paths, GOOD)
    for text in (repr(settings), str(settings), repr(settings.crm), str(settings.crm.password)):
        assert "open-sesame" not in text
    assert settings.crm.password.reveal() == "open-sesame"


def test_a_file_that_is_not_there_and_one_that_is_not_toml(paths: Paths) -> None:
    with pytest.raises(SettingsError, match=r"there is no such file\. Run `ajerasync setup`"):
        load_settings(paths)
    paths.config.write_text("[ajera\n")
    with pytest.raises(SettingsError, match="is not TOML"):
        load_settings(paths)
    paths.config.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not UTF-8"):
        load_settings(paths)
    paths.config.write_text(GOOD)
    assert load_settings(paths).crm.database == "C0000"

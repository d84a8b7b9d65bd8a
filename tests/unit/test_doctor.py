"""What doctor finds in what the systems say of themselves."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from core.doctor import Check, checks, exit_code
from core.errors import AjerasyncError, LoginRefused
from core.model.values import Kind, Side
from core.paths import Paths
from core.ports import Connection
from core.settings import Settings, settings_from
from tests.unit.test_settings import GOOD

ALL_TICKS = frozenset({"firm", "contact", "project", "project_contact", "template"})
AJERA = Connection(Side.AJERA, "9.10.00", "Acme", templates=("Standard", "Small"), clock_offset=1.0)
CRM = Connection(Side.CRM, mark_columns=ALL_TICKS, clock_offset=-2.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("s")
    (tmp_path / "secret.txt").chmod(0o600)
    (tmp_path / "config.toml").touch(0o600)
    return tmp_path


def settings(folder: Path, more: str = "") -> Settings:
    text = GOOD.replace('"open-sesame"', '{ env = "X" }') + more
    return settings_from(tomllib.loads(text), Paths("default", folder / "config.toml", folder))


def found(
    folder: Path, ajera: Connection | AjerasyncError, crm: Connection | AjerasyncError, more: str = ""
) -> dict[str, Check]:
    return {check.name: check for check in checks(settings(folder, more), {Side.AJERA: ajera, Side.CRM: crm})}


def test_all_is_well(folder: Path) -> None:
    result = found(folder, AJERA, CRM)
    assert {check.level for check in result.values()} == {"ok"}
    assert exit_code(result.values(), {Side.AJERA: AJERA, Side.CRM: CRM}) == 0


def test_a_login_that_is_refused(folder: Path) -> None:
    refused = LoginRefused("crm", "no such user")
    result = found(folder, AJERA, refused)
    assert (result["CRM, connection"].level, result["CRM, connection"].found) == ("fail", "no such user")
    assert exit_code(result.values(), {Side.AJERA: AJERA, Side.CRM: refused}) == 3


def test_a_default_template_that_ajera_does_not_have(folder: Path) -> None:
    result = found(folder, AJERA, CRM, '[sync]\ndefault_template = "Standrd"\n')
    assert result["default template"].level == "fail"
    assert "Small, Standard" in result["default template"].todo
    assert exit_code(result.values(), {Side.AJERA: AJERA, Side.CRM: CRM}) == 1


@pytest.mark.parametrize(
    ("ajera", "crm", "name", "says"),
    [
        (replace(AJERA, clock_offset=600), CRM, "Ajera, clock", "600 s ahead"),
        (replace(AJERA, version=None), CRM, "direction", "to-ajera"),
        (replace(AJERA, templates=()), CRM, "templates", "no project templates"),
        (AJERA, replace(CRM, mark_columns=frozenset()), "ticks", "not enabled in the CRM"),
        (AJERA, replace(CRM, mark_columns=ALL_TICKS - {"contact"}), "ticks", "no column in the CRM for: contact"),
        (AJERA, replace(CRM, stopped={(Kind.FIRM, "fax"): "read-only"}), "CRM, field firm.fax", "read-only"),
        (AJERA, replace(CRM, warnings=("old",)), "CRM, warning", "old"),
        (
            replace(AJERA, codes={(Kind.FIRM, "type"): ("A", "B")}),
            replace(CRM, codes={(Kind.FIRM, "type"): ("B", "C")}),
            "codes of firm.type",
            "on one side only: A, C",
        ),
    ],
)
def test_what_to_look_at(folder: Path, ajera: Connection, crm: Connection, name: str, says: str) -> None:
    check = found(folder, ajera, crm)[name]
    assert check.level == "warn"
    assert says in check.found
    assert check.todo or name.endswith("warning")


def test_secrets_that_others_can_read(folder: Path) -> None:
    (folder / "secret.txt").chmod(0o644)
    assert "chmod 600" in found(folder, AJERA, CRM)["settings, crm.client_secret"].todo
    text = GOOD.replace("secret.txt", str(folder / "secret.txt"))
    plain = settings_from(tomllib.loads(text), Paths("default", folder / "config.toml", folder))
    names = [check.name for check in checks(plain, {Side.AJERA: AJERA, Side.CRM: CRM}) if check.level == "warn"]
    assert "settings, crm.password" in names

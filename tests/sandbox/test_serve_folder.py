"""The data folder: private, atomic, loaded before anything is seeded, refused when damaged or in use."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest

from core.sandbox import folder
from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from core.sandbox.folder import FolderError
from core.sandbox.options import SandboxOptions
from core.sandbox.seed import seed
from core.sandbox.serve import Sandbox, utc_now


def filled() -> tuple[AjeraData, CrmData]:
    ajera, crm = AjeraData(), CrmData()
    seed(ajera, crm, firms=12, contacts=20, projects=14, employees=5)
    return ajera, crm


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    ajera, crm = filled()
    folder.save(tmp_path / "data", ajera, crm)
    again = folder.load(tmp_path / "data", utc_now)
    assert json.dumps(again[0].to_json()) == json.dumps(ajera.to_json())
    assert json.dumps(again[1].to_json()) == json.dumps(crm.to_json())


def test_only_the_owner_can_read_it_and_nothing_else_is_left(tmp_path: Path) -> None:
    where = tmp_path / "data"
    folder.save(where, *filled())
    assert stat.S_IMODE(where.stat().st_mode) == 0o700
    assert sorted(p.name for p in where.iterdir()) == ["ajera.json", "crm.json"]
    assert {stat.S_IMODE(p.stat().st_mode) for p in where.iterdir()} == {0o600}


def test_a_failing_write_keeps_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.save(tmp_path, *filled())
    before = (tmp_path / "ajera.json").read_bytes(), (tmp_path / "crm.json").read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.sandbox.folder.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        folder.save(tmp_path, *filled())
    assert ((tmp_path / "ajera.json").read_bytes(), (tmp_path / "crm.json").read_bytes()) == before
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[]", "not a sandbox file of crm"),
        ('{"system": "ajera", "schema": 1}', "not a sandbox file of crm"),
        ('{"system": "crm", "schema": 99, "data": {}}', "schema 99"),
        ('{"system": "crm", "schema": 1, "data": {"version": 1}}', "damaged"),
        ('{"system": "crm", "schema": 1, "data": []}', "damaged"),
    ],
)
def test_a_damaged_file_is_told_and_kept(tmp_path: Path, text: str, told: str) -> None:
    folder.save(tmp_path, *filled())
    (tmp_path / "crm.json").write_text(text)
    with pytest.raises(FolderError, match=told):
        folder.load(tmp_path, utc_now)
    assert (tmp_path / "crm.json").read_text() == text


def test_half_a_folder_is_refused(tmp_path: Path) -> None:
    folder.save(tmp_path, *filled())
    (tmp_path / "ajera.json").unlink()
    with pytest.raises(FolderError, match=r"only crm\.json"):
        folder.has_data(tmp_path)


async def test_a_folder_beats_the_seed_and_keeps_edits(tmp_path: Path) -> None:
    options = SandboxOptions(firms=6, contacts=0, projects=0, employees=0, data=tmp_path / "data")
    async with Sandbox(options) as first:
        key = next(iter(first.crm.tables["firm"]))
        first.crm.edit("firm", key, {"Name": "Kept & Sons"})
    other = SandboxOptions(seed=9, firms=50, data=tmp_path / "data", ajera_version="9.99.00")
    async with Sandbox(other) as second:
        assert second.crm.get("firm", key)["Name"] == "Kept & Sons"
        assert len(second.crm.tables["firm"]) == len(first.crm.tables["firm"])
        assert second.ajera.version == "9.99.00"


async def test_a_second_sandbox_on_one_folder_is_refused(tmp_path: Path) -> None:
    options = SandboxOptions(firms=0, contacts=0, projects=0, employees=0, data=tmp_path)
    async with Sandbox(options):
        with pytest.raises(FolderError, match="in use"):
            await Sandbox(options).start()
    async with Sandbox(options):
        pass


async def test_the_folder_is_saved_while_running_when_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: asyncio.Queue[str] = asyncio.Queue()
    loop, real = asyncio.get_running_loop(), folder.write

    def watched(where: Path, files: dict[str, dict[str, object]]) -> None:
        real(where, files)
        loop.call_soon_threadsafe(written.put_nowait, "saved")

    options = SandboxOptions(firms=4, contacts=8, projects=4, employees=3, data=tmp_path, save_seconds=0.01)
    async with Sandbox(options) as sandbox:
        monkeypatch.setattr(folder, "write", watched)
        edit = sandbox.life.step()
        assert edit is not None
        await asyncio.wait_for(written.get(), 10)
        ajera, crm = folder.load(tmp_path, utc_now)
        assert json.dumps(ajera.to_json()) == json.dumps(sandbox.ajera.to_json())
        assert json.dumps(crm.to_json()) == json.dumps(sandbox.crm.to_json())

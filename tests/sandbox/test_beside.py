"""Doctor, probes and rehearsal in a process of their own, while this one holds the store, its lease and its run lock."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.bootstrap import open_service, read_settings
from core.errors import UsageError
from core.paths import Paths
from core.sandbox.serve import SandboxOptions, SandboxThread


async def test_checks_run_beside_an_open_program_and_are_stopped_with_it(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    options = SandboxOptions(rate=0, firms=8, contacts=8, projects=4, employees=2)
    with SandboxThread(options) as sandbox:
        config.write_text(sandbox.config_toml().replace("rate = 50.0", "rate = 1000.0"), encoding="utf-8")
        config.chmod(0o600)
        service = open_service(read_settings(Paths("beside", config, tmp_path / "state")))
        try:
            await service.make_plan()
            assert service._lease.acquire()
            assert service._run_lock.acquire()
            checks, said = service.checkups, list[str]()
            doctor, rehearsal = await asyncio.gather(
                checks.doctor(said.append), checks.rehearse(said.append), return_exceptions=True
            )
            assert not isinstance(doctor, BaseException)
            found = {each["check"]: each for each in doctor.document}
            assert "kept by ajerasync" in found["schedule"]["message"] or found["schedule"]["state"] == "ok"
            assert "a run is going on in ajerasync" in found["lock"]["message"]
            assert "a run is going on" in str(rehearsal)  # it never copies half of what a run writes
            service._run_lock.release()

            with pytest.raises(UsageError, match="test database"):
                checks.may_write(["production"])
            assert checks.may_write([sandbox.crm.database])

            begun = asyncio.Event()
            task = asyncio.create_task(checks.rehearse(lambda _line: begun.set()))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            report = await checks.rehearse(said.append)
            assert report.document["run"]["trigger"] == "rehearsal"
            assert any("reading every firm of Ajera" in line for line in said)
            assert not service.runs()
        finally:
            await service.close()

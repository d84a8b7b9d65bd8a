"""`ajerasync` on a machine that has never seen it, in a real terminal: set-up is offered, and the UI opens after it."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

from core.sandbox.serve import SandboxOptions, SandboxThread
from tests.tui.pty import Terminal

PATIENCE = 30.0


def answered(terminal: Terminal, start: int, asked: str, answer: str) -> int:
    """Waits for the question, which is new since `start`, and answers it; where to look for the next one."""
    end = time.monotonic() + PATIENCE
    while (found := terminal.out.find(asked.encode(), start)) < 0:
        assert time.monotonic() < end, terminal.out[start:].decode()
        terminal.read(0.5)
    terminal.send(f"{answer}\n".encode())
    return found + len(asked)


def test_from_nothing_to_the_ui(tmp_path: Path) -> None:
    env = {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "HOME": str(tmp_path),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    with (
        SandboxThread(SandboxOptions(firms=6, contacts=6, projects=5, employees=3, rate=0)) as sandbox,
        Terminal("tui", cols=120, rows=40, env=env) as terminal,
    ):
        start = 0
        ajera, crm = sandbox.ajera, sandbox.crm
        for asked, answer in (
            *(("demo, setup or quit", "setup"), ("Copy API URL", sandbox.ajera_url), ("API user", ajera.username)),
            *(("kept in", ""), ("not shown", ajera.password), ("any page", sandbox.crm_url)),
            *(
                ("database:", crm.database),
                ("user (a login", crm.username),
                ("kept in", ""),
                ("not shown", crm.password),
            ),
            *(("client id", crm.client_id), ("kept in", ""), ("not shown", crm.client_secret), ("product", "")),
            *(
                ("code or description", "1"),
                ("code or description", ""),
                ("number or name", "1"),
                ("time zone", ""),
                ("cron expression", ""),
                ("the times?", ""),
            ),
            ("Open the UI now?", ""),
        ):
            start = answered(terminal, start, asked, answer)
        terminal.see("1 Firms", PATIENCE)
        for secret in (crm.client_secret, "not shown): sandbox"):
            assert secret.encode() not in terminal.out
    settings = tomllib.loads((tmp_path / "config/ajerasync/config.toml").read_text(encoding="utf-8"))
    assert settings["crm"]["client_secret"] == {"file": "crm.client_secret.secret"}

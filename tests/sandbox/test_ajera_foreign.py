"""The published typed client runs against the sandbox unchanged, over a real socket.

Defined only where AJERASYNC_FOREIGN_PYTHON names an interpreter that has the package `ajera` 0.5.0.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from core.sandbox.ajera.app import ajera_app, url_path
from tests.sandbox.ajera_books import books, listening

FOREIGN = os.environ.get("AJERASYNC_FOREIGN_PYTHON")
SCRIPT = Path(__file__).with_name("foreign_client.py")

if FOREIGN:

    async def test_a_client_others_wrote_works_unchanged() -> None:
        data = books()
        data.insert("clients", {"Description": "Plain client"})
        async with listening(ajera_app(data, rate=0)) as root:
            address = root + url_path(data)
            process = await asyncio.create_subprocess_exec(
                str(FOREIGN),
                str(SCRIPT),
                address,
                data.username,
                data.password,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        seen = json.loads(out)
        assert data.get("projects", seen["project"])["ID"] == "F-77"
        assert data.get("contacts", seen["contact"])["Title"] == "Engineer"

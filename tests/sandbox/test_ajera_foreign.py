"""The published typed client runs against the sandbox unchanged, over a real socket.

Defined only where AJERASYNC_FOREIGN_PYTHON names an interpreter that has the package `ajera` 0.5.0.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from pathlib import Path

import uvicorn

from core.sandbox.ajera.app import ajera_app, url_path
from tests.sandbox.ajera_books import books

FOREIGN = os.environ.get("AJERASYNC_FOREIGN_PYTHON")
SCRIPT = Path(__file__).with_name("foreign_client.py")


class Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


if FOREIGN:

    async def test_a_client_others_wrote_works_unchanged() -> None:
        data = books()
        data.insert("clients", {"Description": "Plain client"})
        server = Server(uvicorn.Config(ajera_app(data, rate=0), port=0, log_level="warning", lifespan="off"))
        task = asyncio.create_task(server.serve())
        await server.listening.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        address = f"http://127.0.0.1:{port}{url_path(data)}"
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
        server.should_exit = True
        await task
        assert process.returncode == 0, err.decode()
        seen = json.loads(out)
        assert data.get("projects", seen["project"])["ID"] == "F-77"
        assert data.get("contacts", seen["contact"])["Title"] == "Engineer"

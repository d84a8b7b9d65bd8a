"""The ways a notice goes out: webhook, e-mail, command, and the ping of a dead man's switch."""

from __future__ import annotations

import asyncio
import json
import shlex
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from core.engine.notify import Notice
from core.http import Poster
from core.secret import Secret

COMMAND_SECONDS = 30.0
MAIL_SECONDS = 30.0


@dataclass(frozen=True)
class Webhook:
    """POSTs the notice as JSON. The address is a secret reference: many hold a token."""

    url: Secret
    poster: Poster
    name: str = "webhook"

    async def tell(self, notice: Notice) -> None:
        await self.poster.post(self.url.reveal(), notice.as_json())


@dataclass(frozen=True)
class Heartbeat:
    """GETs the address of a dead man's switch after each good run."""

    url: Secret
    poster: Poster

    async def __call__(self) -> None:
        await self.poster.get(self.url.reveal())


@dataclass(frozen=True)
class Command:
    """Runs a program with the notice as JSON on its standard input; no shell is involved."""

    command: str
    name: str = "command"

    async def tell(self, notice: Notice) -> None:
        process = await asyncio.create_subprocess_exec(
            *shlex.split(self.command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        body = json.dumps(notice.as_json(), ensure_ascii=False).encode()
        try:
            await asyncio.wait_for(process.communicate(body), COMMAND_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            raise RuntimeError(f"it ended with {process.returncode}")


@dataclass(frozen=True)
class Mail:
    """One plain message over SMTP; the connection is encrypted unless `tls` is "none"."""

    host: str
    port: int
    tls: str
    sender: str
    to: Sequence[str]
    username: str = ""
    password: Secret | None = None
    name: str = "email"

    async def tell(self, notice: Notice) -> None:
        await asyncio.to_thread(self._send, self.message(notice))

    def message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = notice.subject
        message["From"] = self.sender
        message["To"] = ", ".join(self.to)
        message.set_content(f"{notice.text}\n\n{notice.at}\n")
        return message

    def _send(self, message: EmailMessage) -> None:
        context = ssl.create_default_context()
        if self.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=MAIL_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=MAIL_SECONDS)
        with server:
            if self.tls == "starttls":
                server.starttls(context=context)
            if self.username and self.password is not None:
                server.login(self.username, self.password.reveal())
            server.send_message(message)

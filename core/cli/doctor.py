"""`doctor`: connects to both systems, reads what they say of themselves, writes nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, command, pass_env

if TYPE_CHECKING:
    from core.doctor import Answers, Check
    from core.settings import Settings


@command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One document.")
@pass_env
def doctor_command(env: Env, as_json: bool) -> int:
    """Check connections, versions, metadata, field map, clocks, templates and code tables. Writes nothing."""
    from core.doctor import checks, exit_code

    settings = env.settings()
    answers = asyncio.run(ask_both(settings))
    found = checks(settings, answers)
    if as_json:
        output.document({"checks": [_json(check) for check in found]})
    else:
        output.table(("", "check", "found", "what to do"), ((c.level, c.name, c.found, c.todo) for c in found))
    return exit_code(found, answers)


def _json(check: Check) -> dict[str, str | None]:
    side = check.side.value if check.side else None
    return {"check": check.name, "level": check.level, "side": side, "found": check.found, "todo": check.todo}


async def ask_both(settings: Settings) -> Answers:
    """What each system says of itself, or why it says nothing."""
    from core.bootstrap import deferred_systems
    from core.errors import AjerasyncError
    from core.model.values import Side
    from core.ports import Connection

    systems = deferred_systems(settings)

    async def ask(side: Side) -> Connection | AjerasyncError:
        try:
            connection: Connection = await systems[side].connect()
        except AjerasyncError as error:
            return error
        return connection

    try:
        answers = await asyncio.gather(*(ask(side) for side in systems))
    finally:
        for system in systems.values():
            await system.close()
    return dict(zip(systems, answers, strict=True))

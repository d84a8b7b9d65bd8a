"""`demo`: the sandbox in a process of its own, and the UI on it."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from core.cli.context import Env, UiFlags, command, pass_env, ui_options
from core.cli.ui import need_terminal, open_with
from core.errors import AjerasyncError

if TYPE_CHECKING:
    from core.engine.service import Service
    from core.paths import Paths

READY_SECONDS: Final = 60
END_SECONDS: Final = 10


@command("demo")
@click.option("--scale", type=click.IntRange(1, 300), default=1, show_default=True, help="So many times the records.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Same seed, same records.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep both systems' data, the settings and the state here.",
)
@ui_options
@pass_env
def demo_command(env: Env, /, scale: int, seed: int, keep: Path | None, **flags: bool) -> int:
    """Try it: both systems as a sandbox with realistic records, and the UI on them.

    Everything is gone afterwards unless --keep.
    """
    need_terminal()
    env.flags = UiFlags(**flags).or_(env.flags)
    with demo_folder(keep) as folder, sandbox_process(folder, sandbox_flags(scale, seed, keep)) as config:

        def open_service() -> Service:
            from core.bootstrap import open_service, read_settings

            return open_service(
                read_settings(demo_paths(folder, config)), readonly=env.flags.readonly, program="ajerasync demo"
            )

        return open_with(env, open_service)


def demo_paths(folder: Path, config: Path) -> Paths:
    """The state of a demo stands beside its settings, so that it goes when they go."""
    from core.paths import Paths

    return Paths("demo", config, folder / "state")


@contextmanager
def demo_folder(keep: Path | None) -> Iterator[Path]:
    """The folder to keep, or one that is removed afterwards."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="ajerasync-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def sandbox_flags(scale: int, seed: int, keep: Path | None) -> list[str]:
    from core.sandbox.options import SandboxOptions

    default = SandboxOptions()
    flags = [f"--seed={seed}"]
    flags += [f"--{name}={getattr(default, name) * scale}" for name in ("firms", "contacts", "projects", "employees")]
    return [*flags, f"--data={keep.absolute() / 'data'}"] if keep else flags


@contextmanager
def sandbox_process(folder: Path, flags: list[str]) -> Iterator[Path]:
    """A running sandbox; its settings file. The process is ended by its id, also when this one crashes."""
    config, log = folder / "config.toml", folder / "sandbox.log"
    words = [sys.executable, "-m", "core.cli.demo_sandbox", f"--config-out={config}", *flags]
    with log.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own module
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True
        )
    try:
        _await_ready(process, log)
        yield config
    finally:
        _end(process)


def _await_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], READY_SECONDS)
    line = process.stdout.readline() if ready else b""
    try:
        json.loads(line)
    except ValueError:
        _end(process)
        told = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        why = told[-1] if told else "it did not say why"
        raise AjerasyncError(f"The sandbox did not start: {why}") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

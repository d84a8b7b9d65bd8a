"""What every command is given: which settings, which flags, and the service when it asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from core.engine.service import Service
    from core.paths import Paths
    from core.settings import Settings


@dataclass(frozen=True, slots=True)
class UiFlags:
    readonly: bool = False
    ascii: bool = False
    plain: bool = False
    no_mouse: bool = False

    def or_(self, other: UiFlags) -> UiFlags:
        """What is asked for here or there."""
        return UiFlags(*(getattr(self, name) or getattr(other, name) for name in self.__slots__))


class OpenUi(Protocol):
    """Opens the UI until it is closed; the exit code."""

    def __call__(
        self,
        open_service: Callable[[], Service],
        /,
        *,
        readonly: bool,
        ascii: bool,  # noqa: A002
        plain: bool,
        mouse: bool,
    ) -> int: ...


class ServeUi(Protocol):
    """Shows the UI in a browser until it is stopped; the exit code."""

    def __call__(self, words: Sequence[str], port: int, say: Callable[[object], None]) -> int: ...


@dataclass
class Env:
    """One invocation. `--config` and `--profile` stand before or after the command. `piped`: the UI needs no terminal
    here, since it is shown in a browser."""

    open_ui: OpenUi | None = None
    serve_ui: ServeUi | None = None
    piped: bool = False
    config: Path | None = None
    profile: str | None = None
    flags: UiFlags = field(default_factory=UiFlags)

    def paths(self) -> Paths:
        from core.paths import paths_for

        return paths_for(self.config, self.profile)

    def settings(self) -> Settings:
        from core.bootstrap import read_settings

        return read_settings(self.paths())

    def service(self) -> Service:
        from core.ahead import check_store

        check_store(self.paths())
        from core.bootstrap import open_service

        return open_service(self.settings(), readonly=self.flags.readonly, program=program_name())

    def use(self, act: Callable[[Service], Awaitable[int] | int]) -> int:
        """Open the service, act on it, close it; what `act` returns is the exit code."""
        import asyncio
        import inspect

        async def main() -> int:
            service = self.service()
            try:
                outcome = act(service)
                return await outcome if inspect.isawaitable(outcome) else outcome
            finally:
                await service.close()

        return asyncio.run(main())


def program_name() -> str:
    """What others are told when this program holds a lock: "ajerasync watch"."""
    ctx = click.get_current_context(silent=True)
    return ctx.command_path.split(" --", 1)[0] if ctx and ctx.parent else "ajerasync"


def global_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            expose_value=False,
            callback=_keep("config"),
            help="The settings file.",
        ),
        click.Option(
            ["--profile"],
            metavar="NAME",
            expose_value=False,
            callback=_keep("profile"),
            help="The profile: its own settings and state.",
        ),
    ]


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        if value is not None:
            setattr(ctx.ensure_object(Env), name, value)

    return keep


class Command(click.Command):
    """A command that also takes the options for all."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += global_options()


class Group(click.Group):
    """A group of such commands."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += global_options()


def command(name: str) -> Callable[[Callable[..., Any]], Command]:
    """A command that takes the options for all."""
    return click.command(name, cls=Command)


def group(name: str) -> Callable[[Callable[..., Any]], Group]:
    """A group of commands, each of which takes the options for all."""
    return click.group(name, cls=Group)


pass_env = click.make_pass_decorator(Env, ensure=True)


def ui_options(body: Callable[..., Any]) -> Callable[..., Any]:
    """The flags of the UI, by the names of UiFlags."""
    for name, text in (
        ("no-mouse", "UI: leave the mouse to the terminal."),
        ("plain", "UI: for screen readers and slow lines; no frames, no colour."),
        ("ascii", "UI: no characters outside ASCII in frames and signs."),
        ("readonly", "UI: look at everything, change nothing."),
    ):
        body = click.option(f"--{name}", is_flag=True, help=text)(body)
    return body

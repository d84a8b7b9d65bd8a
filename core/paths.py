"""Where the program keeps things: one settings file and one state folder per profile (XDG honoured)."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import Problem, SettingsError, StoreUnwritable
from core.private import private_folder

APP: Final = "ajerasync"
DEFAULT_PROFILE: Final = "default"
_PROFILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Paths:
    """Every path of one profile. The store, the log and both locks live in `state` (mode 0700)."""

    profile: str
    config: Path
    state: Path

    @property
    def store(self) -> Path:
        return self.state / "store.db"

    @property
    def log(self) -> Path:
        return self.state / "run.log"

    @property
    def run_lock(self) -> Path:
        return self.state / "run.lock"

    @property
    def lease(self) -> Path:
        return self.state / "schedule.lock"

    def make_state(self) -> Path:
        """The state folder, made with mode 0700 where it is missing. Raises StoreUnwritable."""
        try:
            private_folder(self.state)
        except OSError as error:
            raise StoreUnwritable(f"The state folder {self.state} cannot be used: {error.strerror}") from None
        return self.state


def paths_for(config: Path | None = None, profile: str | None = None) -> Paths:
    """The paths of a profile.

    Without `config` the settings are `config.toml`, or `config.NAME.toml` for another profile than
    `default`. A settings file named by hand has a state folder of its own, so that a file that
    points at a sandbox never shares a memory with the real systems; `--profile` overrides it.
    """
    name = profile or DEFAULT_PROFILE
    if not _PROFILE_NAME.fullmatch(name):
        raise SettingsError([Problem("--profile", f"found {name!r}", "Letters, digits, '.', '_' and '-' are allowed")])
    home, states = _folders()
    usual = home / ("config.toml" if name == DEFAULT_PROFILE else f"config.{name}.toml")
    chosen = config.expanduser().absolute() if config else usual
    if profile is None and chosen != usual:
        name = _profile_of(chosen)
    return Paths(name, chosen, states / name)


def _folders() -> tuple[Path, Path]:
    """Where settings and states are. On Linux two lines of the XDG specification: platformdirs, which knows the rest,
    brings temporary files and archives along, a twentieth of a short command."""
    user = os.environ.get("HOME", "")
    if sys.platform == "linux" and user.startswith("/"):
        return _xdg("XDG_CONFIG_HOME", user, ".config"), _xdg("XDG_STATE_HOME", user, ".local/state")
    from platformdirs import PlatformDirs

    dirs = PlatformDirs(APP, appauthor=False)
    return Path(dirs.user_config_dir), Path(dirs.user_state_dir)


def _xdg(variable: str, user: str, usual: str) -> Path:
    """A path that is not absolute counts as none."""
    told = os.environ.get(variable, "")
    return Path(told if told.startswith("/") else f"{user}/{usual}", APP)


def _profile_of(config: Path) -> str:
    """A folder name for a settings file outside the usual place: its stem and a digest of its path."""
    import hashlib  # late: only a file named by hand needs it

    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", config.stem).strip("-")[:40] or "config"
    return f"{stem}-{hashlib.sha256(str(config.resolve()).encode()).hexdigest()[:8]}"

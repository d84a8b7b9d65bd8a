"""``python -m core.sandbox``: the two emulated systems in the foreground, with the flags of ``ajerasync sandbox``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from core.private import guard_process
from core.sandbox.folder import FolderError
from core.sandbox.options import PROFILES, SandboxError, SandboxOptions
from core.sandbox.serve import run_sandbox

USAGE_ERROR = 2


def parser() -> argparse.ArgumentParser:
    """The flags; defaults are those of SandboxOptions."""
    asks = argparse.ArgumentParser(prog="python -m core.sandbox", description=__doc__, allow_abbrev=False)
    default = SandboxOptions()
    asks.add_argument("--host", default=default.host, help="address to listen on")
    asks.add_argument("--allow-remote", action="store_true", help="allow a host that is not loopback")
    asks.add_argument("--ajera-port", type=int, default=0, metavar="P", help="port of Ajera, 0 picks one")
    asks.add_argument("--crm-port", type=int, default=0, metavar="P", help="port of the CRM, 0 picks one")
    for name in ("seed", "firms", "contacts", "projects", "employees"):
        asks.add_argument(f"--{name}", type=int, default=getattr(default, name), metavar="N")
    asks.add_argument("--ajera-version", metavar="VERSION", help="what Ajera says it is; 9.10.00 if nothing is saved")
    asks.add_argument("--crm-profile", choices=PROFILES, help="which CRM; dps1 if nothing is saved")
    asks.add_argument("--rate", type=float, default=default.rate, metavar="N", help="Ajera's limit, requests a second")
    asks.add_argument("--delay", type=int, default=0, metavar="MS", help="milliseconds added to each reply")
    asks.add_argument("--life", type=float, default=0, metavar="N", help="edits a minute on both sides")
    asks.add_argument("--quirk", action="append", default=[], metavar="NAME=VALUE", help="may be given several times")
    asks.add_argument("--data", type=Path, metavar="DIR", help="folder to load from and save to")
    asks.add_argument("--config-out", type=Path, metavar="FILE", help="write settings that point at the two systems")
    asks.add_argument("--verbose", action="store_true", help="tell of each edit of --life on standard error")
    return asks


def options_of(given: argparse.Namespace) -> SandboxOptions:
    """The options of parsed flags."""
    values = vars(given).copy()
    values.pop("verbose")
    values["delay_ms"], values["quirks"] = values.pop("delay"), tuple(values.pop("quirk"))
    return SandboxOptions(**values)


def main(argv: Sequence[str] | None = None) -> int:
    """Run until a signal; 2 for wrong flags or a folder that cannot be used."""
    guard_process()
    given = parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO if given.verbose else logging.WARNING, stream=sys.stderr)
    try:
        return run_sandbox(options_of(given))
    except SandboxError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)  # noqa: T201
    except (FolderError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())

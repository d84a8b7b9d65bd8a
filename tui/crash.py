"""What is left behind when the program breaks: a report without values, so without secrets and personal data.

Textual prints the local variables of every frame, tokens included. Here a report keeps only where it happened: the
kinds of errors, files, lines and functions. The words of an error are kept for this program's own errors alone, which
hold no secret by their contract (`core.errors`).
"""

from __future__ import annotations

import os
import platform
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from core.errors import AjerasyncError
from core.private import private_folder
from core.version import VERSION

KEPT_REPORTS: Final = 10
_PREFIX: Final = "crash-"


def report_text(error: BaseException, at: datetime) -> str:
    """The report: what, where, in which versions."""
    from importlib.metadata import version as version_of  # late: a start without a crash needs no metadata

    lines = [
        f"ajerasync {VERSION}, {at:%Y-%m-%dT%H:%M:%SZ}",
        f"Python {platform.python_version()}, Textual {version_of('textual')}, {platform.system()} {platform.machine()}",
        "",
    ]
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        lines += _one(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        if link is not None:
            lines.append("caused by")
    return "\n".join(lines) + "\n"


def _one(error: BaseException) -> list[str]:
    kind = type(error)
    words = f": {error}" if isinstance(error, AjerasyncError) else ""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    return [f"{kind.__module__}.{kind.__qualname__}{words}", *places]


def _short(filename: str) -> str:
    """The path below the package's folder: no user names."""
    parts = Path(filename).parts
    for root in ("tui", "core", "site-packages"):
        if root in parts:
            place = len(parts) - 1 - parts[::-1].index(root)
            return "/".join(parts[place + (root == "site-packages") :])
    return parts[-1] if parts else filename


def write_report(error: BaseException, folder: Path) -> Path | None:
    """Write a report, the oldest ones go; None where the folder cannot be written."""
    at = datetime.now(UTC)
    path = folder / f"{_PREFIX}{at:%Y%m%dT%H%M%S%f}.txt"
    try:
        private_folder(folder)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(report_text(error, at))
        for old in sorted(folder.glob(f"{_PREFIX}*.txt"))[:-KEPT_REPORTS]:
            old.unlink(missing_ok=True)
    except (OSError, AjerasyncError):
        return None
    return path

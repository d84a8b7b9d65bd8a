"""Folders, files and a process that are this user's alone: 0700 and 0600, whatever the umask is.

Record data, settings and plans are written through here, so that none of them is readable to others for a moment.
"""

from __future__ import annotations

import os
import resource
import stat
from contextlib import suppress
from pathlib import Path

from core.errors import StoreUnwritable


def private_folder(folder: Path) -> None:
    """The folder, made with its missing parents, and open to this user only (0700).

    Refused (StoreUnwritable): a symbolic link, somebody else's folder, and one with something in it that others
    could write to, since what is in it may not be ours. OSError as it comes.
    """
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if stat.S_ISLNK(facts.st_mode):
        raise _unsafe(folder, "is a symbolic link", f"Name the folder it points to, {folder.resolve()}")
    if facts.st_uid != os.geteuid() and os.geteuid() != 0:
        raise _unsafe(folder, "belongs to another user", "Choose one of your own")
    if facts.st_mode & 0o022 and any(folder.iterdir()):
        raise _unsafe(
            folder, "could be written to by other users", f"See that all in it is yours, then: chmod 700 {folder}"
        )
    if facts.st_mode & 0o077:
        folder.chmod(0o700)


def is_private(path: Path, *, folder: bool = False) -> bool:
    """Whether there is such a file (or folder), no link, which is this user's alone."""
    try:
        facts = path.lstat()
    except OSError:
        return False
    kind = stat.S_ISDIR if folder else stat.S_ISREG
    return kind(facts.st_mode) and facts.st_uid == os.geteuid() and not facts.st_mode & 0o077


def _unsafe(folder: Path, why: str, way_out: str) -> StoreUnwritable:
    return StoreUnwritable(f"The folder {folder} is not used: it {why}. {way_out}")


def write_private(path: Path, content: str | bytes) -> None:
    """A file of mode 0600 with this content, put in place in one step. OSError as it comes.

    What is no ordinary file (/dev/stdout, a pipe) is written to as it is.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    import tempfile  # late: most commands write nothing

    # mkstemp makes the file with mode 0600 before a byte is in it.
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def guard_process() -> None:
    """For the start of a program: no core file (the memory holds tokens), and no new file is anybody else's."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)

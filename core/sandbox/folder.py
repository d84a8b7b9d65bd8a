"""The data folder of a sandbox: one JSON file for each system, private to its owner, replaced in one step.

Layout: ``ajera.json`` and ``crm.json``, each ``{"schema": 1, "system": …, "saved_at": …, "data": …}`` where ``data`` is
what the system's own ``to_json`` gives. The folder has mode 0700, the files 0600: they hold made-up social security
numbers and pay, and a copy of a live system may hold real ones.
"""

from __future__ import annotations

import copy
import json
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import orjson

from core import private
from core.errors import StoreUnwritable
from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData

SCHEMA = 1
AJERA_FILE, CRM_FILE = "ajera.json", "crm.json"
Clock = Callable[[], datetime]
Data = TypeVar("Data")


class FolderError(Exception):
    """A data folder that cannot be used; the text names the file and what is wrong with it."""


def has_data(folder: Path) -> bool:
    """Whether the folder holds both systems. FolderError if it holds one: half a sandbox is not a sandbox."""
    found = [name for name in (AJERA_FILE, CRM_FILE) if (folder / name).exists()]
    if len(found) == 1:
        raise FolderError(f"{folder}: only {found[0]} is there; both {AJERA_FILE} and {CRM_FILE} are needed")
    return len(found) == 2


def load(folder: Path, clock: Clock) -> tuple[AjeraData, CrmData]:
    """Both systems as they were saved. FolderError for a missing, damaged or foreign file."""
    return (
        _load(folder / AJERA_FILE, "ajera", lambda data: AjeraData.from_json(data, clock)),
        _load(folder / CRM_FILE, "crm", lambda data: CrmData.from_json(data, clock)),
    )


def documents(ajera: AjeraData, crm: CrmData) -> dict[str, dict[str, Any]]:
    """What ``write`` takes: a copy that later edits do not reach, so that it can be written from another thread."""
    saved_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    ours, theirs = ajera.to_json(), crm.to_json()
    # The two parts that are handed out as they are, not as copies.
    ours["next"], theirs["code_tables"] = dict(ours["next"]), copy.deepcopy(theirs["code_tables"])
    return {
        name: {"schema": SCHEMA, "system": system, "saved_at": saved_at, "data": data}
        for name, system, data in (
            (AJERA_FILE, "ajera", ours),
            (CRM_FILE, "crm", theirs),
        )
    }


def take(folder: Path) -> None:
    """The folder, made if missing, mode 0700. FolderError for one that others could have written to."""
    try:
        private.private_folder(folder)
    except StoreUnwritable as error:
        raise FolderError(str(error)) from None


def write(folder: Path, files: dict[str, dict[str, Any]]) -> None:
    """Write all files beside the old ones first, then put them in place. OSError if the disk refuses."""
    take(folder)
    waiting: list[tuple[Path, Path]] = []
    try:
        for name, document in files.items():
            waiting.append((_write_beside(folder, name, encode(document)), folder / name))
        for temporary, final in waiting:
            temporary.replace(final)
    finally:
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)


def encode(document: dict[str, Any]) -> bytes:
    """JSON. orjson is ten times as quick, which a loop in the next thread feels; json takes what orjson does not."""
    try:
        return orjson.dumps(document)
    except TypeError:  # half a surrogate pair or a number over 64 bits, as a client may send
        return json.dumps(document).encode()


def decode(data: bytes) -> Any:
    """What ``encode`` wrote. ValueError if it is not JSON."""
    try:
        return orjson.loads(data)
    except ValueError:
        return json.loads(data)


def save(folder: Path, ajera: AjeraData, crm: CrmData) -> None:
    """``documents`` and ``write`` in one."""
    write(folder, documents(ajera, crm))


def write_private(path: Path, text: str) -> None:
    """A text file of mode 0600, replaced in one step."""
    if not path.parent.exists():
        take(path.parent)
    private.write_private(path, text)


def _write_beside(folder: Path, name: str, content: bytes) -> Path:
    # mkstemp makes the file with mode 0600 before a byte is in it.
    handle, path = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise
    return Path(path)


def _load(path: Path, system: str, build: Callable[[dict[str, Any]], Data]) -> Data:
    try:
        document = decode(path.read_bytes())
    except OSError as error:
        raise FolderError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise FolderError(f"{path}: not JSON, damaged or cut off") from error
    if not isinstance(document, dict) or document.get("system") != system:
        raise FolderError(f"{path}: not a sandbox file of {system}")
    if document.get("schema") != SCHEMA:
        raise FolderError(f"{path}: schema {document.get('schema')!r}, this program reads {SCHEMA}")
    try:
        return build(document["data"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FolderError(f"{path}: damaged ({type(error).__name__})") from error

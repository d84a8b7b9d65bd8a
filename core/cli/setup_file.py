"""The settings file as the set-up dialogue leaves it: comments, mode 0600, a copy of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from core.errors import UsageError
from core.private import private_folder, write_private

HEAD: Final = "Settings of ajerasync, written by `ajerasync setup`. Every key: docs/settings.md"
TITLES: Final = {
    "ajera": "The connection to Ajera",
    "crm": "The connection to the CRM",
    "sync": "What is kept in step, and how",
    "schedule": "When runs start by themselves",
}


def read_document(path: Path) -> Any:
    """The file as a document that keeps its comments. Raises UsageError where it is no TOML."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from None
    except TOMLKitError as error:
        raise UsageError(f"{path} is not TOML: {error}") from None


def document_text(answers: Mapping[str, Mapping[str, Any]], before: Any = None) -> str:
    """The answers as TOML. What was in the file before and was not asked for stays, comments too."""
    import tomlkit

    body = before if before is not None else tomlkit.document()
    if before is None:
        body.add(tomlkit.comment(HEAD))
    for name, section in answers.items():
        if name not in body:
            body.add(tomlkit.nl())
            body.add(tomlkit.comment(TITLES.get(name, name)))
            body.add(name, tomlkit.table())
        for key, value in section.items():
            _put(body[name], name, key, value)
    return tomlkit.dumps(body)


def _put(table: Any, section: str, key: str, value: Any) -> None:
    import tomlkit

    if value is None:
        if key in table:
            del table[key]
        return
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        inline.update(value)
        value = inline
    item = tomlkit.item(value)
    said = getattr(table.get(key), "trivia", None)
    item.comment(said.comment.lstrip("# ") if said is not None and said.comment else description(section, key))
    if key in table:
        table[key] = item
    else:
        table.add(key, item)


def description(section: str, key: str) -> str:
    """What the settings' own model says of a key."""
    from core.settings import Document

    model: Any = Document.model_fields[section].annotation
    return str(model.model_fields[key].description or "")


def keep_copy(path: Path) -> Path | None:
    """A copy of the file beside it, mode 0600; None where there is no file."""
    if not path.exists():
        return None
    copy = path.with_name(f"{path.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    _write(copy, path.read_bytes())
    return copy


def write_settings(path: Path, text: str) -> None:
    """The file, mode 0600, in a folder made where it is missing. Raises UsageError."""
    _write(path, text)


def _write(path: Path, content: str | bytes) -> None:
    try:
        if not path.parent.exists():
            private_folder(path.parent)
        write_private(path, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None

"""A sandbox whose every text is somebody's attempt at the terminal, the UI, a spreadsheet, an address or a filter."""

from __future__ import annotations

import itertools
import re
import unicodedata
from typing import Any

from core.sandbox.serve import Sandbox

TEXTS = (
    "[bold]loud[/bold]", "[/x]", "[bold", "Roads [/2024]", "[@click=app.quit]x[/]", "[link=https://evil.example]x[/link]",
    "[@click=app.exit()]go[/@click]", "$primary [on red]x", ":house: layer:house:2",
    "\x1b[2J\x1b[1;1Howned", "\x1b]0;owned\x07", "\x1b]52;c;ZXZpbA==\x07", "\x1b]52;c;ZXZpbA==\x1b\\",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "\x1bP+q544e\x1b\\", "\x9b31mred\x9d0;x\x9c", "\x1b[?1049l\x1b[?25h",
    "bell\x07 back\x08\x08\x08 return\rover", "nul\x00nul", "two\nlines\r\nthree\x0bfour\x0cfive\x85six\u2028seven",
    "tab\there", "del\x7f esc\x1b",
    "abc\u202edcba\u202c", "\u2066iso\u2069 \u2067rtl\u2069", "\u200fmark\u200e", "zero\u200bwidth\u200d\u2060\ufeff", "\u061carabic",
    "zalgo" + "\u0301\u0316\u0338" * 400, "\u0301starts with a mark", "x" * 10_000, "wide" + "\u6f22" * 3000,
    "\U000e0041\U000e0042 tags", "soft\u00adhyphen", "\ufffe\uffff", "\U0001f468\u200d\U0001f469\u200d\U0001f467 family",
    "=cmd|'/C calc'!A0", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1+1)", "\t=1+1", "\uff1d1+1", "=HYPERLINK(\"http://evil.example\")",
    "'; DROP TABLE docs; --", "\" OR 1=1 --", "%00%0d%0a%2e%2e/", "&filterHash[9][name]=x&limit=0", "a&b=c#d;e?f+g%41 h",
    "<BR/>Field 'Name' does not exist<br>", "<script>alert(1)</script>", '{"a": [1, "]}', '\\u001b[31m\\x1b', "${HOME} $(id) `id`", "../../etc/passwd",
)  # fmt: skip


def fill(sandbox: Sandbox) -> list[str]:
    """Names, e-mails, phones, addresses, titles, roles and templates of all records; the texts in use."""
    given = itertools.cycle(TEXTS)
    used: list[str] = []

    def text(limit: int = 20_000) -> str:
        used.append(next(given)[:limit])
        return used[-1]

    ajera, crm = sandbox.ajera, sandbox.crm
    for table, columns in (
        ("clients", ("Description", "Email", "PrimaryPhoneNumber", "PrimaryAddressLineOne", "PrimaryAddressCity", "Website")),
        ("contacts", ("FirstName", "LastName", "Title", "Email", "PrimaryPhoneNumber", "Company")),
        ("projects", ("Description", "Location", "Notes")),
        ("project_templates", ("Description",)),
        ("employees", ("FirstName", "LastName", "Title", "Email")),
    ):  # fmt: skip
        for key in list(ajera.tables[table]):
            _try(ajera.edit, table, key, {name: text() for name in columns})
    for table, columns in (
        ("firm", ("Name", "WebSite")),
        ("address", ("Address1", "City", "Phone", "Email")),
        ("contact", ("FirstName", "LastName", "Title", "Email", "Phone")),
        ("project", ("Name", "LongName", "City")),
        ("employee", ("FirstName", "LastName", "Title", "EMail")),
        ("project_contact", ("RoleDescription",)),
    ):
        for key in list(crm.tables[table]):
            for name in columns:
                _try(crm.edit, table, key, {name: text()})
    for rows in crm.code_tables.values():
        for row in rows[1:4]:
            row["Description"] = text()
    return used


def _try(edit: Any, table: str, key: Any, changes: dict[str, Any]) -> None:
    try:
        edit(table, key, changes)
    except (KeyError, ValueError):
        if len(changes) > 1:
            for name, value in changes.items():
                _try(edit, table, key, {name: value})


_ALLOWED_SPACE = " \n"
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARKS = re.compile(r"[\u0300-\u036f]{6,}")


def acting(text: str) -> list[str]:
    """What in a text for the terminal would act instead of being seen."""
    bad = [
        f"U+{ord(char):04X}"
        for char in text
        if char not in _ALLOWED_SPACE
        and (unicodedata.category(char) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"} or char in _BIDI)
    ]
    return sorted(set(bad)) + (["marks"] if _MARKS.search(text) else [])

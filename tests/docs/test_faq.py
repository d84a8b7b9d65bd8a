"""Every message that docs/faq.md explains is one that the program says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.docs.kit import ROOT

ROWS = re.findall(r"^\| (`[^|]+)\|", (ROOT / "docs/faq.md").read_text(encoding="utf-8"), re.MULTILINE)
MESSAGES = [row.split("`")[1] for row in ROWS]


def said(node: ast.AST) -> Iterator[str]:
    """The texts of a tree: what stands between the holes of an f-string is `…`."""
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        elif isinstance(child, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in child.values)


def test_the_program_says_them() -> None:
    sources = [path for room in ("core", "tui") for path in (ROOT / room).rglob("*.py")]
    texts = [text for path in sources for text in said(ast.parse(path.read_text(encoding="utf-8")))]
    unsaid = []
    for message in MESSAGES:
        pieces = [piece.strip() for piece in message.split("…") if piece.strip()]
        if not any(all(piece in text for piece in pieces) for text in texts):
            unsaid.append(message)
    assert unsaid == []
    assert len(MESSAGES) > 60


def test_every_row_has_a_cause_and_a_way_out() -> None:
    text = (ROOT / "docs/faq.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row for row in rows if len([cell for cell in row.split("|") if cell.strip()]) != 3] == []

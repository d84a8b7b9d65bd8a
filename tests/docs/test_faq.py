"""Every message that docs/faq.md explains is one that the program says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from core import errors
from tests.docs.kit import ROOT

ROWS = re.findall(r"^\| (`[^|]+)\|", (ROOT / "docs/faq.md").read_text(encoding="utf-8"), re.MULTILINE)
MESSAGES = [message for row in ROWS for message in row.split("`")[1::2]]
PIECES = [[piece.strip() for piece in message.split("…") if piece.strip()] for message in MESSAGES]
RAISED = {name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Exception)} | {
    "Guard"
}
# Not for operators: what a wrong use of the command line is told, and the emulated systems' own words.
ELSEWHERE = ("core/sandbox/", "core/cli/", "probe")


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
    assert all(PIECES)
    unsaid = []
    for message, pieces in zip(MESSAGES, PIECES, strict=True):
        if not any(all(piece in text for piece in pieces) for text in texts):
            unsaid.append(message)
    assert unsaid == []
    assert len(MESSAGES) > 60


def text_of(node: ast.AST) -> str:
    """The text of an argument, `…` for what differs."""
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return next(said(node), "") if isinstance(node, ast.Constant | ast.JoinedStr) else ""


def raised() -> Iterator[tuple[str, str]]:
    """Where a failure is made, and its words."""
    for path in (ROOT / "core").rglob("*.py"):
        place = path.relative_to(ROOT).as_posix()
        if any(part in place for part in ELSEWHERE):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED:
                words = " ".join(text for text in map(text_of, node.args) if len(text) > 8)
                if len(words.replace("…", "").strip()) > 8:
                    yield f"{place}:{node.lineno}", words


def test_every_failure_of_the_core_is_explained() -> None:
    told = [(place, words) for place, words in raised() if any(all(p in words for p in ps) for ps in PIECES)]
    assert [each for each in raised() if each not in told] == [], "explain it in docs/faq.md"
    assert len(told) > 80


def test_every_row_has_a_cause_and_a_way_out() -> None:
    text = (ROOT / "docs/faq.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row for row in rows if len([cell for cell in row.split("|") if cell.strip()]) != 3] == []

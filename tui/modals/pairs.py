"""What taking over the pairs of a file would do, row by row: refused first, then new, then known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.engine.views import PairView
from tui.formatting import count, joined
from tui.glyphs import glyphs
from tui.modals.told import ToldAsk
from tui.widgets.ask import Choice
from tui.widgets.text_lines import Line, paragraph

_SECTIONS: Final = (
    ("refused", "Refused, nothing is done for them", "warn"), ("new", "Would be linked", "strong"),
    ("known", "Linked already", "muted"),
)  # fmt: skip


class PairsAsk(ToldAsk):
    """Answers "link", or None."""

    HELP = "What the file would link. w links the new ones; escape leaves everything as it is. Arrows and page keys scroll."

    def __init__(self, name: str, found: Sequence[PairView], *, readonly: bool = False) -> None:
        new = 0 if readonly else sum(each.state == "new" for each in found)
        choice = Choice("link", f"Link {count(new, 'pair')}", key="w", does="links them")
        super().__init__(
            f"Take over the pairs of {name}?",
            lambda width: pair_lines(found, width),
            (choice,) if new else (),
            empty="The file holds no pairs.",
            cancel="Cancel" if new else "Close",
        )


def pair_lines(found: Sequence[PairView], width: int) -> list[Line]:
    """The rows in words; records by name where they are known here."""
    if not found:
        return []
    told = ", ".join(f"{number:,} {word}" for word, number in _numbers(found) if number)
    lines = paragraph(
        f"{count(len(found), 'row')}: {told}. Nothing is written to either system before the next run.", width
    )
    for state, title, style in _SECTIONS:
        rows = [each for each in found if each.state == state]
        if rows:
            lines += [("", ""), (f" {title} ({len(rows):,})", style)]
            lines += [line for each in rows for line in _row(each, width)]
    return lines


def _numbers(found: Sequence[PairView]) -> list[tuple[str, int]]:
    words = {"new": "to be linked", "known": "linked already", "refused": "refused"}
    return [(word, sum(each.state == state for each in found)) for state, word in words.items()]


def _row(each: PairView, width: int) -> list[Line]:
    sign = glyphs().flag({"new": "pending", "known": "in_step"}.get(each.state, "refused"))
    ajera = joined((each.ajera_key, each.ajera), " ")
    crm = joined((each.crm_key, each.crm), " ")
    lines = paragraph(f"{sign} {each.kind}: Ajera {ajera} = CRM {crm}", width, indent=2)
    return lines + (paragraph(each.reason, width, style="muted", indent=6) if each.reason else [])

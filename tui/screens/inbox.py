"""What waits for me? Conflicts, candidates, differences, errors, refusals and drift as one list, answered in place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from core.engine.pairs import read_pairs, write_pairs
from core.errors import AjerasyncError
from core.model.plan import Candidate, Item
from core.model.values import Side
from tui.formatting import count, cut, joined
from tui.modals.pairs import PairsAsk
from tui.modals.value import ValueAsk
from tui.screens.inbox_items import COLUMNS, FIELDS, TYPES, Waiting, inbox_row, told_whole, waiting
from tui.screens.split import SplitScreen
from tui.screens.values import BLANK, value_words
from tui.widgets.ask import Ask, Choice
from tui.widgets.filter import FilterBar
from tui.widgets.outline import Line
from tui.widgets.plain_table import PlainTable
from tui.widgets.record_table import RecordTable, Row
from tui.widgets.text_lines import TextLines
from tui.widgets.toast import toast

if TYPE_CHECKING:
    from tui.app import AjerasyncApp

ANSWER = Binding.Group("Answer")
PAIRS = Binding.Group("Pairs")
EMPTY = "Nothing waits for you.\n\nConflicts, possible twins, errors and refusals of the next plan or run appear here."
_PLURALS = {
    "conflict": "conflicts", "candidate": "candidates", "difference": "differences", "error": "errors",
    "refused": "refused", "drift": "drifted",
}  # fmt: skip
_FIELD_ACTS = frozenset({"take", "type_value", "whole_field"})
_MATCH_ACTS = frozenset({"link", "create", "never"})


class InboxScreen(SplitScreen):
    """Place 5."""

    PLACE = "inbox"
    FIELDS = FIELDS
    AUTO_FOCUS = "#inbox"
    HELP = (
        "What waits for a person. The keys that answer the chosen line stand in the footer and beside it. An answer is "
        "kept at once and takes effect with the next run (R runs now); another answer replaces it. I takes over pairs of "
        "records from a file, as when this program takes over from another sync; O writes such a file."
    )
    FOOTER: ClassVar[Sequence[str]] = (
        "inbox.crm", "inbox.ajera", "inbox.type", "inbox.link", "inbox.create", "inbox.never", "inbox.retry", "inbox.retry-all",
        "table.open", "app.run", "app.help", "pairs.import", "hub.filter", "inbox.field", "pairs.export", "hub.back", "app.plan", "app.log", "app.quit",
        "app.palette",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("C", "take('crm')", "Take CRM's", id="inbox.crm", group=ANSWER, tooltip="The CRM's value goes to Ajera"),
        Binding("J", "take('ajera')", "Take Ajera's", id="inbox.ajera", group=ANSWER, tooltip="Ajera's value goes to the CRM"),
        Binding("e", "type_value", "Type value", id="inbox.type", group=ANSWER, tooltip="Type a value that goes to both"),
        Binding("F", "whole_field", "All of field", id="inbox.field", group=ANSWER,
                tooltip="The same answer for every open line of this field; asks first"),
        Binding("equals_sign", "link", "Same", id="inbox.link", key_display="=", group=ANSWER,
                tooltip="The two records are the same: link them"),
        Binding("plus", "create", "Create new", id="inbox.create", key_display="+", group=ANSWER,
                tooltip="There is no partner: create a new one on the other side"),
        Binding("minus", "never", "Never", id="inbox.never", key_display="-", group=ANSWER,
                tooltip="These two are not the same; do not ask again"),
        Binding("y", "retry", "Retry", id="inbox.retry", group=ANSWER, tooltip="Try this error again with the next run"),
        Binding("Y", "retry_all", "Retry all", id="inbox.retry-all", group=ANSWER,
                tooltip="Try every error again with the next run"),
        Binding("I", "import_pairs", "Import pairs", id="pairs.import", group=PAIRS,
                tooltip="Take over pairs of records from a CSV file; shows first what would be linked and what not"),
        Binding("O", "export_pairs", "Export pairs", id="pairs.export", group=PAIRS,
                tooltip="Write all pairs that are linked into a CSV file"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, Waiting] = {}
        self.answers: dict[str, str] = {}

    # -- layout ----------------------------------------------------------------------------------------------

    def compose_head(self) -> Iterable[Widget]:
        yield Static("", id="head", markup=False)

    def compose_list(self) -> Iterable[Widget]:
        fields: dict[str, Callable[[Row], str]] = {"kind": _kind, "answered": self._answered_field}
        yield PlainTable(COLUMNS, fields=fields, empty=EMPTY, id="inbox")

    def compose_detail(self) -> Iterable[Widget]:
        yield TextLines(empty="Nothing chosen.", id="inbox-detail")

    @property
    def table(self) -> RecordTable:
        """The list."""
        return self.query_one("#inbox", RecordTable)

    @property
    def home(self) -> Widget:
        return self.table

    @property
    def current(self) -> Waiting | None:
        """What the cursor is on."""
        return self.found.get(self.table.cursor_key or "")

    # -- data ------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        self.found = {each.id: each for each in waiting(self.service)}
        self._take_answers()
        self._show()

    def _take_answers(self) -> None:
        """The answers that wait for the next run, wherever they were given: here, before a restart, on the command line."""
        given = self.service.answers()
        self.answers = {each.fingerprint: given[each.id] for each in self.found.values() if each.id in given}

    def _show(self) -> None:
        now = datetime.now(UTC)
        self.table.set_rows([inbox_row(each, self._answer(each), now) for each in self.found.values()])
        words = self._head_words()
        head = self.query_one("#head", Static)
        head.update(Content(cut(f" {words}", self.size.width or 80)))
        head.display = bool(words)
        self._show_note()
        self._show_detail()

    def _answer(self, each: Waiting) -> str:
        return self.answers.get(each.fingerprint, "")

    def _answered_field(self, row: Row) -> str:
        return "yes" if self._answer(row.data) else "no"

    def _head_words(self) -> str:
        numbers = {type_: sum(each.type == type_ for each in self.found.values()) for type_ in TYPES}
        told = [count(number, type_, _PLURALS[type_]) for type_, number in numbers.items() if number]
        answered = f"{len(self.answers):,} answered: R takes them along" if self.answers else ""
        return joined((", ".join(told), answered))

    def _show_note(self) -> None:
        table = self.table
        self.query_one("#filter", FilterBar).note(f"{table.line_count:,} of {table.row_count:,}" if self.found else "")

    def _show_detail(self) -> None:
        each = self.current

        def tell(width: int) -> Sequence[Line]:
            return told_whole(self.service, each, self._answer(each), datetime.now(UTC), width) if each else ()

        self.query_one("#inbox-detail", TextLines).show(tell)
        self.refresh_bindings()

    @on(RecordTable.RowHighlighted, "#inbox")
    def _moved(self, event: RecordTable.RowHighlighted) -> None:
        event.stop()
        self._show_detail()

    @on(RecordTable.RowSelected, "#inbox")
    def _opened(self, event: RecordTable.RowSelected) -> None:
        event.stop()
        self.open_detail()

    @on(RecordTable.ViewChanged, "#inbox")
    def _view_changed(self, event: RecordTable.ViewChanged) -> None:
        event.stop()
        self._show_note()

    @on(FilterBar.Changed, "#filter")
    def _filtered(self, event: FilterBar.Changed) -> None:
        event.stop()
        self.table.set_filter(event.query)

    # -- answers ---------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only the keys that answer the line under the cursor are live; the others stay in the help."""
        if action in _FIELD_ACTS or action in _MATCH_ACTS or action in ("retry", "retry_all"):
            return True if self._applies(action) else None
        return True

    def _applies(self, action: str) -> bool:
        each = self.current if self.is_mounted and self.query("#inbox") else None
        if action == "retry_all":
            return any(other.type == "error" for other in self.found.values())
        if each is None:
            return False
        if action in _FIELD_ACTS:
            return isinstance(each.data, Item)
        return isinstance(each.data, Candidate) if action in _MATCH_ACTS else each.type == "error"

    def _keep(self, each: Waiting, act: Callable[[], str]) -> str:
        """Give an answer; what was wrong with it, or nothing."""
        try:
            said = act().removeprefix(f"{each.label}: ")
        except AjerasyncError as error:
            return str(error)
        self.session.forget_status()
        self._take_answers()
        self.answers.setdefault(each.fingerprint, said)
        self._show()
        return ""

    def _give(self, each: Waiting, act: Callable[[], str]) -> None:
        wrong = self._keep(each, act)
        if wrong:
            toast(self.app, wrong, "warning", seconds=12)
        else:
            toast(self.app, self.answers[each.fingerprint])

    def action_take(self, side: str) -> None:
        """Take one side's value."""
        each = self.current
        if each is not None and isinstance(each.data, Item):
            self._give(each, lambda: self.service.resolve(each.id, Side(side)))

    def action_type_value(self) -> None:
        """Type a value for both."""
        each = self.current
        if each is None or not isinstance(each.data, Item):
            return
        item = each.data
        crm, ajera = (value_words(self.service, item.kind, item.field, value) for value in (item.crm, item.ajera))
        lines = (f"CRM    {crm or BLANK}", f"Ajera  {ajera or BLANK}", "What you type goes to both with the next run.")
        self.app.push_screen(
            ValueAsk(f"{each.label}: {each.field_label}", lines, crm, lambda text: self._typed(each, text))
        )

    def _typed(self, each: Waiting, text: str) -> str:
        if text in ("ajera", "crm"):  # the service reads these two words as "take this side's value"
            return f"{text} means the value of that side here: J or C takes it"
        return self._keep(each, lambda: self.service.resolve(each.id, text))

    def action_whole_field(self) -> None:
        """The same answer for every open line of this field."""
        each = self.current
        if each is None or not isinstance(each.data, Item):
            return
        same = [
            o for o in self.found.values() if isinstance(o.data, Item) and (o.kind, o.field) == (each.kind, each.field)
        ]
        lines = [f"{count(len(same), 'open line')} of {each.kind.value}s, {each.field_label}:", ""]
        lines += [f"{o.label}: {o.values}" for o in same[:10]]
        lines += [f"and {len(same) - 10:,} more"] if len(same) > 10 else []
        lines += ["", "CRM's value stands left, Ajera's right. Nothing is written before the next run."]
        choices = (Choice("crm", "Take all of the CRM's"), Choice("ajera", "Take all of Ajera's"))

        def answered(side: str | None) -> None:
            if side:
                self._take_all(same, Side(side))

        self.app.push_screen(Ask(f"Answer all of {each.field_label}?", lines, choices), answered)

    def _take_all(self, same: Sequence[Waiting], side: Side) -> None:
        try:
            number = self.service.resolve_all(same[0].kind, same[0].field, side)
        except AjerasyncError as error:
            self.refused(error)
            return
        taken = "Ajera's value is taken" if side is Side.AJERA else "the CRM's value is taken"
        self.session.forget_status()
        self._take_answers()
        self._show()
        toast(self.app, f"{count(number, 'line')} of {same[0].field_label}: {taken} with the next run")

    def action_link(self) -> None:
        """The two are the same."""
        each = self.current
        if each is None or not isinstance(each.data, Candidate):
            return
        ajera, crm = each.data.ajera_key, each.data.crm_key
        if ajera is None or crm is None:
            toast(self.app, "There is one record here only: + creates its partner.", "warning")
            return
        self._give(each, lambda: self.service.match_link(ajera, crm, each.kind))

    def action_create(self) -> None:
        """There is no partner yet."""
        each = self.current
        if each is not None and isinstance(each.data, Candidate):
            key = each.data.key
            self._give(each, lambda: self.service.match_create(key, each.kind))

    def action_never(self) -> None:
        """Not the same."""
        each = self.current
        if each is not None and isinstance(each.data, Candidate):
            data = each.data
            partner = data.crm_key if data.side is Side.AJERA else data.ajera_key
            self._give(each, lambda: self.service.match_never(data.key, each.kind, partner))

    def action_retry(self) -> None:
        """This error again."""
        each = self.current
        if each is not None and each.type == "error":
            self._give(each, lambda: _again(self.service.retry(each.id)))

    def action_retry_all(self) -> None:
        """Every error again."""
        try:
            number = self.service.retry("all")
        except AjerasyncError as error:
            self.refused(error)
            return
        self._take_answers()
        self._show()
        toast(self.app, f"{count(number, 'error')} tried again with the next run")

    # -- pairs -----------------------------------------------------------------------------------------------

    def action_export_pairs(self) -> None:
        """Write the links into a file."""
        number = len(self.service.links())
        lines = (
            f"{count(number, 'pair')} of kind, Ajera key and CRM key go into a CSV file that only you can read.",
            "I, or `ajerasync links import`, takes such a file over.",
        )
        start = str(cast("AjerasyncApp", self.app).report_folder / "links.csv")
        self.app.push_screen(ValueAsk("Export pairs to a file", lines, start, self._export), self._exported)

    def _export(self, text: str) -> str:
        path = typed_path(text)
        if path is None:
            return "It needs the name of a file."
        if path.exists():
            return f"{path} is there already: choose another name."
        try:
            write_pairs(path, self.service.links())
        except AjerasyncError as error:
            return str(error)
        return ""

    def _exported(self, text: str | None) -> None:
        if text is not None:
            toast(self.app, f"{count(len(self.service.links()), 'pair')} written to {typed_path(text)}", seconds=12)

    def action_import_pairs(self) -> None:
        """Show what the pairs of a file would link, ask, and link them."""
        lines = (
            "A CSV file with the columns kind, ajera_key, crm_key. What each row would do is shown first; nothing is",
            "linked before you say so.",
        )

        def attempt(text: str) -> str:
            path = typed_path(text)
            return "" if path is not None and path.is_file() else f"there is no file {path or ''}".rstrip()

        self.app.push_screen(ValueAsk("Import pairs from a file", lines, "", attempt), self._file_chosen)

    def _file_chosen(self, text: str | None) -> None:
        path = typed_path(text or "")
        if path is not None:
            self.run_worker(self._import_job(path), group="pairs", exclusive=True, exit_on_error=False)

    async def _import_job(self, path: Path) -> None:
        app = cast("AjerasyncApp", self.app)
        try:
            rows = await asyncio.to_thread(read_pairs, path)
        except AjerasyncError as error:
            await app.push_screen_wait(Ask("This file was not taken over", str(error).splitlines(), (), cancel="Close"))
            return
        found = self.service.judge_links(rows)
        if await app.push_screen_wait(PairsAsk(path.name, found, readonly=self.service.readonly)) != "link":
            return
        try:
            done = self.service.import_links(rows)
        except AjerasyncError as error:
            self.refused(error)
            return
        self.session.forget_status()
        self.reload()
        refused = f", {count(len(done.refused), 'row')} refused" if done.refused else ""
        new = sum(each.state == "new" for each in found)
        toast(app, f"{count(new, 'pair')} linked{refused}. The next plan compares their fields.", seconds=12)

    def copy_text(self) -> tuple[str, str]:
        return (self.current.id, "the id") if self.current else ("", "")


def _again(_number: int) -> str:
    return "tried again with the next run"


def typed_path(text: str) -> Path | None:
    """A path as a person types it."""
    return Path(text.strip()).expanduser().absolute() if text.strip() else None


def _kind(row: Row) -> str:
    return str(row.data.kind.value)

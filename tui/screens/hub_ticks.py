"""Ticks of a hub: of its rows, of the record beside them, of that record's contacts; undo, and a project's template."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from textual import on

from core.engine import views
from core.errors import AjerasyncError
from core.model.values import Kind, Side
from tui.modals.templates import TemplateChooser
from tui.screens import record_tabs
from tui.screens.hub_base import HubBase
from tui.screens.record_pane import RecordPane
from tui.widgets.filter import FilterBar
from tui.widgets.record_table import RecordTable
from tui.widgets.toast import toast

MANY: Final = 300  # more ticks than this are stored in a thread
FEW: Final = 8  # so many rows are worked out before they are stored, to be shown at once with their state


@dataclass(frozen=True, slots=True)
class Wanted:
    """Keys of rows on one side, and whether they are to be ticked."""

    side: Side
    keys: Sequence[str]
    on: bool


class HubTicks(HubBase):
    """Asks the service for ticks and shows what became of them."""

    _storing = False

    # -- ticks -----------------------------------------------------------------------------------------------

    @on(RecordTable.TickRequested, "#records")
    def _ticks_wanted(self, event: RecordTable.TickRequested) -> None:
        event.stop()
        ticks, value = self.ticks, event.value
        off = [] if value else [key for key in event.keys if key in ticks]
        fresh = [] if value is False else [key for key in event.keys if key not in ticks]
        if len(off) + len(fresh) > MANY:
            self._tick_many(off, fresh)
            return
        self._show_ahead(off, fresh)
        self._tick(off, fresh)

    def _show_ahead(self, off: Sequence[str], fresh: Sequence[str]) -> None:
        """Some ticks are on the screen before they are stored, rows and counters as they will be. What the service
        would refuse is not shown."""
        if len(off) + len(fresh) > FEW:
            return
        wanted = [*self._by_side(off, on=False), *self._by_side(fresh, on=True)]
        service, kind = self.service, self.KIND
        rows = [service.as_if_marked(kind, key, each.on, side=each.side) for each in wanted for key in each.keys]
        for row in rows:
            line = self._lines.show_ahead(row) if row is not None else None
            if row is not None and line is not None:
                (self.ticks.add if row.marked else self.ticks.discard)(row.id)
                self.table.repaint_place(line)
        self._note()
        self.paint_now(self.table, self.query_one(FilterBar).note_line)

    def _settle(self, ahead: Sequence[views.Row]) -> None:
        """What was shown before it was stored gives way to what became of it."""
        rows = self.rows.all
        places = [place for row in ahead if (place := rows.place(row.id)) is not None]
        self._take_ticks(rows, places)
        if self._lines.ahead:  # nothing came of it
            self.table.rows_moved(self._lines.renew(rows, places))
            self._note()

    def _tick_many(self, off: Sequence[str], fresh: Sequence[str]) -> None:
        """Thousands of ticks take a second to store: they are shown at once and stored in a thread."""
        if self._storing:
            toast(self.app, "The ticks before are being stored: one moment.", "warning")
            return
        self._storing = self._lines.all_ahead = True
        self.ticks.difference_update(off)
        self.ticks.update(fresh)
        self.table.refresh_ticks()
        self._note()
        self.paint_now(self.table, self.query_one(FilterBar).note_line)
        self.run_worker(self._store_many(off, fresh), group=f"ticks-{self.PLACE}", exit_on_error=False)

    async def _store_many(self, off: Sequence[str], fresh: Sequence[str]) -> None:
        try:
            done = await asyncio.to_thread(self._asked, off, fresh)
            rows = await asyncio.to_thread(self.service.rows, self.KIND)
        finally:
            self._storing = False
        self.ticks.clear()  # what was shown ahead gives way to what became of it
        self._loaded = False
        self._take_rows(rows)
        self.session.forget_status()
        self._told(done)

    def _asked(self, off: Sequence[str], fresh: Sequence[str]) -> list[tuple[Wanted, views.Marked | AjerasyncError]]:
        """All of it as one act; what the service said to each part."""
        found: list[tuple[Wanted, views.Marked | AjerasyncError]] = []
        with self.service.one_act():
            for each in (*self._by_side(off, on=False), *self._by_side(fresh, on=True)):
                try:
                    found.append((each, self.service.mark(self.KIND, each.keys, each.on, side=each.side)))
                except AjerasyncError as error:
                    found.append((each, error))
        return found

    def _by_side(self, ids: Sequence[str], *, on: bool) -> list[Wanted]:
        found = {side: [each[2:] for each in ids if each[0] == side.value[0]] for side in Side}
        return [Wanted(side, keys, on) for side, keys in found.items() if keys]

    @on(RecordTable.TickRefused, "#records")
    def _tick_refused(self, event: RecordTable.TickRefused) -> None:
        event.stop()
        row = self.rows.get(event.key)
        if row is not None:
            toast(self.app, f"{row.label} cannot be ticked: {row.reason or 'not a record to be sent'}", "warning")

    @on(RecordPane.RecordTick)
    def _tick_this(self, event: RecordPane.RecordTick) -> None:
        event.stop()
        row = self.current
        if row is None or self.KIND is Kind.EMPLOYEE:
            return
        if row.state == "not_tickable":
            self.pane.refuse(f"{row.label} cannot be ticked: {row.reason}")
        else:
            self._tick(*(([row.id], ()) if row.marked else ((), [row.id])))

    def _tick(self, off: Sequence[str], fresh: Sequence[str]) -> None:
        """Ask the service for these ticks, side by side, and show what became of them."""
        ahead = list(self._lines.ahead.values())
        try:
            changed = self._told(self._asked(off, fresh))
        finally:
            self._settle(ahead)
        if changed == list(fresh) and len(changed) == 1:
            self._ask_for_template(changed[0])

    def _told(self, done: Sequence[tuple[Wanted, views.Marked | AjerasyncError]]) -> list[str]:
        """Show what became of ticks; the rows that changed."""
        refused: list[tuple[str, str]] = []
        changed: list[str] = []
        for wanted, outcome in done:
            if isinstance(outcome, AjerasyncError):
                toast(self.app, str(outcome), "warning")
                continue
            self._own_change(outcome)
            lead = f"{wanted.side.value[0]}:"
            changed += [lead + key for key in outcome.changed]
            refused += [(lead + key, reason) for key, reason in outcome.refused]
        self._rows_changed(changed)
        if refused:
            self._say_refused(refused)
        return changed

    def _say_refused(self, refused: Sequence[tuple[str, str]]) -> None:
        names = {key: self.rows[key].label for key, _ in refused if key in self.rows}
        words = record_tabs.refusal_note(refused, names)
        self.pane.refuse(words)
        toast(self.app, words, "warning")

    def _ask_for_template(self, key: str) -> None:
        """A project that is to be created needs a template: say so where it was ticked."""
        row = self.rows[key]
        if self.KIND is Kind.PROJECT and row.crm_key and not row.linked and not row.extra.get("template"):
            default = self.service.detail(row).default_template
            if not default:
                toast(self.app, f"{row.label} has no Ajera Project Template yet: t chooses one.")

    def _own_change(self, done: views.Marked) -> None:
        """What was done here is shown here at once; only the other places have to read again."""
        if done.changed or not done.refused:
            self._seen_generation += 1

    def _rows_changed(self, ids: Sequence[str]) -> None:
        """Ask for the rows again, of which only these can be others, and show them where they stand."""
        if len(ids) > MANY:
            self.reload()
        elif ids:
            rows = self.service.rows(self.KIND)
            moved = rows.moved_since(self.rows.all)
            if moved is None:
                self._take_rows(rows)
            else:
                self.rows = type(self.rows)(rows)
                self._take_ticks(rows, moved)
                self.table.rows_moved(self._lines.renew(rows, moved))
                self._keep_soon()
            self._after_ticks()

    def _after_ticks(self) -> None:
        self.session.forget_status()
        self._note()
        shown, row = self.pane.detail, self.current
        if shown is not None and row is not None and shown.row.id != row.id:
            self._show_detail_soon()  # the tabs follow a cursor that rests
        elif self._detail_timer is None:
            self._show_detail()

    @on(RecordPane.ContactTicks)
    def _contact_ticks(self, event: RecordPane.ContactTicks) -> None:
        event.stop()
        row = self.current
        if row is None:
            return
        ticked = self.pane.contact_ticks
        if event.value is None:
            off = [key for key in event.keys if key in ticked]
            with self.service.one_act():
                self._tick_contacts(row, off, on=False)
                self._tick_contacts(row, [key for key in event.keys if key not in off], on=True)
        else:
            self._tick_contacts(row, [key for key in event.keys if (key in ticked) != event.value], on=event.value)

    def _tick_contacts(self, row: views.Row, keys: Sequence[str], *, on: bool) -> None:
        if not keys:
            return
        project = row.key if self.KIND is Kind.PROJECT else None
        try:
            done = self.service.mark(Kind.CONTACT, keys, on, firm=None if project else row.key, project=project)
        except AjerasyncError as error:
            self.pane.refuse(str(error))
            return
        self._own_change(done)
        self._rows_changed([row.id])
        if done.refused and self.pane.detail is not None:
            names = {contact.crm_key or "": contact.label for contact in self.pane.detail.contacts}
            self.pane.refuse(record_tabs.refusal_note(done.refused, names))

    def action_undo(self) -> None:
        """Take the last change of ticks back."""
        self._travel(self.service.undo_marks, "Taken back")

    def action_redo(self) -> None:
        """Make it again."""
        self._travel(self.service.redo_marks, "Made again")

    def _travel(self, act: Callable[[], views.Marked], words: str) -> None:
        try:
            done = act()
        except AjerasyncError as error:
            toast(self.app, f"{str(error).capitalize()}.", "warning")
            return
        self._own_change(done)
        ids = {row.id for key in done.changed for row in self._rows_with(key)}
        self._rows_changed(sorted(ids))
        if not ids:
            self._after_ticks()
        toast(self.app, f"{words}: {len(done.changed)} {'tick' if len(done.changed) == 1 else 'ticks'}.")

    def _rows_with(self, key: str) -> list[views.Row]:
        return [row for each in (f"c:{key}", f"a:{key}") if (row := self.rows.get(each)) is not None]

    # -- templates -------------------------------------------------------------------------------------------

    def ask_template(self) -> None:
        """Choose the Ajera Project Template of the project under the cursor."""
        row = self.current
        if row is None or not row.crm_key:
            toast(self.app, "A project that is only in Ajera has its phases already.", "warning")
            return
        detail = self.service.detail(row)
        chooser = TemplateChooser(row.label, detail.templates, detail.template, detail.default_template)
        self.app.push_screen(chooser, lambda text: self._template_taken(row, text))

    def _template_taken(self, row: views.Row, text: str | None) -> None:
        if text is None:
            return
        try:
            self._own_change(self.service.set_template(row.key, text))
        except AjerasyncError as error:
            toast(self.app, str(error), "warning")
            return
        self._rows_changed([row.id])
        toast(self.app, f"{row.label}: template {text}.")

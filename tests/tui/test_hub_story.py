"""The story of the program at the keys: filter, tick a firm, its contacts, a project with a template, run, in step."""

from __future__ import annotations

from pathlib import Path

from core.model.values import Kind
from core.ports import RunRecord
from tests.tui.kit import Stage, stage
from tui.modals.confirm import RunAsk
from tui.modals.templates import TemplateChooser
from tui.widgets.record_table import RecordTable


def crowded_firm(scene: Stage) -> str:
    """The key of a firm with six contacts that can all be ticked, none of which is."""
    for row in scene.rows(Kind.FIRM):
        if row.crm_key and row.state == "unmarked":
            contacts = scene.service.detail(row).contacts
            if len(contacts) >= 6 and all(not c.marked and c.refusal is None for c in contacts):
                return row.crm_key
    raise AssertionError("the seed promises such a firm")


async def run_now(scene: Stage) -> RunRecord:
    """Press R, take the answer if there is a question, wait for the end."""
    before = len(scene.service.runs())
    await scene.press("R")
    await scene.until(lambda: isinstance(scene.app.screen, RunAsk) or len(scene.service.runs()) > before)
    if isinstance(scene.app.screen, RunAsk):
        await scene.press("right", "enter")
    await scene.until(lambda: len(scene.service.runs()) > before and scene.service.runs(1)[0].finished)
    await scene.until(lambda: not scene.app.session.busy)
    return scene.service.runs(1)[0]


async def test_ticked_records_are_in_step_after_a_run(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        firm = scene.service.row(Kind.FIRM, crowded_firm(scene))
        await scene.stand_on(firm)
        await scene.press("space")
        assert scene.service.row(Kind.FIRM, firm.key).marked
        assert firm.id in scene.hub.ticks
        table = scene.hub.table
        line = table.row(firm.id)
        assert line is not None
        assert line.cells[-1] == "to be sent"

        await scene.press("enter", "right_square_bracket")
        pane = scene.hub.pane
        contacts = pane.query_one("#contacts", RecordTable)
        assert scene.app.focused is contacts
        await scene.press("space", "space", "space", "space", "space")
        assert pane.detail is not None
        assert sum(c.marked for c in pane.detail.contacts) == 5
        await scene.press("space")
        assert sum(c.marked for c in pane.detail.contacts) == 5
        note = str(pane.query_one("#pane-note").render())
        assert "Not ticked" in note
        for contact in pane.detail.contacts:
            assert (contact.label in note) or not contact.marked

        await scene.press("escape", "2")
        await scene.until(lambda: scene.hub.PLACE == "projects" and scene.hub.table.row_count)
        project = next(
            row for row in scene.rows(Kind.PROJECT)
            if row.crm_key and row.state == "unmarked" and row.extra.get("client") and row.extra.get("status") == "Active"
        )  # fmt: skip
        await scene.stand_on(project)
        await scene.press("space", "t")
        assert isinstance(scene.app.screen, TemplateChooser)
        await scene.press("enter")
        await scene.until(lambda: "template" in scene.service.row(Kind.PROJECT, project.key).extra)

        first = await run_now(scene)
        assert first.outcome == "ok", first.message
        assert scene.service.row(Kind.FIRM, firm.key).state == "in_step"
        assert scene.service.row(Kind.PROJECT, project.key).linked
        assert sum(row.linked and row.marked for row in scene.service.contact_rows(firm=firm.key)) == 5

        await run_now(scene)  # what Ajera computes for records that are linked now: totals, hours
        last = await run_now(scene)
        assert last.outcome == "ok"
        assert not last.counts["create"]
        assert not last.counts["update"]
        marked = [row for row in scene.service.contact_rows(firm=firm.key) if row.marked]
        assert [row.state for row in marked] == ["in_step"] * 5
        assert scene.service.row(Kind.PROJECT, project.key).state == "in_step"
        await scene.press("1")
        await scene.until(lambda: scene.hub.PLACE == "firms")
        await scene.stand_on(firm)
        shown = scene.hub.table.row(firm.id)
        assert shown is not None
        assert shown.cells[-1] == "in step"

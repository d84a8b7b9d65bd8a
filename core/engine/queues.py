"""The part of the façade about what waits for a person, what was done, and what a person says: ticks, answers, links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from core.engine.clock import from_iso, iso
from core.engine.facade import Facade
from core.engine.undo import undone_by
from core.engine.views import ErrorView, Marked, PairView, Row, Touched
from core.errors import UsageError
from core.model.link import Link
from core.model.plan import NO_PLAN, Candidate, Item, Plan, Refusal, plan_from_json, refusal_from_json
from core.model.values import Kind, Side
from core.ports import HistoryEntry, RunRecord


class Queues(Facade):
    """Queues, history, ticks, answers."""

    def plan(self) -> Plan | None:
        digest = self.store.setting("last_plan")
        return self.stored_plan(digest) if digest and self.store.plan(digest) else None

    def stored_plan(self, digest: str) -> Plan:
        body = self.store.plan(digest)
        if body is None:
            raise UsageError(f"no stored plan has the digest {digest!r}")
        try:
            return plan_from_json(body)
        except NO_PLAN as error:
            raise UsageError(f"the stored plan {digest!r} cannot be read: {type(error).__name__}") from None

    def conflicts(self) -> tuple[Item, ...]:
        return self._answers.items("conflict")

    def differences(self) -> tuple[Item, ...]:
        return self._answers.items("difference")

    def drift(self) -> tuple[Item, ...]:
        return self._answers.items("drift")

    def candidates(self) -> tuple[Candidate, ...]:
        return self._answers.candidates()

    def refusals(self) -> tuple[Refusal, ...]:
        return tuple(replace(refusal_from_json(i.body), since=i.since) for i in self.store.items("refused"))

    def errors(self) -> tuple[ErrorView, ...]:
        return tuple(
            ErrorView(f.id, f.kind, f.side, f.key, f.label, f.op, f.message, f.tries, f.next_try, f.at)
            for f in sorted(self.store.failures().values(), key=lambda each: (each.at, each.id))
        )

    def answers(self) -> Mapping[str, str]:
        """The answers that wait for the next run: a sentence each, by the id of the item, candidate or error."""
        return self._answers.given()

    def last_saved(self, kind: Kind, side: Side, key: str | None) -> Touched:
        """When the record was last saved in its system, and by whom, as far as that system says (Ajera names nobody)."""
        record = self.store.record(kind, side, key) if key else None
        if record is None:
            return Touched()
        at = record.extra.get("changed_at", "")
        return Touched(iso(from_iso(at)) if at else "", record.user or "")

    def undone(self) -> Mapping[str, RunRecord]:
        """Runs that were taken back, by their id: the undo of each, the last one that wrote."""
        return undone_by(self.store.runs())

    def runs(self, limit: int = 200) -> Sequence[RunRecord]:
        return self.store.runs(limit)

    def run_history(self, run_id: str) -> Sequence[HistoryEntry]:
        if self.store.run(run_id) is None:
            raise UsageError(f"there is no run {run_id!r}")
        return self.store.history_of_run(run_id)

    def log(self, n: int = 1000, *, level: str | None = None, text: str | None = None) -> list[dict[str, Any]]:
        return self._log.tail(n, level, text)

    # -- acts --------------------------------------------------------------------------------------

    def mark(
        self,
        kind: Kind,
        keys: Sequence[str],
        on: bool,
        *,
        side: Side = Side.CRM,
        firm: str | None = None,
        project: str | None = None,
        template: str | None = None,
    ) -> Marked:
        self._act()
        return self._marked(
            self._ticking.mark(kind, keys, on, side=side, firm=firm, project=project, template=template), kind
        )

    def as_if_marked(self, kind: Kind, key: str, on: bool, *, side: Side = Side.CRM) -> Row | None:
        """The record's row as it will be with this tick, to be shown before it is stored; None where `mark` would
        refuse it."""
        record = None if self.readonly else self.store.record(kind, side, key)
        if record is None or self._ticking.refused(record, on):
            return None
        return self._row_maker().as_if_ticked(record, on)

    def one_act(self) -> AbstractContextManager[None]:
        """Ticks made within are one act: one undo takes them all back."""
        return self._ticking.one_act()

    def set_template(self, project: str, template: str) -> Marked:
        self._act()
        return self._marked(self._ticking.take_template(project, template), Kind.PROJECT)

    def undo_marks(self) -> Marked:
        self._act()
        return self._marked(self._ticking.undo(), None)

    def redo_marks(self) -> Marked:
        self._act()
        return self._marked(self._ticking.redo(), None)

    def _marked(self, marked: Marked, kind: Kind | None) -> Marked:
        self._forget()
        keys = list(marked.changed)
        self._tell("mark_changed", f"{len(keys)} ticks changed", kind=kind.value if kind else None, keys=keys)
        return marked

    def resolve(self, item_id: str, take: Side | str) -> str:
        self._act()
        return self._answered(self._answers.resolve(item_id, take))

    def resolve_all(self, kind: Kind, field: str, take: Side) -> int:
        self._act()
        count = self._answers.resolve_all(kind, field, take)
        self._answered(f"{count} items of {kind}.{field} resolved: {take}")
        return count

    def match_link(self, ajera_key: str, crm_key: str, kind: Kind | None = None) -> str:
        self._act()
        return self._answered(self._answers.link(ajera_key, crm_key, kind))

    def match_create(self, key: str, kind: Kind | None = None) -> str:
        self._act()
        return self._answered(self._answers.create(key, kind))

    def match_never(self, key: str, kind: Kind | None = None, partner: str | None = None) -> str:
        self._act()
        return self._answered(self._answers.never(key, kind, partner))

    def retry(self, failure_id: str) -> int:
        self._act()
        count = self._answers.retry(failure_id)
        self._answered(f"{count} errors are tried again with the next run")
        return count

    def links(self) -> Sequence[Link]:
        return sorted(self.store.links().by_ajera.values(), key=lambda link: (link.kind, link.ajera_key))

    def import_links(self, rows: Iterable[tuple[str, str, str]]) -> Marked:
        self._act()
        done = self._answers.import_links(rows)
        self._answered(f"{len(done.changed)} links imported, {len(done.refused)} refused")
        return done

    def judge_links(self, rows: Iterable[tuple[str, str, str]]) -> Sequence[PairView]:
        """What `import_links` would do, row by row; nothing is done."""
        return self._answers.judged(rows)

    def drop_link(self, kind: Kind, key: str) -> str:
        self._act()
        return self._answered(self._answers.drop_link(kind, key))

    def _answered(self, sentence: str) -> str:
        self._forget()
        self._tell("log", sentence)
        return sentence

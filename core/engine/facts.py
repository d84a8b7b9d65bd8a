"""What the systems said when they were last asked, kept so that screens and commands work offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.model.values import Kind, Side
from core.policy import Policy
from core.ports import Connection, Store, Transaction
from core.reconcile.normalize import plain_text


@dataclass(frozen=True)
class Facts:
    """The remembered part of both `Connection`s. `known` is False before the first contact."""

    known: bool = False
    columns: frozenset[str] = frozenset()
    crm_templates: tuple[str, ...] = ()
    ajera_templates: tuple[str, ...] = ()
    flat_templates: frozenset[str] = frozenset()
    captions: Mapping[str, str] = field(default_factory=dict)
    company: str = ""
    version: str | None = None
    stopped: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def remembered(store: Store) -> Facts:
    kept = store.setting("facts")
    if not kept:
        return Facts()
    return Facts(
        known=True,
        columns=frozenset(kept["columns"]),
        crm_templates=tuple(kept["crm_templates"]),
        ajera_templates=tuple(kept["ajera_templates"]),
        flat_templates=frozenset(kept["flat_templates"]),
        captions=kept["captions"],
        company=kept["company"],
        version=kept["version"],
        stopped=kept["stopped"],
        warnings=tuple(kept["warnings"]),
    )


def remember(store: Store, tx: Transaction, connections: Mapping[Side, Connection]) -> None:
    """Keep what both systems said, if it is news."""
    ajera, crm = connections[Side.AJERA], connections[Side.CRM]
    body: dict[str, Any] = {
        "columns": sorted(crm.mark_columns),
        "crm_templates": list(crm.templates),
        "ajera_templates": list(ajera.templates),
        "flat_templates": sorted(ajera.flat_templates),
        "captions": {f"{kind}.{name}": text for (kind, name), text in sorted(crm.captions.items())},
        "company": ajera.company,
        "version": ajera.version,
        "stopped": {
            f"{side}:{kind}.{name}": text
            for side, connection in connections.items()
            for (kind, name), text in sorted(connection.stopped.items())
        },
        "warnings": [f"{side}: {text}" for side, c in connections.items() for text in c.warnings],
    }
    if store.setting("facts") != body:
        tx.put_setting("facts", body)


def template_refusal(facts: Facts, policy: Policy, text: str) -> str | None:
    """Why a template of the CRM's list cannot be used, None where it can."""
    if plain_text(text) not in {plain_text(each) for each in facts.ajera_templates}:
        return "Ajera has no project template of this name"
    if plain_text(text) in facts.flat_templates and not policy.allow_flat_template:
        return "it has nested phases, which this Ajera is not known to take on create"
    return None


def column_of(kind: Kind, project: str | None) -> str:
    """The name of a tick's column in `Facts.columns`."""
    return "project_contact" if project else kind.value

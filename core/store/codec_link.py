"""Links, bases, marks and decisions as stored documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.model.link import Base, Choice, Decision, Link, LinkState, Mark, Pair
from core.model.values import Kind, Side, from_json, to_json
from core.store import bodies

_KINDS: Final = {kind.value: kind for kind in Kind}  # four times as quick as Kind(), and there are many links


def write_link(link: Link) -> bytes:
    document: dict[str, Any] = {"kind": link.kind, "ajera_key": link.ajera_key, "crm_key": link.crm_key}
    if link.state is not LinkState.ACTIVE:
        document["state"] = link.state
    if link.reason:
        document["reason"] = link.reason
    if link.since:
        document["since"] = link.since
    if link.gone_side is not None:
        document["gone_side"] = link.gone_side
    return bodies.dump(document)


def read_link(_id: str, body: bytes) -> Link:
    stored = bodies.load(body)
    get = stored.get
    gone = get("gone_side")
    state = get("state")
    return Link(
        _KINDS[stored["kind"]],
        stored["ajera_key"],
        stored["crm_key"],
        LinkState(state) if state else LinkState.ACTIVE,
        get("reason", ""),
        get("since", ""),
        Side(gone) if gone else None,
    )


def base_out(base: Base) -> dict[str, Any]:
    """Field name → [ajera, crm] or [ajera, crm, note]."""
    return {
        name: [to_json(pair.ajera), to_json(pair.crm), *([pair.note] if pair.note else ())]
        for name, pair in base.items()
    }


def base_in(stored: Mapping[str, Any]) -> dict[str, Pair]:
    return {name: Pair(from_json(pair[0]), from_json(pair[1]), *pair[2:]) for name, pair in stored.items()}


def write_base(base: Base) -> bytes:
    return bodies.dump(base_out(base))


def read_base(_id: str, body: bytes) -> Base:
    return base_in(bodies.load(body))


def write_mark(mark: Mark) -> bytes:
    return bodies.dump(
        {
            "kind": mark.kind,
            "side": mark.side,
            "key": mark.key,
            "on": mark.on,
            "project": mark.project,
            "template": mark.template,
            "pushed": mark.pushed,
            "local": mark.local,
            "at": mark.at,
        }
    )


def read_mark(_id: str, body: bytes) -> Mark:
    stored = bodies.load(body)
    return Mark(**(stored | {"kind": Kind(stored["kind"]), "side": Side(stored["side"])}))


def write_decision(decision: Decision) -> bytes:
    seen = decision.seen
    return bodies.dump(
        {
            "kind": decision.kind,
            "side": decision.side,
            "key": decision.key,
            "choice": decision.choice,
            "partner": decision.partner,
            "field": decision.field,
            "take": decision.take,
            "value": to_json(decision.value),
            "seen": None if seen is None else [to_json(seen[0]), to_json(seen[1])],
            "at": decision.at,
        }
    )


def read_decision(_id: str, body: bytes) -> Decision:
    stored = bodies.load(body)
    seen = stored["seen"]
    return Decision(
        Kind(stored["kind"]),
        Side(stored["side"]),
        stored["key"],
        Choice(stored["choice"]) if stored["choice"] else None,
        stored["partner"],
        stored["field"],
        Side(stored["take"]) if stored["take"] else None,
        from_json(stored["value"]),
        None if seen is None else (from_json(seen[0]), from_json(seen[1])),
        stored["at"],
    )

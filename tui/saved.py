"""Filters with a name: those of the settings, and those saved on a screen, which the store keeps."""

from __future__ import annotations

from collections.abc import Mapping

from core.engine.service import Service


def saved_filters(service: Service, place: str) -> tuple[dict[str, str], frozenset[str]]:
    """All by name, the settings' first; and the names of those that were saved on this place."""
    kept = service.ui_choice(f"filters:{place}")
    own = {str(name): str(text) for name, text in kept.items()} if isinstance(kept, dict) else {}
    given: Mapping[str, str] = getattr(getattr(service.settings, "ui", None), "filters", {})
    return {**given, **own}, frozenset(own)


def keep_filter(service: Service, place: str, name: str, text: str | None) -> bool:
    """Save one, or forget it (None). False where nothing may be kept."""
    if service.readonly:
        return False
    kept = service.ui_choice(f"filters:{place}")
    own = dict(kept) if isinstance(kept, dict) else {}
    if text is None:
        own.pop(name, None)
    else:
        own[name] = text
    service.keep_ui_choice(f"filters:{place}", own)
    return True

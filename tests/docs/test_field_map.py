"""docs/field-map.md is the field map."""

from __future__ import annotations

from core.cli.fieldmap import page
from core.policy import DEFAULT_FIELDS
from tests.docs.kit import ROOT


def test_the_page_is_made_from_the_map() -> None:
    written = (ROOT / "docs/field-map.md").read_text(encoding="utf-8")
    assert written == page(), "make it anew: python -m core.cli.fieldmap > docs/field-map.md"
    for kind, specs in DEFAULT_FIELDS.items():
        assert [spec.name for spec in specs if f"| `{kind}.{spec.name}` |" not in written] == []

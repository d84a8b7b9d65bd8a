"""docs/settings.md names every key of the settings, and its examples are accepted."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from core.paths import Paths
from core.settings import (
    AjeraSection,
    CrmSection,
    EmailSection,
    GuardsSection,
    NotifySection,
    ScheduleSection,
    SyncSection,
    UiSection,
    settings_from,
)
from tests.unit.test_settings import GOOD

TEXT = (Path(__file__).parents[2] / "docs/settings.md").read_text(encoding="utf-8")


SECTIONS = [
    AjeraSection,
    CrmSection,
    SyncSection,
    GuardsSection,
    ScheduleSection,
    NotifySection,
    EmailSection,
    UiSection,
]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_explained(section: type[BaseModel]) -> None:
    assert [name for name in section.model_fields if f"`{name}`" not in TEXT and f"[sync.{name}]" not in TEXT] == []


def test_the_field_examples_are_accepted(tmp_path: Path) -> None:
    block = TEXT[TEXT.index("    [sync.fields]") :].split("\n\n")[0]
    example = "\n".join(line.strip() for line in block.splitlines())
    paths = Paths("default", tmp_path / "config.toml", tmp_path)
    policy = settings_from(tomllib.loads(GOOD + example), paths).policy()
    assert policy != settings_from(tomllib.loads(GOOD), paths).policy()

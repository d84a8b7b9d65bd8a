"""Ajera's project templates, which supply a new project's phases, and the CRM's list that must name them."""

from __future__ import annotations

from dataclasses import dataclass

from core.sandbox.seed.world import Phase


@dataclass(frozen=True, slots=True)
class Template:
    """``code`` is the CRM's; ``name`` is Ajera's description and the CRM's text alike. Phase shares add up to 100."""

    code: str
    name: str
    billing: str
    phases: tuple[Phase, ...]

    @property
    def nested(self) -> bool:
        """Whether any phase has phases below it."""
        return any(phase.children for phase in self.phases)


def _flat(*rows: tuple[str, int]) -> tuple[Phase, ...]:
    return tuple(Phase(name, share) for name, share in rows)


_DESIGN = _flat(
    ("Pre-Design", 5),
    ("Schematic Design", 15),
    ("Design Development", 20),
    ("Construction Documents", 35),
    ("Bidding", 5),
    ("Construction Administration", 20),
)
_NESTED = (
    Phase("Basic Services", 70, children=_flat(("Concept", 20), ("Design Documents", 30), ("Permit Set", 20))),
    Phase(
        "Construction Services",
        30,
        children=(
            Phase("Submittals", 10),
            Phase("Site Visits", 20, children=_flat(("Weekly Meetings", 12), ("Punch List", 8))),
        ),
    ),
)

TEMPLATES = (
    Template("STDAE", "Standard A/E", "PercentComplete", _DESIGN),
    Template("STUDY", "Study", "FixedFee", _flat(("Data Collection", 30), ("Analysis", 45), ("Report", 25))),
    Template("FFFULL", "Fixed fee full service", "FixedFee", _DESIGN),
    Template("TESMALL", "T&E small", "TimeAndExpense", _flat(("General Services", 100))),
    Template("MKTG", "Marketing", "Marketing", _flat(("Pursuit", 60), ("Proposal", 40))),
    Template("NESTED", "Full service, nested phases", "FixedFee", _NESTED),
)
#: A text of the CRM's list that no Ajera template has.
DRIFTED_TEMPLATE = "Standard AE (old)"
DRIFTED_CODE = "OLDAE"

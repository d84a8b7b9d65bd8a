"""The Firms hub."""

from __future__ import annotations

from core.model.values import Kind
from tui.screens.hub import HubScreen


class FirmsScreen(HubScreen):
    """Firms, and the contacts of each."""

    PLACE = "firms"
    KIND = Kind.FIRM
    EMPTY = (
        "No firms in the CRM yet.\n\nMake one there, then p reads both systems. What is only in Ajera is shown by o."
    )
    HELP = (
        "Firms of both systems. Space ticks a firm: it is kept in step with Ajera from the next run on. Enter opens it; "
        "its contacts are ticked on the Contacts tab."
    )

"""Keys this program chooses for new firms and contacts (contract section 8)."""

from __future__ import annotations

from typing import Final
from uuid import NAMESPACE_URL, uuid5

from core.model.values import Kind

# Never change it: a create that is repeated after a crash must arrive at the same key.
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "urn:ajerasync:crm-key")


def chosen_key(tenant: str, kind: Kind, ajera_key: str) -> str:
    """32 hex digits that name an Ajera record in one CRM tenant: the same question, the same answer.

    `tenant` is the CRM's database name. Sent as ClientID or ContactID, so that a create whose answer was
    lost can be looked up instead of repeated.
    """
    return uuid5(_NAMESPACE, "\x1f".join((tenant.casefold(), kind.value, ajera_key))).hex

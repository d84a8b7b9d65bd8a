"""Records that the probes of the CRM make, and how they are taken away again: deleted, or set inactive."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from core.crm.client import segment
from core.crm.hubs import FIRST_VALUES, HUBS
from core.crm.probe_ground import CrmGround, good, refused, words
from core.crm.wire import text_of
from core.errors import SystemFailure
from core.http import Reply
from core.model.values import Kind
from core.quirks.probing import Undetermined
from core.text import safe_line


def a_word() -> str:
    """A name that nobody has."""
    return f"ajerasync probe {uuid4().hex[:8]}"


def a_web_site() -> str:
    return f"{uuid4().hex[:8]}.example"


def new_firm() -> dict[str, object]:
    return {**FIRST_VALUES[Kind.FIRM], "Name": a_word()}


async def a_firm(ground: CrmGround) -> str:
    """The firm that most probes change."""
    if "firm" not in ground.made:
        ground.made["firm"] = await ground.make(Kind.FIRM, **new_firm())
    return str(ground.made["firm"])


async def an_address(ground: CrmGround) -> tuple[str, str]:
    """The keys of the firm and of its address row."""
    firm = await a_firm(ground)
    if "address" not in ground.made:
        body = {"Address": "Probe", "Address1": "1 Probe St", "PrimaryInd": "Y"}
        rows = good(await ground.write("POST", f"firm/{segment(firm)}/address", body))
        ground.made["address"] = text_of(rows[0].get("CLAddressID")) if rows else ""
    return firm, str(ground.made["address"])


async def a_contact(ground: CrmGround) -> str:
    if "contact" not in ground.made:
        ground.made["contact"] = await ground.make(
            Kind.CONTACT, FirstName="Probe", LastName=a_word(), ClientID=await a_firm(ground)
        )
    return str(ground.made["contact"])


def new_project(**more: object) -> dict[str, object]:
    word = uuid4().hex[:8]
    return {**FIRST_VALUES[Kind.PROJECT], "WBS1": f"AP{word}", "Name": f"ajerasync probe {word}", **more}


async def a_project(ground: CrmGround) -> str:
    if "project" not in ground.made:
        ground.made["project"] = await ground.make(Kind.PROJECT, **new_project())
    return str(ground.made["project"])


async def must(reply: Reply, what: str) -> None:
    """Raises Undetermined where a step of the probe was refused."""
    if refused(reply):
        raise Undetermined(f"{what} was refused: {words(reply)}")


async def held_now(ground: CrmGround, name: str = "WebSite") -> str:
    return text_of((await ground.one(Kind.FIRM, await a_firm(ground), "ClientID", name)).get(name))


# -- afterwards ------------------------------------------------------------------------------------

_PUT_AWAY: Final = {
    Kind.FIRM: {"Status": "I"},
    Kind.CONTACT: {"ContactStatus": "I"},
    Kind.PROJECT: {"Status": "D"},
    Kind.EMPLOYEE: {"Status": "T"},
}


async def clean_up(ground: CrmGround) -> None:
    """Delete what the probes made, newest first, projects before the firms they name."""
    order = {Kind.PROJECT: 0, Kind.EMPLOYEE: 1, Kind.CONTACT: 2, Kind.FIRM: 3}
    newest_first = list(reversed(ground.records))
    for kind, key in sorted(newest_first, key=lambda record: order[record[0]]):
        state = await _take_away(ground, kind, key)
        if state:
            ground.left.append(safe_line(f"CRM {kind} {key} {state}", 300))


async def _take_away(ground: CrmGround, kind: Kind, key: str) -> str:
    """What stays of a record, in words; empty where it is gone."""
    path = f"{HUBS[kind].path}/{segment(key)}"
    try:
        reply = await ground.write("DELETE", path, None)
        if not refused(reply) or reply.status == 404:
            return ""
        inactive = await ground.put(kind, key, **_PUT_AWAY[kind])
        return f"could not be deleted ({words(reply)}); it is {'as it was' if refused(inactive) else 'inactive'}"
    except SystemFailure as error:
        return f"could not be deleted: {error}"

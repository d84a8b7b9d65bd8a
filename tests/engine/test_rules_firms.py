"""Firms and contacts, rule by rule (sync-rules 3 to 5): what the stories do not tell."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from core.model.values import Kind, Side
from tests.engine.conftest import Make
from tests.engine.kit import World, ajera_client, crm_firm

HERE = {"LineOne": "1 High St", "City": "Austin", "State": "TX", "Zip": "78701"}


def at(country: str, which: str = "Primary", **more: str) -> dict[str, str]:
    return {f"{which}Address{part}": value for part, value in {**HERE, "Country": country, **more}.items()}


async def linked_firm(world: World, country: str = "United States") -> tuple[int, str]:
    """A firm on both sides with equal address, linked."""
    client = ajera_client(world.ajera, "Acme Supplies", Website="acme.example", **at(country))
    firm = crm_firm(world.crm, "Acme Supplies", WebSite="acme.example", AjeraSync="Y")
    await world.run()
    assert world.link(Kind.FIRM, firm) == client
    world.clock.forward(hours=1)
    crm_firm(world.crm, "Bystander")  # the newest row of a list is read with every pull
    ajera_client(world.ajera, "Bystander of Ajera")
    world.clock.forward(hours=1)
    await world.run()
    return client, firm


def main_address(world: World, firm: str) -> str:
    (row,) = [row for row in world.crm.rows("address", "ClientID", firm) if row["PrimaryInd"] == "Y"]
    return str(row["CLAddressID"])


async def test_state_and_country_are_compared_through_the_crms_tables(world: World) -> None:
    client, firm = await linked_firm(world, country="USA")
    assert world.service.conflicts() == ()
    world.ajera_edit("clients", client, PrimaryAddressState="Texas", PrimaryAddressCountry="US")
    writes = world.writes()
    await world.run()
    assert world.writes() == writes
    assert world.service.conflicts() == ()
    world.ajera_edit("clients", client, PrimaryAddressCity="Dallas")
    await world.run()
    row = world.crm.get("address", main_address(world, firm))
    assert (row["City"], row["State"]) == ("Dallas", "TX")


async def test_an_address_changed_without_its_firms_stamp_is_found_by_the_sweep(world: World) -> None:
    client, firm = await linked_firm(world)
    world.crm_edit("address", main_address(world, firm), Address1="9 Elm St", Phone="512 555 0100")
    await world.run()
    assert world.ajera.get("clients", client)["PrimaryAddressLineOne"] == "1 High St"
    await world.run(sweep=True)
    held = world.ajera.get("clients", client)
    assert (held["PrimaryAddressLineOne"], held["PrimaryPhoneNumber"]) == ("9 Elm St", "512 555 0100")


class Meanwhile(httpx.AsyncBaseTransport):
    """Hands requests on; before the first one that changes something, `act` happens."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.act: Callable[[], None] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and self.act is not None:
            act, self.act = self.act, None
            act()
        return await self.inner.handle_async_request(request)


async def test_an_edit_made_while_a_run_writes_another_field_of_the_record_is_not_lost(make: Make) -> None:
    between: list[Meanwhile] = []

    def wrap(side: Side, transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        if side is Side.AJERA:
            return transport
        between.append(Meanwhile(transport))
        return between[-1]

    world = make(wrap=wrap)
    client, firm = await linked_firm(world)
    world.ajera_edit("clients", client, Email="new@acme.example")
    between[-1].act = lambda: world.crm.edit("firm", firm, {"Name": "Acme Supply Co."})
    await world.run()
    assert world.crm.get("address", main_address(world, firm))["Email"] == "new@acme.example"
    for _ in range(2):
        world.clock.forward(hours=1)
        await world.run()
    assert world.ajera.get("clients", client)["Description"] == "Acme Supply Co."


async def test_an_unseen_address_read_back_with_another_write_is_not_lost(world: World) -> None:
    client, firm = await linked_firm(world)
    world.crm_edit("address", main_address(world, firm), Address1="9 Elm St")
    world.ajera_edit("clients", client, Email="new@acme.example")
    await world.run()
    world.clock.forward(hours=1)
    await world.run()
    assert world.ajera.get("clients", client)["PrimaryAddressLineOne"] == "9 Elm St"

"""Addresses as they are pasted, and the time zone that is suggested."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from core.errors import UsageError
from core.tryout import ajera_address, crm_address, likely_zone, zone_problem


def pasted(document: str) -> str:
    return f"https://ajera.com/V0040123/AjeraAPI.ashx?{quote(b64encode(document.encode()).decode())}"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('{"ClientID":40123,"DatabaseID":7,"IsSampleData":true}', "ClientID 40123, DatabaseID 7, sample data"),
        ('{"ClientID":1,"DatabaseID":2,"IsSampleData":false}', "not sample data"),
        ('{"DatabaseName":"Ajera"}', "DatabaseName Ajera, it does not say whether this is sample data"),
    ],
)
def test_an_address_says_which_database_it_is(document: str, said: str) -> None:
    url = pasted(document)
    found = ajera_address(f"  {url}\n")
    assert found.url == url
    assert said in str(found)


@pytest.mark.parametrize(
    "text",
    [
        *("", "ajera.com", "https://ajera.com/V1/AjeraAPI.ashx", "https://ajera.com/V1/AjeraAPI.ashx?id=XXXX"),
        *("https://ajera.com/?e30=", pasted("{}"), pasted("[1]"), pasted('{"ClientID":40123,"DatabaseID":7}')[:-3]),
        *(
            "https://u:p@ajera.com/AjeraAPI.ashx?e30=",
            "https://[x/AjeraAPI.ashx?e30=",
            "https://a b/AjeraAPI.ashx?e30=",
        ),
    ],
)
def test_an_address_that_names_no_database_is_refused_with_a_way_out(text: str) -> None:
    with pytest.raises(UsageError, match=r"Copy|Leave"):
        ajera_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://acme.deltekfirst.com/acme/api",
        "https://acme.deltekfirst.com/acme/api/",
        "acme.deltekfirst.com/acme",
        "https://acme.deltekfirst.com",
        "https://acme.deltekfirst.com/acme/app/#!Firms/view/0/0/0/hub",
        "https://acme.deltekfirst.com/acme/api/token",
        "https://acme.deltekfirst.com/acme/api/firm?limit=1",
    ],
)
def test_every_page_of_the_crm_names_its_api(text: str) -> None:
    assert crm_address(text) == "https://acme.deltekfirst.com/acme/api"


def test_a_port_and_plain_http_stay_as_given() -> None:
    assert crm_address("http://127.0.0.1:8080/sandbox/api") == "http://127.0.0.1:8080/sandbox/api"


def test_what_is_no_address_is_refused() -> None:
    for text in ("", "https://", "ftp://acme/api", "https://a:b/api"):
        with pytest.raises(UsageError):
            crm_address(text)


def test_the_zone_is_that_of_the_office_when_its_stamps_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.tryout.local_zone", lambda: "UTC")
    winter, summer = datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC)
    assert likely_zone(None, winter) == "UTC"
    assert likely_zone(timedelta(hours=-6), winter) == "America/Chicago"
    assert likely_zone(timedelta(hours=-5), summer) == "America/Chicago"
    assert likely_zone(timedelta(hours=-7), summer) == "America/Los_Angeles"
    monkeypatch.setattr("core.tryout.local_zone", lambda: "America/Phoenix")
    assert likely_zone(timedelta(hours=-7), summer) == "America/Phoenix"


def test_a_mistyped_zone_names_the_nearest() -> None:
    assert zone_problem("Europe/Oslo") == ""
    assert "Europe/Oslo" in zone_problem("Europe/Olso")
    assert "America/Chicago" in zone_problem("x")

"""The promises of a seed, read from the two systems' tables and not from what the seed says of itself."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from rapidfuzz.distance import JaroWinkler, Levenshtein

from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.codetables import TEMPLATE_TABLE
from core.sandbox.crm.data import CrmData
from core.sandbox.seed import World, seed

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
SIZES = [
    {"firms": 4, "contacts": 8, "projects": 4, "employees": 3},
    {"firms": 4, "contacts": 20, "projects": 10, "employees": 1},
    {"firms": 13, "contacts": 31, "projects": 17, "employees": 9},
    {},
    {"firms": 400, "contacts": 900, "projects": 600, "employees": 100},
]


class Seeded(NamedTuple):
    ajera: AjeraData
    crm: CrmData
    world: World

    def of_ajera(self, table: str) -> list[dict[str, Any]]:
        return list(self.ajera.tables[table].values())

    def of_crm(self, table: str) -> list[dict[str, Any]]:
        return [row.full() for row in self.crm.tables[table].values()]


def make(number: int = 1, **counts: int) -> Seeded:
    ajera, crm = AjeraData(lambda: NOW), CrmData(lambda: NOW)
    return Seeded(ajera, crm, seed(ajera, crm, seed=number, **counts))


@pytest.fixture(params=range(len(SIZES)), ids=["tiny", "few firms", "small", "default", "large"], scope="module")
def seeds(request: pytest.FixtureRequest) -> list[Seeded]:
    return [make(number, **SIZES[request.param]) for number in (1, 2, 77)]


def plain(name: str) -> str:
    return re.sub(r"\s+", " ", name).strip().casefold()


def person(record: dict[str, Any]) -> str:
    return plain(f"{record['FirstName']} {record['MiddleName']} {record['LastName']}")


def primary(crm: CrmData, firm: dict[str, Any]) -> dict[str, Any]:
    rows = [r for r in crm.rows("address", "ClientID", firm["ClientID"]) if r["PrimaryInd"] == "Y"]
    return rows[0].full() if rows else defaultdict(str)


def clean_firms(s: Seeded) -> list[dict[str, Any]]:
    names = Counter(plain(f["Name"]) for f in s.of_crm("firm"))
    ajera = {plain(c["Description"]) for c in s.of_ajera("clients")}
    return [
        f
        for f in s.of_crm("firm")
        if names[plain(f["Name"])] == 1
        and plain(f["Name"]) not in ajera
        and (f["Status"], f["ClientInd"], f["AjeraSync"]) == ("A", "Y", "N")
        and primary(s.crm, f)["Address1"]
    ]


def clean_contacts(s: Seeded) -> list[dict[str, Any]]:
    names = Counter(person(c) for c in s.of_crm("contact"))
    ajera = {person(c) for c in s.of_ajera("contacts")}
    mails = {c["Email"] for c in s.of_ajera("contacts")}
    return [
        c
        for c in s.of_crm("contact")
        if names[person(c)] == 1
        and person(c) not in ajera
        and (c["ContactStatus"], c["AjeraSync"], c["QualifiedStatus"]) == ("A", "N", "Qualified")
        and c["Email"]
        and c["Email"] not in mails
        and c["ClientID"]
        and s.crm.get("firm", c["ClientID"])["Status"] == "A"
    ]


def known_templates(s: Seeded) -> set[str]:
    ajera = {t["Description"] for t in s.of_ajera("project_templates")}
    return {r["Code"] for r in s.crm.code_tables[TEMPLATE_TABLE] if r["Description"] in ajera}


def full_name(project: dict[str, Any]) -> str:
    return str(project["LongName"] or project["Name"])


def clean_projects(s: Seeded) -> list[dict[str, Any]]:
    top = [p for p in s.of_crm("project") if not p["WBS2"].strip()]
    names = Counter(plain(full_name(p)) for p in top)
    ajera = s.of_ajera("projects")
    taken = {plain(p["Description"]) for p in ajera} | {p["ID"] for p in ajera}
    return [
        p
        for p in top
        if names[plain(full_name(p))] == 1
        and not {plain(full_name(p)), p["WBS1"]} & taken
        and (p["Status"], p["ChargeType"], p["AjeraSync"], p["SubLevel"]) == ("A", "R", "N", "N")
        and p["ProjectTemplate"] in known_templates(s)
        and p["ClientID"]
        and s.crm.get("firm", p["ClientID"])["Status"] == "A"
    ]


def strong_firms(s: Seeded) -> list[int]:
    crm = defaultdict(list)
    for firm in s.of_crm("firm"):
        crm[plain(firm["Name"])].append(firm)
    ajera = Counter(plain(c["Description"]) for c in s.of_ajera("clients"))
    found = []
    for client in s.of_ajera("clients"):
        hits = crm[plain(client["Description"])]
        if len(hits) != 1 or ajera[plain(client["Description"])] != 1:
            continue
        at = primary(s.crm, hits[0])
        pairs = [
            (client["Email"], at["Email"]),
            (client["Website"], hits[0]["WebSite"]),
            (client["PrimaryPhoneNumber"], at["Phone"]),
            (client["PrimaryAddressZip"], at["Zip"]),
        ]
        if any(a and a == b for a, b in pairs):
            found.append(client["ClientKey"])
    return found


def strong_contacts(s: Seeded) -> list[int]:
    crm = Counter((c["Email"], c["LastName"]) for c in s.of_crm("contact") if c["Email"])
    return [c["ContactKey"] for c in s.of_ajera("contacts") if crm[c["Email"], c["LastName"]] == 1]


def strong_projects(s: Seeded) -> list[int]:
    crm = Counter((p["WBS1"], full_name(p)) for p in s.of_crm("project"))
    return [p["ProjectKey"] for p in s.of_ajera("projects") if crm[p["ID"], p["Description"]] == 1]


@pytest.mark.parametrize("kind", ["firms", "contacts", "projects"])
def test_a_quarter_is_clean(seeds: list[Seeded], kind: str) -> None:
    find: Callable[[Seeded], list[Any]] = {
        "firms": clean_firms,
        "contacts": clean_contacts,
        "projects": clean_projects,
    }[kind]
    for s in seeds:
        assert len(find(s)) * 4 >= len(getattr(s.world, kind)), kind


@pytest.mark.parametrize("kind", ["firms", "contacts", "projects"])
def test_a_quarter_is_on_both_sides_with_strong_evidence(seeds: list[Seeded], kind: str) -> None:
    find: Callable[[Seeded], list[int]] = {
        "firms": strong_firms,
        "contacts": strong_contacts,
        "projects": strong_projects,
    }[kind]
    for s in seeds:
        assert len(find(s)) * 4 >= len(getattr(s.world, kind)), kind


def test_one_clean_firm_has_six_clean_contacts(seeds: list[Seeded]) -> None:
    for s in seeds:
        firms = {f["ClientID"] for f in clean_firms(s)}
        at = Counter(c["ClientID"] for c in clean_contacts(s) if c["ClientID"] in firms)
        assert max(at.values()) >= 6


def test_one_clean_project_has_six_contacts_none_ticked(seeds: list[Seeded]) -> None:
    for s in seeds:
        projects = {p["WBS1"] for p in clean_projects(s)}
        rows = [r for r in s.of_crm("project_contact") if r["WBS1"] in projects]
        assert max(Counter(r["WBS1"] for r in rows).values()) >= 6
        assert {r["AjeraSync"] for r in rows} == {"N"}


def likeness(a: str, b: str) -> float:
    return max(Levenshtein.normalized_similarity(a, b), JaroWinkler.similarity(a, b) - 0.05)


def test_a_clean_name_is_not_like_any_name_in_ajera(seeds: list[Seeded]) -> None:
    for s in seeds:
        if len(s.world.contacts) > 300:
            continue
        clean = [f.name.casefold() for f in s.world.firms if f.part == "clean"]
        taken = [c["Description"].casefold() for c in s.of_ajera("clients")]
        assert max(likeness(a, b) for a in clean for b in taken) < 0.9
        people = [f"{c.first} {c.last}".casefold() for c in s.world.contacts if c.part == "clean"]
        known = [f"{c['FirstName']} {c['LastName']}".casefold() for c in s.of_ajera("contacts")]
        assert max(likeness(a, b) for a in people for b in known) < 0.9
        works = [p.name.casefold() for p in s.world.projects if p.part == "clean"]
        there = [p["Description"].casefold() for p in s.of_ajera("projects")]
        assert max(likeness(a, b) for a in works for b in there) < 0.9


def test_every_clean_and_strong_record_of_the_world_is_what_it_says(seeds: list[Seeded]) -> None:
    for s in seeds:
        clean, strong = {f["ClientID"] for f in clean_firms(s)}, set(strong_firms(s))
        assert {f.crm_key for f in s.world.firms if f.part == "clean"} <= clean
        assert {f.ajera_key for f in s.world.firms if f.part == "strong"} <= strong
        people = {c["ContactID"] for c in clean_contacts(s)}
        assert {c.crm_key for c in s.world.contacts if c.part == "clean"} <= people


def test_contact_names_are_unique_in_ajera(seeds: list[Seeded]) -> None:
    for s in seeds:
        names = Counter(person(c) for c in s.of_ajera("contacts"))
        assert [n for n, count in names.items() if count > 1] == []


def test_no_value_is_longer_than_its_column(seeds: list[Seeded]) -> None:
    for s in seeds:
        for table in ("firm", "contact", "project", "employee", "address"):
            columns = s.crm.columns(table)
            for row in s.of_crm(table):
                long = {n: v for n, v in row.items() if columns[n].size and len(str(v)) > columns[n].size}
                assert not long
        assert all(len(p["Description"]) <= 80 and len(p["ID"]) <= 30 for p in s.of_ajera("projects"))


def test_every_code_is_in_its_table(seeds: list[Seeded]) -> None:
    for s in seeds:
        for table in ("firm", "contact", "project", "address", "project_contact", "project_team"):
            coded = {n: c.code_table for n, c in s.crm.columns(table).items() if c.code_table}
            for row in s.of_crm(table):
                for name, list_name in coded.items():
                    list_name = TEMPLATE_TABLE if list_name == "@template" else list_name
                    rows = s.crm.code_tables[list_name]
                    known = {r["Code"] for r in rows} | {r["Description"] for r in rows}
                    assert not row.get(name) or row[name] in known, (table, name, row[name])

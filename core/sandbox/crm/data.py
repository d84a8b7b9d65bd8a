"""The emulated CRM's data: tables in memory, edited by people (`insert`, `edit`, `delete`) and by the API.

Every write is stamped as the real system does (contract section 6), can be rolled back as one transaction, and, once
`recording` is on (`crm_app` turns it on, so that seeding is not recorded), goes into `ledger`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.sandbox.crm.codetables import default_code_tables
from core.sandbox.crm.columns import Column, TableSpec, parse_column
from core.sandbox.crm.effects import after_delete, after_edit
from core.sandbox.crm.rows import Row
from core.sandbox.crm.schema import INDEXED, TABLES, row_key, wbs_key
from core.sandbox.crm.values import stamp_text, to_stored

STAMP_COLUMNS = ("CreateUser", "CreateDate", "ModUser", "ModDate")


@dataclass(frozen=True, slots=True)
class Write:
    """One write: who, when (server stamp), `via` api or person, what op (insert, edit, delete), the changed values."""

    seq: int
    at: str
    user: str
    via: str
    op: str
    table: str
    key: str
    before: dict[str, Any]
    after: dict[str, Any]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CrmData:
    """All records, code tables, logins and sessions of one emulated tenant. Not thread-safe: one loop uses it."""

    def __init__(
        self,
        clock: Callable[[], datetime] = _utc_now,
        profile: str = "dps1",
        database: str = "Sandbox",
        username: str = "sync",
        password: str = "sandbox",  # noqa: S107 - made-up login of a loopback server
        client_id: str = "sandbox/client+id=",
        client_secret: str = "sandbox-secret",  # noqa: S107
        server_user: str = "ADMIN",
    ) -> None:
        self.clock, self.profile, self.database = clock, profile, database
        self.username, self.password = username, password
        self.client_id, self.client_secret = client_id, client_secret
        self.server_user = server_user
        self.tables: dict[str, dict[str, Row]] = {name: {} for name in TABLES}
        self.code_tables: dict[str, list[dict[str, Any]]] = default_code_tables()
        self.custom: dict[str, dict[str, Column]] = {name: {} for name in TABLES}
        self.ledger: list[Write] = []
        self.recording = False
        # Two unknowns of the contract (probe P3); crm_app sets them from the quirks.
        self.parent_stamp_moves = False
        self.custom_stamp_moves = True
        self.sessions: dict[str, Any] = {}
        self.refresh_tokens: dict[str, Any] = {}
        self._defaults = {name: spec.defaults for name, spec in TABLES.items()}
        self._index: dict[tuple[str, str], dict[str, dict[str, None]]] = {
            (name, column): {} for name, columns in INDEXED.items() for column in columns
        }
        self._counter = 0
        self._undo: list[tuple[str, str, Row | None]] | None = None

    # -- people -------------------------------------------------------------------------------------------------------
    def insert(
        self,
        table: str,
        row: dict[str, Any],
        *,
        key: str | None = None,
        stamp: datetime | None = None,
        user: str = "",
        via: str = "person",
    ) -> str:
        """Add a record and return its key. Columns left out get their default, a missing key is made up.

        KeyError for an unknown table or column (columns named Cust... are declared as they come); ValueError for a
        key that is taken or a value that does not fit its column's type.
        """
        values = self._stored(table, row)
        self._give_key(table, values, key)
        found = row_key(table, {**self._defaults[table], **values})
        if found in self.tables[table]:
            raise ValueError(f"{table} {found} exists")
        who, now = user or self.server_user, stamp_text(stamp or self.clock())
        stamps = {"CreateUser": who, "CreateDate": now, "ModUser": who, "ModDate": now}
        self._put(table, found, Row(self._defaults[table], {**stamps, **values}))
        self._note(who, via, "insert", table, found, {}, values)
        if table == "project":
            self._mark_parents(found)
        self._move_parent(table, self.tables[table][found], who)
        return found

    def edit(
        self, table: str, key: str, changes: dict[str, Any], user: str = "jsmith", *, via: str = "person"
    ) -> dict[str, Any]:
        """Change columns of a record as a person would: ModDate and ModUser move. Returns the whole row.

        KeyError for an unknown table, key or column.
        """
        found = self.find_key(table, key)
        row = self.tables[table][found]
        values = self._stored(table, changes)
        if any(values[name].strip() != row[name].strip() for name in TABLES[table].keys if name in values):
            raise KeyError(f"{table}: the key cannot change")
        before = {name: row[name] for name in values}
        stamps = {"ModUser": user, "ModDate": stamp_text(self.clock())}
        if values and not self.custom_stamp_moves and all(name.startswith("Cust") for name in values):
            stamps = {}
        self._put(table, found, row.with_changes({**stamps, **values}))
        self._note(user, via, "edit", table, found, before, values)
        after_edit(self, table, row, self.tables[table][found], user, via)
        self._move_parent(table, row, user)
        return self.tables[table][found].full()

    def delete(self, table: str, key: str, user: str = "jsmith", *, via: str = "person") -> None:
        """Remove a record and the child rows that cannot live without it. Nothing remembers it (contract section 6)."""
        found = self.find_key(table, key)
        for child, child_key in list(self._children(table, found)):
            if child_key in self.tables[child]:
                self.delete(child, child_key, user, via=via)
        if table == "firm":
            for contact in self.rows("contact", "ClientID", found):
                self.edit("contact", contact["ContactID"], {"ClientID": ""}, user, via=via)
        row = self.tables[table][found]
        self._put(table, found, None)
        self._note(user, via, "delete", table, found, dict(row), {})
        after_delete(self, table, row, user, via)
        self._move_parent(table, row, user)

    def get(self, table: str, key: str) -> dict[str, Any]:
        """A copy of a record with every stored column. KeyError if it does not exist."""
        return self.tables[table][self.find_key(table, key)].full()

    def touch(self, table: str, key: str, user: str) -> None:
        """Move a record's stamp without changing it."""
        row = self.tables[table][key]
        self._put(table, key, row.with_changes({"ModUser": user, "ModDate": stamp_text(self.clock())}))

    def kill_sessions(self) -> None:
        """End every session and refresh token, as a server restart does."""
        self.sessions.clear()
        self.refresh_tokens.clear()

    # -- reading ------------------------------------------------------------------------------------------------------
    def find_key(self, table: str, key: str) -> str:
        """The stored key for one as it may be written: ``W|`` for a project, ``E|Company`` for an employee."""
        rows = self.tables[table]
        if key in rows:
            return key
        if table == "project" and wbs_key(*key.split("|")) in rows:
            return wbs_key(*key.split("|"))
        if table == "employee" and "|" in key:
            number, company = key.split("|", 1)
            if number in rows and rows[number]["EmployeeCompany"].strip() in (company.strip(), ""):
                return number
        raise KeyError(key)

    def has(self, table: str, key: str) -> bool:
        """Whether a record exists."""
        try:
            self.find_key(table, key)
        except KeyError:
            return False
        return True

    def rows(self, table: str, column: str, value: str) -> list[Row]:
        """The rows whose indexed column holds a value (case does not count), in the order of their making."""
        keys = self._index[table, column].get(value.strip().lower(), {})
        return [self.tables[table][key] for key in keys]

    def spec(self, table: str) -> TableSpec:
        return TABLES[table]

    def columns(self, table: str) -> dict[str, Column]:
        """Every column of a table, the user-defined ones among them."""
        own, custom = TABLES[table].columns, self.custom[table]
        return {**own, **custom} if custom else own

    def declare(self, table: str, line: str) -> None:
        """Add a user-defined column, written in the notation of `columns`; its name starts with Cust."""
        column = parse_column(line, custom=True)
        if not column.name.startswith("Cust"):
            raise KeyError(column.name)
        self.custom[table].setdefault(column.name, column)
        self._defaults[table].setdefault(column.name, column.default)

    def new_id(self) -> str:
        """A fresh 32-digit key; the same ones in every run, so that runs can be compared."""
        self._counter += 1
        return hashlib.sha256(f"{self.database}:{self._counter}".encode()).hexdigest()[:32].upper()

    # -- transactions and the ledger ----------------------------------------------------------------------------------
    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Writes inside stand or fall together."""
        if self._undo is not None:
            yield
            return
        self._undo, mark = [], len(self.ledger)
        try:
            yield
        except BaseException:
            undo, self._undo = self._undo, None
            for table, key, row in reversed(undo):
                self._put(table, key, row)
            del self.ledger[mark:]
            raise
        finally:
            self._undo = None

    def _note(
        self, user: str, via: str, op: str, table: str, key: str, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        if self.recording:
            at = stamp_text(self.clock())
            self.ledger.append(Write(len(self.ledger) + 1, at, user, via, op, table, key, before, after))

    def note_code(
        self, user: str, op: str, table: str, code: str, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        """Record a write to a code table."""
        self._note(user, "api", op, f"codeTable/{table}", code, before, after)

    # -- inside -------------------------------------------------------------------------------------------------------
    def _stored(self, table: str, row: dict[str, Any]) -> dict[str, Any]:
        columns = self.columns(table)
        values: dict[str, Any] = {}
        for name, value in row.items():
            if name not in columns and name.startswith("Cust"):
                self.declare(table, f"{name} | String | 255 | {name}")
                columns = self.columns(table)
            if name not in columns or columns[name].computed:
                raise KeyError(f"{table}.{name}")
            values[name] = to_stored(columns[name], value)
        return values

    def _give_key(self, table: str, values: dict[str, Any], key: str | None) -> None:
        names = TABLES[table].keys
        if table == "project":
            if key is not None:
                parts = [*key.split("|"), "", ""][:3]
                values.update(
                    {name: to_stored(TABLES[table].columns[name], p) for name, p in zip(names, parts, strict=True)}
                )
            if not values.get("WBS1"):
                values["WBS1"] = self.next_number("project")
        elif key is not None:
            values[names[0]] = key
        elif not values.get(names[0]):
            values[names[0]] = self.next_number(table) if table == "employee" else self.new_id()
        if table == "project_firm" and not values.get("PKey"):
            values["PKey"] = len(self.tables[table]) + 1

    def next_number(self, table: str) -> str:
        """The number that auto-numbering hands out: the highest purely numeric one plus one, as wide."""
        column = {"firm": "Client", "project": "WBS1", "employee": "Employee"}[table]
        numbers = [row[column] for row in self.tables[table].values() if row[column].isdecimal()]
        width = max((len(n) for n in numbers), default=5)
        return str(max((int(n) for n in numbers), default=0) + 1).zfill(width)

    def _move_parent(self, table: str, row: Row, user: str) -> None:
        """Where the tenant does so, a change of a child row moves the stamp of the record it belongs to."""
        if not self.parent_stamp_moves or table not in _CHILD_TABLES:
            return
        parent = "firm" if table in ("address", "alias") else "project"
        key = row["ClientID"] if parent == "firm" else wbs_key(row["WBS1"], row["WBS2"], row["WBS3"])
        if key in self.tables[parent]:
            self.touch(parent, key, user)

    def _mark_parents(self, key: str) -> None:
        parts = key.split("|")
        for depth in range(1, len(parts)):
            parent = self.tables["project"].get("|".join(parts[:depth]))
            if parent is not None and parent["SubLevel"] != "Y":
                self._put("project", "|".join(parts[:depth]), parent.with_changes({"SubLevel": "Y"}))

    def _children(self, table: str, key: str) -> Iterator[tuple[str, str]]:
        links = {
            "firm": (("address", "ClientID"), ("alias", "ClientID"), ("project_firm", "ClientID")),
            "contact": (("project_contact", "ContactID"),),
            "employee": (("project_team", "Employee"),),
        }
        for child, column in links.get(table, ()):
            for row in self.rows(child, column, key):
                yield child, row_key(child, row)
        if table == "project":
            yield from self._below(key)

    def _below(self, key: str) -> Iterator[tuple[str, str]]:
        wbs1 = key.split("|", maxsplit=1)[0]
        for child in ("project", "project_contact", "project_team", "project_firm"):
            for row in self.rows(child, "WBS1", wbs1):
                place = wbs_key(row["WBS1"], row["WBS2"], row["WBS3"])
                inside = place.startswith(f"{key}|") or (child != "project" and place == key)
                if inside:
                    yield child, row_key(child, row)

    def _put(self, table: str, key: str, row: Row | None) -> None:
        """Replace (or with None remove) a row and keep the indexes and the undo log right."""
        rows = self.tables[table]
        old = rows.get(key)
        if self._undo is not None:
            self._undo.append((table, key, old))
        for column in INDEXED.get(table, ()):
            self._reindex(table, column, key, old, row)
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row

    def _reindex(self, table: str, column: str, key: str, old: Row | None, new: Row | None) -> None:
        before = None if old is None else old[column].strip().lower()
        after = None if new is None else new[column].strip().lower()
        if before == after:
            return
        index = self._index[table, column]
        if before is not None:
            index.get(before, {}).pop(key, None)
        if after is not None:
            index.setdefault(after, {})[key] = None

    # -- saving -------------------------------------------------------------------------------------------------------
    def to_json(self) -> dict[str, Any]:
        """Everything but sessions and ledger, in plain JSON values (money as text)."""
        return {
            "version": 1,
            "login": {name: getattr(self, name) for name in _LOGIN},
            "counter": self._counter,
            "custom": {t: [_line(c) for c in columns.values()] for t, columns in self.custom.items() if columns},
            "code_tables": self.code_tables,
            "tables": {
                name: {
                    key: {c: str(v) if isinstance(v, Decimal) else v for c, v in row.items()}
                    for key, row in rows.items()
                }
                for name, rows in self.tables.items()
            },
        }

    @classmethod
    def from_json(cls, document: dict[str, Any], clock: Callable[[], datetime] = _utc_now) -> CrmData:
        """The data of `to_json`. ValueError for a document of another version."""
        if document.get("version") != 1:
            raise ValueError("saved by another version")
        data = cls(clock, **document["login"])
        data._counter = document["counter"]
        for table, lines in document["custom"].items():
            for line in lines:
                data.declare(table, line)
        data.code_tables = document["code_tables"]
        for table, rows in document["tables"].items():
            for key, row in rows.items():
                data._put(table, key, Row(data._defaults[table], data._stored(table, row)))
        return data


_CHILD_TABLES = frozenset({"address", "alias", "project_contact", "project_team", "project_firm"})
_LOGIN = ("profile", "database", "username", "password", "client_id", "client_secret", "server_user")


def _line(column: Column) -> str:
    code = f"code={column.code_table}" if column.code_table else ""
    return f"{column.name} | {column.type} | {column.size} | {column.caption} | dec={column.decimals} {code}"

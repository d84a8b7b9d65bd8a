"""Answers that are the same for every case of the fault layer, worked out once.

Each function here stands for one of the program or of the sandbox that has no effect and no memory: the same question
has the same answer. A test compares a program run with them and without (test_faults.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any
from unittest import mock
from urllib.parse import urlencode

from core.crm import client as crm_client
from core.crm import system as crm_system
from core.crm import tenant as crm_tenant
from core.crm.client import CrmClient
from core.crm.options import CrmOptions
from core.crm.tenant import Answers
from core.crm.wire import CodeRow, TableMeta
from core.engine import look, run
from core.policy import Policy
from core.sandbox.ajera import app as ajera_app
from core.sandbox.ajera import wire as sandbox_wire
from core.sandbox.crm import app as crm_app
from core.sandbox.crm import tenant as sandbox_tenant

PLAIN = (crm_tenant.ask_tenant, crm_tenant.tenant_of, crm_tenant.connection_of, look.policy_print)


@lru_cache(maxsize=4096)
def encoded(pairs: tuple[tuple[str, str], ...]) -> str:
    """A query or a form."""
    return urlencode(pairs)


def _encoded(pairs: Sequence[tuple[str, str]]) -> str:
    return encoded(tuple(pairs))


class Client(CrmClient):
    """Reads the same metadata and the same code table once."""

    async def metadata(self, hub: str) -> dict[str, TableMeta]:
        reply = await self.read(f"metadata/{hub}", (), f"metadata {hub}")
        if (hub, reply.body) not in _METADATA:
            with mock.patch.object(self, "read", _given(reply)):
                _METADATA[hub, reply.body] = await super().metadata(hub)
        return _METADATA[hub, reply.body]

    async def code_table(self, name: str) -> tuple[CodeRow, ...] | None:
        found = await super().code_table(name)
        return None if found is None else _CODES.setdefault(found, found)


def _given(reply: Any) -> Any:
    async def read(*_: object) -> Any:
        return reply

    return read


_METADATA: dict[tuple[str, bytes], dict[str, TableMeta]] = {}
_CODES: dict[tuple[CodeRow, ...], tuple[CodeRow, ...]] = {}

# -- a tenant of the CRM: known answers are kept for good, so that their identity is theirs alone ----------

_KNOWN: dict[int, Answers] = {}
_SAME: dict[tuple[object, ...], Answers] = {}
_TENANTS: dict[tuple[int, int, str], Any] = {}
_CONNECTIONS: dict[tuple[int, str, tuple[str, ...]], Any] = {}


def known(answers: Answers) -> Answers:
    """One object for answers that came from the same texts."""
    parts = [(kind, id(table)) for kind, table in answers.metadata.items()]
    same = _SAME.setdefault((*parts, *((name, id(rows)) for name, rows in answers.codes.items())), answers)
    return _KNOWN.setdefault(id(same), same)


async def _ask_tenant(client: CrmClient, fields: Any, options: CrmOptions) -> Answers:
    return known(await PLAIN[0](client, fields, options))


def _tenant_of(answers: Answers, fields: Any, options: CrmOptions) -> Any:
    key = (id(answers), id(fields), repr(options))
    if id(answers) not in _KNOWN:
        return PLAIN[1](answers, fields, options)
    if key not in _TENANTS:
        _TENANTS[key] = (PLAIN[1](answers, fields, options), fields)
    return _TENANTS[key][0]


def _connection_of(tenant: Any, options: CrmOptions, warnings: Sequence[str], clock_offset: float | None) -> Any:
    key = (id(tenant), repr(options), tuple(warnings))
    if key not in _CONNECTIONS:
        _CONNECTIONS[key] = (PLAIN[2](tenant, options, warnings, None), tenant)
    return replace(_CONNECTIONS[key][0], clock_offset=clock_offset)


_PRINTS: dict[int, tuple[str, Policy]] = {}


def _policy_print(policy: Policy) -> str:
    if id(policy) not in _PRINTS:
        _PRINTS[id(policy)] = (PLAIN[3](policy), policy)
    return _PRINTS[id(policy)][0]


# -- the sandbox ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _call(method: str, parts: tuple[str, ...], query: str, body: bytes, as_get: bool, user: str) -> Any:
    return sandbox_tenant.make_call(method, parts, query, body, as_get, user)


@lru_cache(maxsize=64)
def _parsed_name(query: bytes, data: Any) -> bool:
    return bool(_NAMES(query, data))


_NAMES = sandbox_wire.names_this_database


class _Identity:
    """Stands for the data in the question whether an address names it: it is asked for its identity alone."""

    def __init__(self, data: Any) -> None:
        self.identity = data.identity
        self._said = repr(data.identity)

    def __hash__(self) -> int:
        return hash(self._said)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other._said == self._said


def _names_this_database(query: bytes, data: Any) -> bool:
    return _parsed_name(query, _Identity(data))


PLACES: tuple[tuple[Any, str, Any], ...] = (
    (crm_client, "urlencode", _encoded),
    (crm_system, "ask_tenant", _ask_tenant),
    (crm_system, "tenant_of", _tenant_of),
    (crm_system, "connection_of", _connection_of),
    (look, "policy_print", _policy_print),
    (run, "policy_print", _policy_print),
    (crm_app, "make_call", _call),
    (ajera_app, "names_this_database", _names_this_database),
)
_PLAIN = tuple((target, name, getattr(target, name)) for target, name, _ in PLACES)


def known_answers() -> AbstractContextManager[Any]:
    """Within, all of these stand in the places of what they stand for."""
    return _placed(PLACES)


def as_it_is() -> AbstractContextManager[Any]:
    """The other way round, for the test that compares."""
    return _placed(_PLAIN)


@contextmanager
def _placed(places: Iterable[tuple[Any, str, Any]]) -> Iterator[None]:
    with ExitStack() as stack:
        for target, name, instead in places:
            stack.enter_context(mock.patch.object(target, name, instead))
        yield

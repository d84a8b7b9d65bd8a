"""TinyDB's table with string ids that changes in place: one document costs one row.

The stock class reads and writes the whole database for every change. Queries, documents and method
names are TinyDB's own; ids are text because the store's ids are keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from tinydb import TinyDB
from tinydb.queries import QueryLike
from tinydb.table import Document, Table

from core.store import bodies
from core.store.storage import Change, SqliteStorage

Fields = Mapping[str, Any] | Callable[[MutableMapping[str, Any]], None]


class SqliteTable(Table):
    """A table of documents in a `SqliteStorage`. Each call is a transaction of its own unless one is open."""

    document_id_class = str  # type: ignore[assignment] # ids are text here, numbers in the stock class
    _rows: SqliteStorage

    def __init__(self, storage: SqliteStorage, name: str, **options: Any) -> None:
        self._rows = storage
        super().__init__(storage, name, **options)

    def insert(self, document: Mapping[str, Any]) -> Any:
        """Add a document; a `Document` keeps its id, any other gets the next free number.

        Raises ValueError if the id is taken."""
        return self.insert_multiple([document])[0]

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> list[Any]:
        with self._changing():
            ids: list[str] = []
            for document in documents:
                if not isinstance(document, Mapping):
                    raise ValueError("Document is not a Mapping")
                doc_id = self._id_for(document)
                if self._rows.row(self.name, doc_id) is not None:
                    raise ValueError(f"Document with ID {doc_id} already exists")
                self._put(doc_id, document)
                ids.append(doc_id)
        return ids

    def get(self, cond: QueryLike | None = None, doc_id: Any = None, doc_ids: list[Any] | None = None) -> Any:
        if doc_id is not None:
            body = self._rows.row(self.name, str(doc_id))
            return None if body is None else self._document(str(doc_id), body)
        if doc_ids is not None:
            found = (self.get(doc_id=each) for each in dict.fromkeys(map(str, doc_ids)))
            return [document for document in found if document is not None]
        if cond is None:
            raise RuntimeError("You have to pass either cond or doc_id or doc_ids")
        return next((document for document in self if cond(document)), None)

    def search(self, cond: QueryLike) -> list[Document]:
        return [document for document in self if cond(document)]

    def contains(self, cond: QueryLike | None = None, doc_id: Any = None) -> bool:
        return self.get(cond, doc_id) is not None

    def update(self, fields: Fields, cond: QueryLike | None = None, doc_ids: Iterable[Any] | None = None) -> list[Any]:
        with self._changing():
            documents = self._chosen(cond, doc_ids)
            for document in documents:
                _merge(document, fields)
                self._put(_id_of(document), document)
        return [_id_of(document) for document in documents]

    def update_multiple(self, updates: Iterable[tuple[Fields, QueryLike]]) -> list[Any]:
        with self._changing():
            return [doc_id for fields, cond in updates for doc_id in self.update(fields, cond)]

    def upsert(self, document: Mapping[str, Any], cond: QueryLike | None = None) -> list[Any]:
        doc_ids = [_id_of(document)] if isinstance(document, Document) else None
        if doc_ids is None and cond is None:
            raise ValueError("Without a query the document needs an id: use a table.Document object.")
        with self._changing():
            return self.update(document, cond, doc_ids) or [self.insert(document)]

    def remove(self, cond: QueryLike | None = None, doc_ids: Iterable[Any] | None = None) -> list[Any]:
        if cond is None and doc_ids is None:
            raise RuntimeError("Use truncate() to remove all documents")
        with self._changing():
            ids = [_id_of(document) for document in self._chosen(cond, doc_ids)]
            self._rows.put(Change(self.name, doc_id, None) for doc_id in ids)
        return ids

    def truncate(self) -> None:
        with self._changing():
            self._rows.put(Change(self.name, doc_id, None) for doc_id, _ in self._rows.rows(self.name))

    def count(self, cond: QueryLike) -> int:
        return sum(1 for document in self if cond(document))

    def __len__(self) -> int:
        return self._rows.count(self.name)

    def __iter__(self) -> Iterator[Document]:
        for doc_id, body in self._rows.rows(self.name):
            yield self._document(doc_id, body)

    def _changing(self) -> AbstractContextManager[None]:
        return nullcontext() if self._rows.in_transaction else self._rows.transaction()

    def _chosen(self, cond: QueryLike | None, doc_ids: Iterable[Any] | None) -> list[Document]:
        if doc_ids is not None:
            found: list[Document] = self.get(doc_ids=list(doc_ids))
            return found
        return list(self) if cond is None else self.search(cond)

    def _id_for(self, document: Mapping[str, Any]) -> str:
        return _id_of(document) if isinstance(document, Document) else str(self._rows.next_number(self.name))

    def _put(self, doc_id: str, document: Mapping[str, Any]) -> None:
        self._rows.put([Change(self.name, doc_id, bodies.dump(dict(document)))])

    def _document(self, doc_id: str, body: bytes) -> Document:
        return Document(bodies.load(body), doc_id)  # type: ignore[arg-type] # see document_id_class


class SqliteDB(TinyDB):
    """TinyDB with this storage and this table class: `SqliteDB(path)`."""

    table_class = SqliteTable  # type: ignore[assignment] # stock type is Table itself
    default_storage_class = SqliteStorage  # type: ignore[assignment] # stock type is JSONStorage


def _id_of(document: Mapping[str, Any]) -> str:
    return str(document.doc_id) if isinstance(document, Document) else ""


def _merge(document: Document, fields: Fields) -> None:
    if callable(fields):
        fields(document)
    else:
        document.update(fields)

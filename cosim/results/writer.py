"""Chunked Parquet with flat memory: what was written stays readable, whatever happens next.

A chunk holds a fixed span of exchanges. While a span fills, its file is rewritten now and then and
renamed into place, so a killed run loses seconds, and a slow one does not leave thousands of files. The
first flush comes after a second, each later one after twice the time, up to ten: a run can be watched
from its beginning, and a long one does not spend its time on rewriting. A thread of its own writes and
hashes, while the run goes on.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cosim.core.component import Ledger
from cosim.core.errors import ResultsError
from cosim.core.shelf import Shelf
from cosim.core.types import Floats
from cosim.results.clerk import Clerk
from cosim.results.layout import EVENTS, LEDGERS, REACHED, SERIES, chunk_path, write_json

Row = Mapping[str, Floats]
"""Column name -> values over a table's elements, of one exchange."""

BLOCK_BYTES = 16 * 2**20
"""Most memory all tables together use for the exchanges not yet on disk."""

EVENTS_PER_CHUNK = 4096

FIRST_FLUSH_S = 1.0
"""Wall-clock time [s] until the first rows are on disk."""


@dataclass(frozen=True)
class TableSpec:
    """One table: the names of its rows, the same in every exchange, and its columns."""

    names: tuple[str, ...]
    columns: tuple[str, ...]


class Event(NamedTuple):
    """One row of the events table. `data` is JSON, or empty."""

    t_s: float
    source: str
    kind: str
    text: str
    data: str = ""


EVENT_SCHEMA = pa.schema(
    [("t_s", pa.float64()), *((name, pa.string()) for name in ("source", "kind", "text", "data"))]
)


def _write(table: pa.Table, path: Path) -> None:
    draft = path.with_suffix(".part")
    pq.write_table(
        table, draft, compression="zstd", compression_level=1, use_dictionary=["t_s", "dt_s", "name"]
    )
    draft.replace(path)


class _Block:
    """The exchanges of one table that its current chunk holds, in memory until the chunk is full."""

    def __init__(self, folder: Path, spec: TableSpec, capacity: int) -> None:
        folder.mkdir(parents=True)
        self.folder, self.spec, self._capacity = folder, spec, capacity
        self.clear()
        self.digest = hashlib.sha256(repr((spec.names, spec.columns)).encode())
        self._names = pa.array(spec.names, type=pa.string())

    def clear(self) -> None:
        """Begin the next chunk, in memory of its own: the full one may still be on its way to disk."""
        self.values = np.empty((self._capacity, len(self.spec.columns), len(self.spec.names)))

    def put(self, place: int, row: Row) -> None:
        """Copy one exchange into the block."""
        if isinstance(row, Shelf) and tuple(row.places) == self.spec.columns:
            self.values[place] = row.block
            return
        for number, column in enumerate(self.spec.columns):
            self.values[place, number] = row[column]

    def save(self, number: int, values: Floats, times: Floats) -> None:
        """Write exchanges, `values` (exchanges, columns, names) and `times` (exchanges, 2), as a chunk."""
        (rows, _), size = times.shape, len(self.spec.names)
        codes = pa.array(np.tile(np.arange(size, dtype=np.int32), rows))
        columns: dict[str, object] = {
            "t_s": np.repeat(times[:, 0], size),
            "dt_s": np.repeat(times[:, 1], size),
            "name": pa.DictionaryArray.from_arrays(codes, self._names),
        }
        for place, column in enumerate(self.spec.columns):
            columns[column] = values[:, place].ravel()
        _write(pa.table(columns), chunk_path(self.folder, number))


class Writer:
    """Writes the tables and events of one run.

    Parameters
    ----------
    folder
        Results folder; `series` and `events` must not exist in it yet.
    tables
        Table name -> its rows and columns.
    exchanges
        Exchanges one chunk holds; None takes what fits into `BLOCK_BYTES`.
    flush_s
        Longest wall-clock time [s] a row stays in memory only.
    """

    def __init__(
        self,
        folder: Path,
        tables: Mapping[str, TableSpec],
        *,
        exchanges: int | None = None,
        flush_s: float = 10.0,
    ) -> None:
        size = 8 * sum(len(spec.names) * len(spec.columns) for spec in tables.values())
        self.capacity = exchanges or int(np.clip(BLOCK_BYTES // max(size, 1), 16, 2048))
        self.flush_s, self._wait_s = flush_s, FIRST_FLUSH_S
        self.rows = 0
        self._times = np.empty((self.capacity, 2))
        self._clock = hashlib.sha256(b"t_s dt_s")
        self._blocks = {
            name: _Block(folder / SERIES / name, spec, self.capacity) for name, spec in tables.items()
        }
        self._filled, self._chunk = 0, 0
        self._reached = folder / REACHED
        self._ledgers_folder, self._ledger_hashes = folder / LEDGERS, dict[str, str]()
        self._events_folder = folder / EVENTS
        self._events_folder.mkdir(parents=True)
        self._events: list[Event] = []
        self._event_chunk, self._event_digest = 0, hashlib.sha256(b"events")
        self._closed = False
        self._clerk = Clerk("suandian-results")
        self.flush()

    @property
    def reached_s(self) -> float:
        """End [s] of the last exchange appended, 0 before the first."""
        return float(self._times[self._filled - 1].sum()) if self._filled else 0.0

    def append(self, t_s: float, dt_s: float, tables: Mapping[str, Row]) -> None:
        """Add one exchange: every column of every table.

        Raises ResultsError naming the table and column that is missing or has another length.
        """
        if self._filled == self.capacity:
            self._next_chunk()
        place = self._filled
        for name, block in self._blocks.items():
            try:
                block.put(place, tables[name])
            except (KeyError, TypeError, ValueError) as error:
                raise ResultsError(_complaint(name, block.spec, tables.get(name), t_s)) from error
        self._times[place] = t_s, dt_s
        self._filled += 1
        self.rows += 1
        if monotonic() - self._saved > min(self._wait_s, self.flush_s):
            self._begin(full=False)
            self._wait_s *= 2.0

    def add_events(self, events: Sequence[Event]) -> None:
        """Add rows to the events table, in this order."""
        self._events.extend(events)
        while len(self._events) >= EVENTS_PER_CHUNK:
            full, self._events = self._events[:EVENTS_PER_CHUNK], self._events[EVENTS_PER_CHUNK:]
            self.wait()
            self._save_events(self._event_chunk, full)
            self._hash_events(full)
            self._event_chunk += 1

    def add_ledger(self, name: str, ledger: Ledger) -> None:
        """Write a table of single things whole.

        Raises ResultsError when another table has its name or its columns differ in length.
        """
        sizes = {column: len(values) for column, values in ledger.items()}
        if name in self._blocks or name in self._ledger_hashes or name == EVENTS:
            msg = f"ledger {name!r} has the name of another table"
            raise ResultsError(msg)
        if len(set(sizes.values())) != 1:
            msg = f"ledger {name!r} has columns of different length: {sizes}"
            raise ResultsError(msg)
        self._ledgers_folder.mkdir(exist_ok=True)
        table = pa.table({column: pa.array(values) for column, values in ledger.items()})
        _write(table, self._ledgers_folder / f"{name}.parquet")
        digest = hashlib.sha256(repr(table.column_names).encode())
        for column in table.itercolumns():
            digest.update(repr(column.to_pylist()).encode())
        self._ledger_hashes[name] = digest.hexdigest()

    def flush(self) -> None:
        """Bring everything so far to disk."""
        self._begin(full=False)
        self.wait()

    def wait(self) -> None:
        """Wait until what is on its way to disk has arrived. Raises what went wrong on the way."""
        self._clerk.wait()

    def close(self) -> dict[str, str]:
        """Bring everything to disk and return the sha256 of each table's content, of clock and events."""
        if not self._closed:
            self._begin(full=True)
            self.wait()
            self._hash_events(self._events)
            self._clerk.dismiss()
            self._closed = True
        hashes = {name: block.digest.hexdigest() for name, block in self._blocks.items()}
        return {
            **hashes,
            **self._ledger_hashes,
            "clock": self._clock.hexdigest(),
            "events": self._event_digest.hexdigest(),
        }

    def _next_chunk(self) -> None:
        self._begin(full=True)
        self._times = np.empty_like(self._times)
        for block in self._blocks.values():
            block.clear()
        self._chunk, self._filled = self._chunk + 1, 0  # at once: Ctrl-C must not fall between them

    def _begin(self, *, full: bool) -> None:
        """Send everything so far on its way to disk, and a `full` chunk into the hashes.

        The rows that are there are not changed any more, so the thread needs no copy.
        """
        self.wait()
        times, rows = self._times[: self._filled], self.rows
        chunk, event_chunk, events = self._chunk, self._event_chunk, list(self._events)
        parts = [(block, block.values[: self._filled]) for block in self._blocks.values()]

        def bring() -> None:
            for block, values in parts:
                block.save(chunk, values, times)
            self._save_events(event_chunk, events)
            last_s = float(times[-1, 0]) if times.size else None
            write_json(self._reached, {"t_s": last_s, "exchanges_count": rows})
            if full:
                self._clock.update(times.data)
                for block, values in parts:
                    block.digest.update(values.data)

        self._clerk.give(bring)
        self._saved = monotonic()

    def _save_events(self, chunk: int, events: Sequence[Event]) -> None:
        columns = list(zip(*events, strict=True)) or [()] * len(EVENT_SCHEMA)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, EVENT_SCHEMA, strict=True)]
        _write(pa.table(arrays, schema=EVENT_SCHEMA), chunk_path(self._events_folder, chunk))

    def _hash_events(self, events: Sequence[Event]) -> None:
        for event in events:
            self._event_digest.update(repr(tuple(event)).encode())


def results_hash(hashes: Mapping[str, str]) -> str:
    """Return one hash of all tables, clock and events."""
    return hashlib.sha256(repr(sorted(hashes.items())).encode()).hexdigest()


def _complaint(name: str, spec: TableSpec, row: Row | None, t_s: float) -> str:
    if row is None:
        return f"table {name} at t_s={t_s:g}: missing"
    for column in spec.columns:
        shape = np.shape(row[column]) if column in row else None
        if shape != (len(spec.names),):
            found = "missing" if shape is None else f"has shape {shape}"
            return f"table {name} at t_s={t_s:g}: column {column} {found}, expected ({len(spec.names)},)"
    return f"table {name} at t_s={t_s:g}: not numbers"

"""Results as pandas and as SQL: of a finished run, a failed one, or one that was killed."""

import importlib
import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pyarrow.dataset as ds

from cosim.core.errors import ResultsError
from cosim.core.registry import nearest
from cosim.results.layout import EVENTS, LEDGERS, MANIFEST, MODEL, REACHED, SERIES, alive, chunks, read_json
from cosim.results.writer import EVENT_SCHEMA

if TYPE_CHECKING:
    import duckdb

Status = Literal["complete", "failed", "incomplete"]


class Results:
    """One run's results folder.

    Attributes
    ----------
    path
        The folder.
    manifest
        Scenario text and hash, versions, seed, status, timings, hashes.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path, self.manifest = path, manifest

    @property
    def status(self) -> Status:
        """`complete`, `failed` (the error is in the manifest), or `incomplete`: killed or still running."""
        known: dict[str, Status] = {"complete": "complete", "failed": "failed"}
        return known.get(str(self.manifest.get("status")), "incomplete")

    @property
    def running(self) -> bool:
        """Whether the process that writes these results still exists on this machine."""
        return self.manifest.get("status") == "running" and alive(int(self.manifest["pid"]))

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables, sorted; a run that has just begun may not have written all of them yet."""
        return tuple(sorted(path.name for path in (self.path / SERIES).iterdir() if chunks(path)))

    @property
    def ledgers(self) -> tuple[str, ...]:
        """Names of the tables with a row for each single thing, such as `job`; written when a run is over."""
        return tuple(path.stem for path in chunks(self.path / LEDGERS))

    def ledger(self, name: str) -> pd.DataFrame:
        """Return a whole table of single things, a row for each.

        Raises ResultsError, with the names there are, when there is none of that name.
        """
        if name not in self.ledgers:
            known = ", ".join(self.ledgers) or "none"
            msg = f"{self.path}: no ledger {name!r}, only {known}.{nearest(name, self.ledgers)}"
            raise ResultsError(msg)
        return pd.read_parquet(self.path / LEDGERS / f"{name}.parquet")

    @cached_property
    def model(self) -> dict[str, Any]:
        """Geography and element names of the grid, as far as the run wrote them."""
        path = self.path / MODEL
        return read_json(path) if path.is_file() else {}

    @property
    def units(self) -> pd.DataFrame:
        """The scenario's units: `name, kind, at`, one row each."""
        return pd.DataFrame(self.manifest.get("units", []), columns=["name", "kind", "at"])

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the columns of a table besides `t_s, dt_s, name`."""
        return tuple(
            name for name in self._dataset(table).schema.names if name not in {"t_s", "dt_s", "name"}
        )

    def elements(self, table: str) -> tuple[str, ...]:
        """Return the names of a table's rows, in the table's order; empty before the first exchange."""
        if self.last_s == -math.inf:
            return ()
        head = self._dataset(table).head(1, columns=["t_s"])
        if head.num_rows == 0:
            return ()
        first = ds.field("t_s") == head["t_s"][0].as_py()
        names = self._dataset(table).to_table(columns=["name"], filter=first)["name"]
        return tuple(str(name) for name in names.to_pylist())

    def table(self, name: str) -> pd.DataFrame:
        """Return a whole table: one row per exchange and element, `t_s, dt_s, name` and its columns."""
        frame: pd.DataFrame = self._rows(name).to_pandas()
        return frame.astype({"name": str})

    def series(self, table: str, column: str) -> pd.DataFrame:
        """Return one column over time: index `t_s` [s], one column per element."""
        if column not in self.columns(table):
            known = ", ".join(self.columns(table))
            hint = nearest(column, self.columns(table))
            msg = f"{self.path}: table {table} has no column {column!r}, only {known}.{hint}"
            raise ResultsError(msg)
        names = self.elements(table)
        if not names:  # a table without elements has no rows, but its exchanges took place
            return pd.DataFrame(index=self.dt_s.index, columns=pd.Index([], name="name"), dtype=float)
        long = self._rows(table, ["t_s", column])
        values = long[column].to_numpy().reshape(-1, len(names))
        t_s = long["t_s"].to_numpy()[:: len(names)]
        return pd.DataFrame(values, index=pd.Index(t_s, name="t_s"), columns=pd.Index(names, name="name"))

    @cached_property
    def dt_s(self) -> "pd.Series[float]":
        """Length of every exchange [s], index `t_s`."""
        sizes = {table: len(self.elements(table)) for table in self.tables}
        table = min((name for name in sizes if sizes[name]), key=lambda name: sizes[name], default=None)
        if table is None:
            return pd.Series(np.empty(0), index=pd.Index(np.empty(0), name="t_s"), name="dt_s")
        long = self._rows(table, ["t_s", "dt_s"])
        t_s, dt_s = (long[name].to_numpy()[:: sizes[table]] for name in ("t_s", "dt_s"))
        return pd.Series(dt_s, index=pd.Index(t_s, name="t_s"), name="dt_s", dtype=float)

    @cached_property
    def last_s(self) -> float:
        """Start [s] of the last exchange to read: -inf before there is one, inf in a complete run.

        A run killed while it wrote has some tables one flush ahead of others; those rows are left out.
        """
        path = self.path / REACHED
        if self.status == "complete":
            return math.inf
        last_s = read_json(path)["t_s"] if path.is_file() else None
        return -math.inf if last_s is None else float(last_s)

    @cached_property
    def events(self) -> pd.DataFrame:
        """What happened: `t_s, source, kind, text, data`, in order of time."""
        files = [str(path) for path in chunks(self.path / EVENTS)]
        rows = ds.dataset(files, schema=EVENT_SCHEMA, format="parquet").to_table()
        frame: pd.DataFrame = rows.to_pandas()
        return frame.sort_values("t_s", kind="stable", ignore_index=True)

    def sql(self, query: str) -> pd.DataFrame:
        """Return the answer to a DuckDB query; tables, ledgers and `events` are views of their names."""
        return _answer(query, [self])

    def _dataset(self, table: str) -> Any:
        if table not in self.tables:
            known = ", ".join(self.tables) or "none"
            msg = f"{self.path}: no table {table!r}, only {known}.{nearest(table, self.tables)}"
            raise ResultsError(msg)
        files = [str(path) for path in chunks(self.path / SERIES / table)]
        return ds.dataset(files, format="parquet")

    def _rows(self, table: str, columns: Sequence[str] | None = None) -> Any:
        limit = None if self.last_s == math.inf else ds.field("t_s") <= self.last_s
        return self._dataset(table).to_table(columns=columns, filter=limit)


def load(path: str | Path) -> Results:
    """Return the results in a folder, whether its run is complete or not.

    Raises ResultsError when the folder is missing or not one of ours.
    """
    folder = Path(path)
    if not folder.is_dir():
        msg = f"{folder}: no such folder"
        raise ResultsError(msg)
    manifest = folder / MANIFEST
    if not manifest.is_file() or not (folder / SERIES).is_dir():
        msg = f"{folder}: has no {MANIFEST} and {SERIES}, so it is not a results folder"
        raise ResultsError(msg)
    try:
        return Results(folder, read_json(manifest))
    except ValueError as error:
        msg = f"{manifest}: not JSON: {error}"
        raise ResultsError(msg) from error


def sql(query: str, runs: Sequence[str | Path | Results]) -> pd.DataFrame:
    """Return the answer to a DuckDB query over many runs.

    Views are named as the tables, with the folder's name in an extra column `run`. A table only some
    runs have holds the rows of those; columns only some have are NULL elsewhere.
    """
    loaded = [run if isinstance(run, Results) else load(run) for run in runs]
    if not loaded:
        msg = "no runs to query"
        raise ResultsError(msg)
    return _answer(query, loaded, labelled=True)


def _answer(query: str, runs: Sequence[Results], *, labelled: bool = False) -> pd.DataFrame:
    engine = importlib.import_module("duckdb")  # 50 ms that only a query should cost
    with engine.connect() as connection:
        for table in sorted({table for run in runs for table in run.tables}):
            having = [run for run in runs if table in run.tables]
            _view(connection, table, [_selected(run, f"{SERIES}/{table}", labelled) for run in having])
        if having := [run for run in runs if chunks(run.path / EVENTS)]:
            _view(connection, EVENTS, [_selected(run, EVENTS, labelled) for run in having])
        for name in sorted({name for run in runs for name in run.ledgers}):
            having = [run for run in runs if name in run.ledgers]
            _view(connection, name, [_selected(run, f"{LEDGERS}/{name}.parquet", labelled) for run in having])
        try:
            frame: pd.DataFrame = connection.execute(query).df()
        except engine.Error as error:
            raise ResultsError(str(error)) from error
    return frame


def _view(connection: "duckdb.DuckDBPyConnection", name: str, parts: Sequence[str]) -> None:
    connection.execute(f'CREATE VIEW "{name}" AS {" UNION ALL BY NAME ".join(parts)}')


def _selected(run: Results, place: str, labelled: bool) -> str:
    """Return the query for one table of one run; what is not SQL of ours is quoted."""
    label = f", {_quoted(run.path.resolve().name)} AS run" if labelled else ""
    found = run.path / place
    files = ", ".join(_quoted(str(path.resolve())) for path in (chunks(found) if found.is_dir() else [found]))
    limited = place.startswith(f"{SERIES}/") and run.last_s != math.inf
    where = f" WHERE t_s <= CAST('{run.last_s}' AS DOUBLE)" if limited else ""
    return f"SELECT *{label} FROM read_parquet([{files}]){where}"  # noqa: S608


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

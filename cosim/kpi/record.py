"""Results that answer the same question twice without opening files twice."""

from collections import OrderedDict
from functools import cached_property

import pandas as pd

from cosim.results import Results

MOST_FRAMES = 12
"""Columns kept in memory: a day at 1 s of a 90-bus table is 62 MB a column."""


class Record(Results):
    """A finished (or given-up) run, read through a memory. Frames returned must not be changed."""

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables, sorted."""
        return super().tables

    @cached_property
    def _known(self) -> dict[tuple[str, str], tuple[str, ...]]:
        return {}

    @cached_property
    def _frames(self) -> OrderedDict[tuple[str, str], pd.DataFrame]:
        return OrderedDict()

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the columns of a table besides `t_s, dt_s, name`."""
        key = ("columns", table)
        if key not in self._known:
            self._known[key] = super().columns(table)
        return self._known[key]

    def elements(self, table: str) -> tuple[str, ...]:
        """Return the names of a table's rows."""
        key = ("elements", table)
        if key not in self._known:
            self._known[key] = super().elements(table)
        return self._known[key]

    def series(self, table: str, column: str) -> pd.DataFrame:
        """Return one column over time."""
        key = (table, column)
        if key not in self._frames:
            self._frames[key] = super().series(table, column)
            if len(self._frames) > MOST_FRAMES:
                self._frames.popitem(last=False)
        self._frames.move_to_end(key)
        return self._frames[key]


def recorded(results: Results) -> Results:
    """Return `results` with a memory."""
    return results if isinstance(results, Record) else Record(results.path, results.manifest)

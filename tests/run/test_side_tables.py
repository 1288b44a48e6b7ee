"""Tables of a component's own: rows that are no units."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from suandian_toys import Toy, ToyParams, kind, plan

from cosim.core.component import SideTable
from cosim.core.errors import ComponentError
from cosim.run import run


class Parted(Toy):
    """A toy that tells what it draws in halves, too."""

    def side_tables(self) -> Sequence[SideTable]:
        return (SideTable("half", ("left", "right"), ("p_mw",)), SideTable("none", (), ("p_mw",)))

    def told(self, table: str) -> Mapping[str, Any]:
        assert table == "half"
        return {"p_mw": np.full(2, 0.5 * self.rated_mw.sum())}


class Clash(Parted):
    """A toy whose table is called like a kind."""

    def side_tables(self) -> Sequence[SideTable]:
        return (SideTable("clash", ("left",), ("p_mw",)),)


def test_a_table_of_its_own_is_recorded_each_exchange_and_one_without_rows_is_none(tmp_path):
    results = run(plan(kind(Parted, ToyParams(), ToyParams(p_rated_mw=3.0))), tmp_path)
    assert set(results.tables) >= {"parted", "half"}
    assert "none" not in results.tables
    series = results.series("half", "p_mw")
    assert len(series) == len(results.series("parted", "p_mw"))
    assert (series.to_numpy() == 2.0).all()
    assert list(series.columns) == ["left", "right"]


def test_two_tables_of_one_name_are_refused(tmp_path):
    with pytest.raises(ComponentError, match="'clash' writes a table 'clash', as another kind does"):
        run(plan(kind(Clash, ToyParams())), tmp_path)

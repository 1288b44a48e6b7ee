"""A machine without dynamic data is named with file, row, column and value, all of them at once."""

import shutil

import pandas as pd
import pytest

from cosim.core.errors import CaseError
from cosim.core.grid import Connections
from grids.case import CASES, load_case
from grids.dynamics.tables import read_units
from grids.params import RmsParams
from grids.rms import RmsGrid


def test_plants_without_data_of_their_type_are_named(tmp_path) -> None:
    folder = shutil.copytree(CASES / "ningxia", tmp_path / "mine")
    gen = pd.read_csv(folder / "gen.csv")
    gen.loc[[0, 2], "plant_type"] = "wind"
    gen.to_csv(folder / "gen.csv", index=False)
    on = set(load_case(str(folder)).net.gen.query("in_service")["name"])
    rows = [row for row in (0, 2) if gen.loc[row, "name"] in on]
    assert rows
    with pytest.raises(CaseError) as caught:
        read_units(load_case(str(folder)))
    lines = str(caught.value).splitlines()
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert line.startswith(f"mine/gen.csv, row {row + 2}, column plant_type: 'wind': ")
        assert "(allowed: coal_300, " in line


def test_the_rms_engine_names_every_machine_without_a_model(tmp_path) -> None:
    folder = shutil.copytree(CASES / "two_bus", tmp_path / "mine")
    with pytest.raises(CaseError) as caught:
        RmsGrid(RmsParams(case=str(folder)), Connections())
    net = load_case(str(folder)).net
    for table in ("gen", "ext_grid"):
        assert f"{net[table]['name'].iloc[0]} (mine/{table}.csv, row 2, column name)" in str(caught.value)

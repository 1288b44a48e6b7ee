"""What a writer writes is read again as the same case."""

import json

import pandapower as pp
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from grids.case import load_case
from grids.casetables import TABLES
from grids.dynamics.tables import read_units
from grids.formats.andes import andes_records, write_andes
from grids.formats.importing import import_case
from grids.formats.pandapower_net import write_pandapower
from grids.skeleton import new_case


def solved(case):
    pp.runpp(case.net, calculate_voltage_angles=True, tolerance_mva=1e-9, numba=False)
    return case.net.res_bus[["vm_pu", "va_degree", "p_mw", "q_mvar"]].to_numpy()


def rows(case, table):
    """Return the cells of a table that say something, by element."""
    frame = case.net[table]
    columns = [c for c in TABLES[table].by_name if c in frame and c not in {"name_zh", "note", "std_type"}]
    return frame[columns].astype(object).where(frame[columns].notna(), "").to_dict("records")


def test_a_province_with_links_areas_and_a_rest_goes_to_pandapower_and_back(tmp_path):
    new_case(tmp_path / "mine")
    case = load_case(str(tmp_path / "mine"))
    write_pandapower(case, tmp_path / "mine.json")
    import_case([str(tmp_path / "mine.json")], tmp_path / "back")
    back = load_case(str(tmp_path / "back"))
    assert_allclose(solved(back), solved(case), atol=1e-7)
    for table in ("areas", "rest_fleet", "ties", "links", "sgen", "shunt", "points"):
        assert rows(back, table) == rows(case, table), table
    there, again = (
        {(u.model, u.element): u.params.model_dump() for u in read_units(c)} for c in (case, back)
    )
    assert again.keys() == there.keys()
    for unit, params in there.items():
        assert again[unit] == pytest.approx(params, rel=1e-9), unit


@pytest.mark.parametrize("name", ["kundur", "ieee39", "campus"])
def test_a_shipped_case_goes_to_pandapower_and_back(tmp_path, name):
    case = load_case(name)
    write_pandapower(case, tmp_path / "there.json")
    import_case([str(tmp_path / "there.json")], tmp_path / "back")
    assert_allclose(solved(load_case(str(tmp_path / "back"))), solved(case), atol=1e-7)


def test_both_files_for_andes_hold_the_records_of_the_case(tmp_path):
    case = load_case("kundur")
    records, _ = andes_records(case)
    write_andes(case, tmp_path / "k.json")
    assert json.loads((tmp_path / "k.json").read_text(encoding="utf-8")) == json.loads(json.dumps(records))
    pytest.importorskip("openpyxl")
    write_andes(case, tmp_path / "k.xlsx")
    sheets = pd.read_excel(tmp_path / "k.xlsx", sheet_name=None, index_col=0)
    assert set(sheets) == set(records)
    for model, sheet in sheets.items():
        for column in sheet:
            written = [row.get(column) for row in records[model]]
            if pd.api.types.is_float_dtype(sheet[column]):
                assert_allclose(sheet[column], pd.Series(written, dtype=float), rtol=1e-12)
            else:
                assert list(sheet[column]) == written

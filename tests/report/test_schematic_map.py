import json
import math

import numpy as np
import pytest
from made_run import made_run

from cosim.kpi.record import recorded
from cosim.report.province import province
from cosim.report.schematic import positions
from cosim.report.series import Pool
from cosim.verdict import judge


def test_a_chain_of_buses_is_drawn_as_a_line_of_equal_steps():
    at = positions(5, [(0, 1), (1, 2), (2, 3), (3, 4)])
    steps = np.hypot(*np.diff(at, axis=0).T)
    assert steps == pytest.approx(np.full(4, 0.25), abs=0.01)  # the stress of a line can be zero


def test_the_same_grid_always_looks_the_same():
    ends = [(0, 1), (1, 2), (2, 0), (2, 3)]
    np.testing.assert_array_equal(positions(4, ends), positions(4, ends))


def test_islands_are_drawn_apart():
    at = positions(4, [(0, 1), (2, 3)])
    assert np.all(np.isfinite(at))
    assert len({tuple(p) for p in at.round(3).tolist()}) == 4


def test_a_grid_without_coordinates_is_drawn_schematically_in_valid_json(tmp_path):
    run = made_run(tmp_path, end_s=60.0)
    model = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    model["geography"]["lat"] = [math.nan] * 6
    (tmp_path / "model.json").write_text(json.dumps(model), encoding="utf-8")
    run = recorded(run)
    drawn = province(run, judge(run, ["cn"]), Pool())
    assert drawn["schematic"]
    assert "NaN" not in json.dumps(drawn)

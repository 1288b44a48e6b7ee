"""What a store draws is what the grid saw of it, not what it was ordered."""

import json

import numpy as np

from cosim.kpi import compute
from cosim.results import TableSpec, Writer, load


def test_the_power_of_a_store_is_that_at_its_point_and_its_own_where_the_grid_has_no_solution(tmp_path):
    tables = {
        "battery": TableSpec(("store",), ("p_mw", "soc_pu")),
        "gpu_hall": TableSpec(("hall",), ("p_mw",)),
        "point": TableSpec(("store", "hall"), ("p_mw",)),
        "grid": TableSpec(("grid",), ("converged_pu",)),
    }
    writer = Writer(tmp_path, tables)
    for t_s, seen in enumerate(([25.0, 3.0], [-4.0, 3.0], [np.nan, np.nan])):
        told = {"battery": {"p_mw": np.array([0.1]), "soc_pu": np.array([0.5])}}
        told["gpu_hall"] = {"p_mw": np.array([2.0])}
        told["point"] = {"p_mw": np.array(seen)}
        told["grid"] = {"converged_pu": np.array([float(np.isfinite(seen[0]))])}
        writer.append(float(t_s), 1.0, told)
    writer.close()
    (tmp_path / "manifest.json").write_text(json.dumps({"status": "complete"}), encoding="utf-8")
    run = load(tmp_path)
    assert compute(run, "p_max_mw", "store") == 25.0
    assert compute(run, "p_min_mw", "store") == -4.0
    assert compute(run, "energy_mwh", "store") == (25.0 - 4.0 + 0.1) / 3600.0
    assert compute(run, "p_max_mw", "hall") == 2.0

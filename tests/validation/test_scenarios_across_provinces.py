"""What the scenarios across provinces say of each other; their golden KPIs are checked elsewhere."""

from pathlib import Path

import pytest
import yaml

from cosim.assemble import prepare
from cosim.core.places import reference_folder
from cosim.kpi import compute
from cosim.run import run
from cosim.validate import KPI_FILE

NORTH, NORTHWEST = "North and Central China", "Northwest China"


def golden(name: str, kpi: str, at: str) -> float:
    rows = yaml.safe_load((reference_folder() / name / KPI_FILE).read_text(encoding="utf-8"))["kpis"]
    (value,) = [row["value"] for row in rows if row["kpi"] == kpi and row.get("at") == at]
    return float(value)


def test_halls_that_help_lift_the_nadir_of_their_area_and_leave_the_other_as_it_was() -> None:
    aided, alone = "longdong_dc_block", "longdong_dc_block_unaided"
    lifted_hz = golden(aided, "f_nadir_hz", NORTH) - golden(alone, "f_nadir_hz", NORTH)
    assert 0.06 < lifted_hz < 0.12
    zenith_hz = golden(alone, "f_zenith_hz", NORTHWEST)
    assert golden(aided, "f_zenith_hz", NORTHWEST) == pytest.approx(zenith_hz, abs=1e-4)


def test_the_storage_of_horinger_holds_what_the_grid_sees_to_its_ramp(tmp_path: Path) -> None:
    results = run(prepare("horinger_storage", changes={"until_s": 2400}), tmp_path)
    campus = results.table("campus")
    per_minute = campus["p_mw"].diff(3).abs().max()
    assert per_minute == pytest.approx(5.0, abs=0.05)  # losses come on top
    assert compute(results, "ramp_max_mw_per_min", "wind") == pytest.approx(10.5, abs=0.1)

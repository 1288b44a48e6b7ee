"""A converter in the place of a machine gives ANDES 2.0.0's trajectories (golden/make_converters.py)."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grids.case import Case, case_folder, load_case
from grids.dynamics import BusFault, GeneratorTrip, LoadStep, simulate
from grids.dynamics.devices.reec_a import ReecAParams
from grids.dynamics.devices.regc_a import RegcAParams
from grids.dynamics.devices.regfm_a1 import RegfmA1Params
from grids.dynamics.devices.repc_a import RepcAParams
from grids.dynamics.tables import Unit

GOLDEN = Path(__file__).parent / "golden"
EVENTS = {
    "load_step": LoadStep(bus=7, p_mw=136.7, at_s=1.0),
    "gen_trip": GeneratorTrip(bus=2, at_s=1.0),
    "bus_fault": BusFault(bus=8, at_s=1.0, clear_after_s=0.1),
}
SMOOTH = {"coi_mhz": 0.1, "speed_mhz": 0.5, "vm_pu": 5e-4, "power_pu": 1e-3}
FAULT = {"coi_mhz": 2.0, "speed_mhz": 3.0, "vm_pu": 1e-2, "power_pu": 1e-2}
OTHER_FORM = {"speed_mhz": 2.0, "vm_pu": 5e-3, "power_pu": 5e-3}
"""REGF1 has the same droop, but current and voltage loops where REGFM_A1 has a source behind a reactance:
2 % of the peak deviation of the frequency."""
RUNS = sorted(path.name[11:-7] for path in GOLDEN.glob("converters_*.csv.gz"))
SN_MVA = 900.0


def units(kind: str) -> list[Unit]:
    """Return the converter and its controls: the values of the golden runs, per unit of the rating."""
    if kind == "forming":
        return [Unit("regfm_a1", "gen_4", RegfmA1Params(sn_mva=SN_MVA, imax_pu=0.0))]
    common = {"vref0_pu": 1.0, "tpord_s": 0.05, "imax_pu": 1.2, "vmin_pu": -999.0, "vmax_pu": 999.0}
    control = ReecAParams(**common, kvi_per_s=10.0, qflag_code=int(kind == "local"))
    plant = RepcAParams(ki_per_s=2.0, vfrz_pu=0.7, tg_s=0.1)
    off = RepcAParams(fflag_code=0, kp_pu=0.0, ki_per_s=0.0)
    return [
        Unit("regc_a", "gen_4", RegcAParams(sn_mva=SN_MVA)),
        Unit("reec_a", "gen_4", control),
        Unit("repc_a", "gen_4", plant if kind == "plant" else off),
    ]


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> Case:
    """Return kundur without the machine at bus 4."""
    folder = tmp_path_factory.mktemp("case") / "kundur"
    shutil.copytree(case_folder("kundur"), folder)
    for name in ("genrou", "tgov1", "exdc2"):
        rows = (folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        kept = "\n".join(row for row in rows if not row.startswith("gen_4,"))
        (folder / f"{name}.csv").write_text(kept + "\n", encoding="utf-8")
    return load_case(str(folder))


def deviations(case: Case, name: str) -> dict[str, float]:
    """Return the largest deviations of a run from its golden file, 12 ms around events left out."""
    golden = pd.read_csv(GOLDEN / f"converters_{name}.csv.gz")
    kind, what = name.split("_", 1)
    step_s = 1 / 480 if "fault" in name else 1 / 120  # powers return within 20 ms: finer points to compare
    run = simulate(case, [EVENTS[what]], until_s=float(golden.t.max()), step_s=step_s, units=units(kind))
    golden = golden[np.all([np.abs(golden.t - at_s) > 0.012 for at_s, _ in run.log], axis=0)]

    def worst(ours: "pd.Series[float]", theirs: "pd.Series[float]") -> float:
        return float(np.nanmax(np.abs(np.interp(golden.t, run.t_s, ours) - theirs)))

    speeds = [c for c in golden if c.startswith("speed_") and run.speed_pu[c[6:]].notna().all()]
    return {
        "coi_mhz": 1e3 * worst(run.f_coi_hz, golden.f_coi_hz),
        "speed_mhz": max(60e3 * worst(run.speed_pu[c[6:]], golden[c]) for c in speeds),
        "vm_pu": max(worst(run.vm_pu[f"bus_{b}"], golden[f"vm_bus_{b}"]) for b in (1, 4, 7, 9)),
        "power_pu": max(worst(run.p_mw["gen_4"], golden.p_mw), worst(run.q_mvar["gen_4"], golden.q_mvar))
        / SN_MVA,
    }


def test_every_golden_run_of_a_converter_is_compared() -> None:
    assert len(RUNS) == 5


@pytest.mark.parametrize("name", RUNS)
def test_a_converter_follows_andes(case: Case, name: str) -> None:
    bar = FAULT if "fault" in name else OTHER_FORM if "forming" in name else SMOOTH
    found = deviations(case, name)
    assert {key: value for key, value in found.items() if value > bar.get(key, np.inf)} == {}

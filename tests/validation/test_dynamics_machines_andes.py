"""Machines, governors, exciters and stabilisers follow ANDES 2.0.0 (golden/make_machines.py)."""

import copy
import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grids.case import Case, load_case
from grids.dynamics import BusFault, GeneratorTrip, LoadStep, simulate
from grids.dynamics.events import Event

GOLDEN = Path(__file__).parent / "golden"

EVENTS: dict[str, list[Event]] = {
    "load_step": [LoadStep(bus=7, p_mw=136.7, at_s=1.0)],
    "gen_trip": [GeneratorTrip(bus=2, at_s=1.0)],
    "bus_fault": [BusFault(bus=8, at_s=1.0, clear_after_s=0.1)],
}
SMOOTH = {"coi_mhz": 0.1, "speed_mhz": 0.5, "vm_pu": 5e-4, "vf_pu": 5e-3, "tm_pu": 1e-4}
"""Both methods are converged here; the field voltage is the bar of the voltage times a gain of ten."""
FAULT = {"coi_mhz": 2.0, "speed_mhz": 3.0, "vm_pu": 1e-2, "vf_pu": 1e-1, "tm_pu": 2e-3}
"""ANDES integrates across the instants of the fault with first order."""


def case() -> Case:
    """Return kundur's network with the units of `machines.json`."""
    kundur = load_case("kundur")
    net = copy.deepcopy(kundur.net)
    for model, rows in json.loads((GOLDEN / "machines.json").read_text()).items():
        net[model] = pd.DataFrame(rows)
    return dataclasses.replace(kundur, net=net, folder=None)


def deviations(name: str) -> dict[str, float]:
    """Return the largest deviations of a run from its golden file, 12 ms around events left out."""
    golden = pd.read_csv(GOLDEN / f"machines_{name}.csv.gz")
    run = simulate(case(), EVENTS[name], until_s=float(golden.t.max()), step_s=1 / 240)
    quiet = np.all([np.abs(golden.t - at_s) > 0.012 for at_s, _ in run.log], axis=0)
    golden = golden[quiet]
    own = {"vf": run.signal("vf"), "tm": run.signal("tm") / 9.0, "speed": run.speed_pu, "vm": run.vm_pu}

    def worst(kind: str) -> float:
        found = []
        for column in map(str, golden.columns):
            if not column.startswith(f"{kind}_") or (name == "gen_trip" and column.endswith("gen_2")):
                continue
            ours = own[kind][column.removeprefix(f"{kind}_")]
            found.append(np.abs(np.interp(golden.t, run.t_s, ours) - golden[column]).max())
        assert len(found) >= 3
        return float(max(found))

    coi = np.abs(np.interp(golden.t, run.t_s, run.f_coi_hz) - golden.f_coi_hz).max()
    return {
        "coi_mhz": 1e3 * float(coi),
        "speed_mhz": 60e3 * worst("speed"),
        "vm_pu": worst("vm"),
        "vf_pu": worst("vf"),
        "tm_pu": worst("tm"),
    }


@pytest.mark.parametrize("name", EVENTS)
def test_eight_models_follow_andes(name: str) -> None:
    bar = FAULT if "fault" in name else SMOOTH
    found = deviations(name)
    assert {key: value for key, value in found.items() if value > bar[key]} == {}

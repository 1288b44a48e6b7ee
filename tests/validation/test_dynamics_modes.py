"""Eigenvalues against ANDES 2.0.0 (`EIG.run()` after `PFlow.run()`, printed to six digits).

Stabilisers are left out, or their second-order filters are in use: where these pass through (A1 = A2 = 0), as
shipped, ANDES's own elimination of such states is ill-conditioned (it warns, and its modes move by 0.4 % in
`ieee39_andes`; in `ieee39` and `k2a`, rebuilt by golden/topsdata.py, they are those without stabilisers).
"""

import copy
import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from grids.case import Case, load_case
from grids.dynamics import begin
from grids.dynamics.linear import linearise
from grids.dynamics.tables import read_units

KUNDUR = [-0.139534 + 4.064576j, -0.604719 + 6.960471j, -0.637573 + 7.171634j]
IEEE39 = [
    -0.768648 + 4.009977j, -1.124912 + 6.045903j, -1.47699 + 6.99945j, -1.259694 + 7.753059j,
    -1.346345 + 8.611042j, -1.526466 + 9.355299j, -1.777419 + 9.890778j, -1.786914 + 10.265048j,
    -2.444356 + 10.602173j,
]  # fmt: skip
IEEE39_FILTERED = [
    -0.777081 + 4.036121j, -1.120208 + 6.09798j, -1.469345 + 7.033629j, -1.240363 + 7.781659j,
    -1.331791 + 8.63223j, -1.497735 + 9.379258j, -1.742901 + 9.894788j, -1.747649 + 10.320576j,
    -2.418834 + 10.615531j,
]  # fmt: skip
K2A = [-0.699665 + 3.466341j, -0.780395 + 6.525742j, -0.784363 + 6.745955j]
K2A_FILTERED = [-0.777644 + 4.00123j, -0.75521 + 6.91579j, -0.743346 + 7.158973j]
POWERFACTORY = [
    -0.459132 + 0.497834j, -0.506709 + 3.933407j, -0.528052 + 6.360301j, -0.480314 + 6.8494j,
    -0.496417 + 7.375881j, -0.632114 + 7.767937j, -0.537722 + 7.772643j, -0.767375 + 9.207850j,
    -0.709432 + 9.238256j, -0.821821 + 9.482875j,
]  # fmt: skip
POWERFACTORY_FILTERED = [
    -0.611707 + 4.732189j, -0.403678 + 7.086418j, -0.388891 + 7.336354j, -0.464801 + 7.591896j,
    -0.387075 + 8.250853j, -0.446991 + 8.320448j, -0.450302 + 9.723112j, -0.390114 + 9.776151j,
    -0.397932 + 10.045614j,
]  # fmt: skip
FILTERS = {
    "a1_s": 0.05, "a2_s": 0.0006, "a3_s": 0.05, "a4_s": 0.0006, "a5_s": 0.01, "a6_s": 0.0001,
    "t1_s": 0.2, "t2_s": 0.02, "t3_s": 0.1,
}  # fmt: skip
ONLY_FILTERS = {name: value for name, value in FILTERS.items() if name.startswith("a")}


def changed(name: str, stabilisers: dict[str, float] | None) -> Case:
    """Return a case without its stabilisers, or with other values in them."""
    case = load_case(name)
    net = copy.deepcopy(case.net)
    units = read_units(case)
    for model in {unit.model for unit in units} - ({"ieeest"} if stabilisers is None else set()):
        rows = [{"name": u.element, **u.params.model_dump()} for u in units if u.model == model]
        net[model] = pd.DataFrame(rows)
        if model == "ieeest":
            net[model] = net[model].assign(**stabilisers)
    return dataclasses.replace(case, net=net, folder=None)


@pytest.mark.parametrize(
    ("case", "andes"),
    [
        (load_case("kundur"), KUNDUR),
        (changed("ieee39_andes", None), IEEE39),
        (changed("ieee39_andes", FILTERS), IEEE39_FILTERED),
        (changed("k2a", None), K2A),
        (changed("k2a", ONLY_FILTERS), K2A_FILTERED),
        (changed("ieee39", None), POWERFACTORY),
        (changed("ieee39", ONLY_FILTERS), POWERFACTORY_FILTERED),
    ],
    ids=lambda value: value.name if isinstance(value, Case) else "",
)
def test_electromechanical_modes_are_those_of_andes(case: Case, andes: list[complex]) -> None:
    found = linearise(begin(case)).electromechanical().eigenvalue_per_s
    assert found.size == len(andes)
    assert np.abs(found / np.array(andes) - 1.0).max() < 1e-5


def forced(case: Case, load: str, f_hz: float, machine: str, amplitude_mw: float) -> complex:
    """Return speed over power [pu/MW] of a machine under a sinusoidal load, after half a minute."""
    session = begin(case, step_s=1 / 60)
    base = {e.name: -e.s_pu * session.system.point.model.base_mva for e in session.system.point.elements}[
        load
    ]
    omega, hold_s = 2 * math.pi * f_hz, 1 / 60
    t_s, speed = [], []
    for step in range(round(40.0 / hold_s)):
        wave_mw = amplitude_mw * math.sin(omega * (step + 0.5) * hold_s)
        session.advance((step + 1) * hold_s, {load: base + wave_mw})
        if step * hold_s > 30.0:
            t_s.append(session.t_s)
            speed.append(session.signal(machine, "speed"))
    wave = np.column_stack([np.sin(omega * np.array(t_s)), np.cos(omega * np.array(t_s)), np.ones(len(t_s))])
    sine, cosine, _ = np.linalg.lstsq(wave, np.array(speed), rcond=None)[0]
    return complex(sine, cosine) / amplitude_mw


def response(case: Case, load: str, f_hz: np.ndarray, machine: str) -> np.ndarray:
    """Return the same from the linearised system: (j omega - A)^-1 b."""
    session = begin(case)
    modes = linearise(session)
    names = [session.system.state_name(i) for i in range(session.system.x.size)]
    keep = [names.index(name) for name in modes.states]
    ends = []
    for sign in (1.0, -1.0):
        session.change_load(load, sign)
        ends.append(session.derivatives[keep])
        session.change_load(load, -sign)
    b = (ends[0] - ends[1]) / 2.0
    row = modes.states.index(f"{machine} (genrou) omega")
    size = np.eye(len(keep))
    return np.array([np.linalg.solve(2j * np.pi * f * size - modes.matrix, b)[row] for f in f_hz])


def test_a_forced_oscillation_is_that_of_the_linearised_system_and_peaks_at_its_mode() -> None:
    case, mode = load_case("kundur"), KUNDUR[0]  # 0.65 Hz between the areas, damped by 3.4 %
    mode_hz = mode.imag / (2 * math.pi)
    scan_hz = np.linspace(0.4, 1.0, 241)
    scan = np.abs(response(case, "load_7", scan_hz, "gen_3"))
    assert scan_hz[scan.argmax()] == pytest.approx(mode_hz, rel=0.02)
    tried_hz = np.array([0.5, mode_hz, 0.85])
    simulated = np.array([forced(case, "load_7", f, "gen_3", 2.0) for f in tried_hz])
    expected = response(case, "load_7", tried_hz, "gen_3")
    assert np.abs(simulated / expected - 1.0).max() < 0.03
    assert np.abs(simulated).argmax() == 1

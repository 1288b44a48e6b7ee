"""Chart of docs/models/storage.md: `python docs/plots storage` writes it."""  # noqa: INP001

import numpy as np
from chart import Curve, chart
from scipy.integrate import solve_ivp

from datacenters.supercapacitor import Supercapacitor, SupercapacitorParams

FARAD, OHM, V_MAX_KV, V_MIN_KV = 200.0, 0.005, 1.0, 0.5
STEP_S = 5.0
LOADS_MW = (0.5, 1.0, 2.0)


def stepped(power_mw: float) -> list[float]:
    """Return the voltage at the terminals after each step [kV], until the bank gives less than asked."""
    bank = Supercapacitor(
        [
            SupercapacitorParams(
                p_rated_mw=2.0, capacitance_farad=FARAD, esr_ohm=OHM, v_max_kv=V_MAX_KV,
                v_min_kv=V_MIN_KV, eta_converter_pu=1.0, standby_pu=0.0,
            )
        ]
    )  # fmt: skip
    inputs = {port.name: np.array([port.default]) for port in bank.inputs}
    inputs["p_order_mw"] = np.array([-power_mw])
    found: list[float] = []
    while True:
        out = bank.step(STEP_S * len(found), STEP_S, inputs)
        if abs(out["p_unmet_mw"][0]) > 1e-9:
            return found
        found.append(float(out["v_terminal_kv"][0]))


def integrated(power_mw: float, t_s: np.ndarray) -> np.ndarray:
    """Return the voltage at the terminals [kV] by SciPy: C du/dt = i, u i + R i² = -P, v = u + R i."""

    def current_ka(u: np.ndarray) -> np.ndarray:
        return (np.sqrt(u * u - 4.0 * OHM * power_mw) - u) / (2.0 * OHM)

    def slope(_: float, u: np.ndarray) -> np.ndarray:
        return current_ka(u) / FARAD

    found = solve_ivp(slope, (0.0, t_s[-1]), [V_MAX_KV], t_eval=t_s, rtol=1e-10, atol=1e-12).y[0]
    return np.asarray(found + OHM * current_ka(found))


def discharge_chart() -> str:
    """Voltage of a bank that gives constant power, with SciPy's integral and the energy law without R."""
    curves = []
    for colour, power_mw in enumerate(LOADS_MW):
        stepped_kv = stepped(power_mw)
        t_s = STEP_S * np.arange(len(stepped_kv) + 1)
        ideal_kv = np.sqrt(V_MAX_KV**2 - 2.0 * power_mw * t_s / FARAD)
        curves.append(Curve(f"{power_mw:g} MW, SciPy", t_s, integrated(power_mw, t_s), colour))
        curves.append(Curve("", t_s[1:], stepped_kv, colour, "dots"))
        curves.append(Curve("", t_s, ideal_kv, colour, "dashes"))
    curves.append(Curve("model, steps of 5 s", [], [], 5, "dots"))
    curves.append(Curve("C u²/2 without R", [], [], 5, "dashes"))
    return chart("time [s]", "voltage at the terminals [kV]", curves)


CHARTS = {"storage_supercapacitor.svg": discharge_chart}

"""Chart of docs/models/hydrogen.md: `python docs/plots hydrogen` writes it."""  # noqa: INP001

import numpy as np
from chart import Curve, chart

from datacenters.hydrogen import Electrolyser, FuelCell, Hydrogen, HydrogenParams
from datacenters.hydrogen_tank import LHV_MJ_PER_KG, Tank

KWH_PER_KG = (50.0, 78.0)
"""Electrolysers with proton exchange membranes today: Chem. Soc. Rev. 51 (2022) 4583, table 4."""


def efficiency_pu(load_pu: float, technology: str | None) -> float:
    """Return what comes out over what goes in, at the terminals; without a technology of a fuel cell."""
    tank = Tank(volume_m3=1000.0)
    if technology is None:
        params = HydrogenParams(tank=tank, fuel_cell=FuelCell(p_rated_mw=1.0))
    else:
        stack = Electrolyser(technology=technology, p_rated_mw=1.0)
        params = HydrogenParams(tank=tank, electrolyser=stack)
    plant = Hydrogen([params])
    order_mw = load_pu if technology else -load_pu
    levels = {port.name: port.default for port in plant.inputs} | {"p_order_mw": order_mw}
    out = plant.step(0.0, 60.0, {name: np.array([value]) for name, value in levels.items()})
    if technology is None:
        return float(-out["p_mw"][0] / out["p_h2_used_mw"][0])
    return float(out["p_h2_made_mw"][0] / out["p_mw"][0])


def efficiency_chart() -> str:
    """Efficiency over load, with auxiliaries, and the published range of electrolysers."""
    curves = []
    for colour, (label, technology, least_pu, style) in enumerate(
        (
            ("electrolyser, pem", "pem", 0.05, "line"),
            ("the same, alkaline", "alkaline", 0.15, "dots"),
            ("fuel cell", None, 0.1, "line"),
        )
    ):
        loads = np.geomspace(least_pu, 1.0, 16)
        etas = [efficiency_pu(float(load), technology) for load in loads]
        curves.append(Curve(label, loads, etas, colour, style))
    for label, kwh_per_kg in zip(("pem, published", ""), KWH_PER_KG, strict=True):
        eta = LHV_MJ_PER_KG / 3.6 / kwh_per_kg
        curves.append(Curve(label, [0.0, 1.0], [eta, eta], 5, "dashes"))
    return chart("load [pu]", "efficiency, lower heating value [pu]", curves)


CHARTS = {"hydrogen_efficiency.svg": efficiency_chart}

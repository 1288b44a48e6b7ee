"""Chart of docs/models/hall.md: `python docs/plots hall` writes it."""  # noqa: INP001

from chart import Curve, chart
from test_hall_thermal import NO_DAY, air_rack, calm

from datacenters.hall import GpuHall, GpuHallParams

SHUTDOWN_DEGC, SHOWN_S = 40.0, 5
RACKS = ((5.0, 189.0, "189 s"), (10.0, 60.0, "under 60 s"))
"""Power [kW], time to shutdown [s] and how it is published."""


def inlets(rack_kw: float, until_s: int) -> list[float]:
    """Return inlet air each second [°C] from when pumps and room fans stop and racks run on."""
    cooling = {"air": {"temp_supply_degc": 22.0, "tau_supply_s": 5.0}, **NO_DAY}
    hall = GpuHall([GpuHallParams(rack=air_rack(rack_kw), racks_count=100.0, cooling=cooling)])
    settled = hall.step(0.0, 1.0, calm(hall, work_gpu=100.0))
    lost = calm(hall, work_gpu=100.0, movers_pu=0.0)
    steps = [settled, *(hall.step(float(t), 1.0, lost) for t in range(1, until_s + 1))]
    return [float(out["temp_inlet_degc"][0]) for out in steps]


def cooling_loss_chart() -> str:
    """Inlet air after the cooling of air racks is lost, with the published times to shutdown."""
    curves = []
    for colour, (rack_kw, published_s, published) in enumerate(RACKS):
        until_s = round(published_s) + 50
        degc = inlets(rack_kw, until_s)
        shown = range(0, until_s, SHOWN_S)
        curves.append(Curve(f"{rack_kw:g} kW a rack", shown, [degc[t_s] for t_s in shown], colour))
        curves.append(Curve(f"published, {published}", [published_s], [SHUTDOWN_DEGC], colour, "dots"))
    curves.append(Curve("40 °C (assumed)", [0.0, 240.0], [SHUTDOWN_DEGC, SHUTDOWN_DEGC], 5, "dashes"))
    return chart("time after pumps and fans stop [s]", "inlet air [°C]", curves)


CHARTS = {"hall_cooling_loss.svg": cooling_loss_chart}

"""Whether a hall's cooling carries it when it is full on its design day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from datacenters.hall_model import HallModel
from datacenters.kernels import hall_rows as rows

if TYPE_CHECKING:
    from datacenters.hall import GpuHallParams


def overloads(params: Sequence[GpuHallParams], names: Sequence[str]) -> list[str]:
    """Return the halls that pass a limit on their design day, with the numbers.

    All accelerators are busy, all of the plant is in service, and the hall is in equilibrium: coolant and
    inlet air must stay below their alarms, dies below their throttle temperature.
    """
    found = []
    for one, name in zip(params, names, strict=True):
        outdoor_degc = one.cooling.design_outdoor_degc
        if outdoor_degc is None:
            continue
        model = HallModel([one.model_copy(update={"rack_groups_count": 1})])
        day = model.inputs[0]
        day[[rows.CAP_PU, rows.COOLING_PU, rows.VM_PU, rows.MOVERS_PU]] = 1.0
        day[rows.WORK_GPU] = one.size().gpus_count
        day[rows.TEMP_OUTDOOR_DEGC] = outdoor_degc
        day[rows.TEMP_WETBULB_DEGC] = min(one.cooling.design_wetbulb_degc, outdoor_degc)
        model.settle()
        limits, nodes = one.cooling.limits, model.nodes[0]
        values = [
            ("inlet air", nodes[rows.T_INLET], limits.inlet_alarm_degc, "cooling.limits.inlet_alarm_degc")
        ]
        if one.the_rack().cooling == "liquid":
            coolant = (
                "coolant",
                nodes[rows.T_SUPPLY],
                limits.coolant_alarm_degc,
                "cooling.limits.coolant_alarm_degc",
            )
            values.append(coolant)
        die_degc = float(model.block(0)[rows.DIE_DEGC].max())
        values.append(("dies", die_degc, one.the_rack().temp_throttle_degc, "the rack's temp_throttle_degc"))
        over = [
            f"{what} at {t:.1f} °C, allowed {most:g} ({key})" for what, t, most, key in values if t > most
        ]
        if over:
            found.append(
                f"{name}: its cooling does not carry a full hall of {one.size().it_rated_mw:g} MW at "
                f"cooling.design_outdoor_degc={outdoor_degc:g}: {', '.join(over)}"
            )
    return found

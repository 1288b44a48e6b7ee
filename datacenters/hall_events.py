"""What a hall tells of itself: throttling, alarms, racks that switch off and on."""

from collections.abc import Sequence

import numpy as np

from cosim.core.component import Emit
from cosim.core.types import Floats
from datacenters.kernels import hall_rows as rows


class Teller:
    """Tells when clocks fall and rise, racks switch off and are back, and limits are passed."""

    def __init__(self, params: Floats, names: Sequence[str], emit: Emit) -> None:
        self._params, self._names, self._emit = params, names, emit
        self._codes = np.zeros(len(names))
        self._on_pu = np.ones(len(names))

    def tell(self, t_s: float, outputs: Floats, vm_pu: Floats) -> None:
        """Emit what has changed with the step that ends at `t_s`; `vm_pu` (halls,) is behind the supply."""
        codes, on_pu = outputs[rows.ALARMS_CODE], outputs[rows.OUT_ON_PU]
        if (codes == self._codes).all() and (on_pu >= self._on_pu).all():
            self._on_pu = on_pu
            return
        for i in np.flatnonzero((codes != self._codes) | (on_pu < self._on_pu)):
            self._tell_of(int(i), t_s, outputs[:, i], dark=bool(vm_pu[i] == 0.0))
        self._codes, self._on_pu = codes, on_pu

    def _tell_of(self, i: int, t_s: float, now: Floats, *, dark: bool) -> None:
        limits, before = self._params[i], int(self._codes[i])
        lost = self._on_pu[i] - now[rows.OUT_ON_PU]
        throttle = (
            f"dies at {now[rows.OUT_DIE_MAX]:.1f} °C, clocks fall above {limits[rows.T_THROTTLE]:g} °C"
            " or to meet the cap"
        )
        inlet = f"inlet air at {now[rows.OUT_INLET]:.1f} °C, allowed {limits[rows.T_INLET_ALARM]:g} °C"
        coolant = f"coolant at {now[rows.OUT_SUPPLY]:.1f} °C, allowed {limits[rows.T_COOLANT_ALARM]:g} °C"
        texts = {
            rows.THROTTLED: ("throttle", throttle),
            rows.INLET_HIGH: ("inlet_alarm", inlet),
            rows.COOLANT_HIGH: ("coolant_alarm", coolant),
        }
        for bit, (kind, text) in texts.items():
            was, is_now = before & int(bit), int(now[rows.ALARMS_CODE]) & int(bit)
            if was != is_now:
                self._emit(t_s, self._names[i], kind if is_now else f"{kind}_end", text)
        if lost > 0.0:
            gpus = lost * limits[rows.GPUS]
            why = (
                f"dies at {now[rows.OUT_DIE_MAX]:.1f} °C (limit {limits[rows.T_TRIP]:g}), inlet air at"
                f" {now[rows.OUT_INLET]:.1f} °C (limit {limits[rows.T_INLET_TRIP]:g})"
            )
            if dark:
                why = "they have no supply"
            text = f"{100.0 * lost:.3g} % of racks switch off and lose the work of {gpus:.0f} accelerators"
            self._emit(t_s, self._names[i], "racks_off", f"{text}: {why}")
        if now[rows.OUT_ON_PU] == 1.0 and self._on_pu[i] < 1.0:
            self._emit(t_s, self._names[i], "racks_on", "all racks are on again")

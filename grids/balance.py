"""What moves the balance of an area beside plan and units: fixed elements, loads that follow voltage."""

import numpy as np

from cosim.core.types import Floats, Ints
from grids.network_state import NetworkState


class Balance:
    """Change of consumption per area of what the plan does not hold.

    Elements of other kinds than load, sgen and gen (wards, storages, motors) have a fixed power that
    changes only when they lose or regain supply. Loads with constant-current and constant-impedance
    shares draw what the voltages of the last exchange let them, counted from the first exchange: what
    they draw there belongs to the plan.

    Parameters
    ----------
    state
        The network.
    row_area
        Area of each row of `net.bus`.
    areas
        Number of areas.
    """

    def __init__(self, state: NetworkState, row_area: Ints, areas: int) -> None:
        self._state = state
        self._row_area = row_area
        self._areas = areas
        self._follows_voltage = state.elements.shares is not None
        self.reset()

    def reset(self) -> None:
        """Take the operating point, before it is solved, as what nothing has changed from."""
        self._fixed_mw = np.zeros(self._areas)
        self.attach()
        self._fixed_mw = self._gone_mw * -1.0
        self.attach()
        nothing = np.zeros(self._areas)
        self._operating = self._planned = self._now = nothing
        self._exchanges = -1

    def attach(self) -> None:
        """Take a topology."""
        model = self._state.model
        live = np.flatnonzero(model.row_bus >= 0)
        self._bus_area = np.zeros(model.size, dtype=np.int64)
        self._bus_area[model.row_bus[live]] = self._row_area[live]
        self._gone_mw = self._fixed_mw - self._by_area(model.fixed_mva.real)

    def _by_area(self, bus_mw: Floats) -> Floats:
        total = np.bincount(self._bus_area, bus_mw, minlength=self._areas)
        return np.asarray(total, dtype=np.float64)

    def beyond_mw(self) -> Floats:
        """Return consumption (areas,) beyond the operating point [MW], as far as it is known."""
        return self._gone_mw + self._seen() if self._follows_voltage else self._gone_mw

    def _seen(self) -> Floats:
        """Return what loads draw more than at the first exchange because of voltage, one exchange late."""
        return self._now - self._planned

    def solved(self) -> float:
        """Take the voltages just solved; returns the consumption [MW] nobody but the slack could meet.

        It is the part of the loads' change with voltage since the operating point that the imbalance of
        this exchange did not hold yet.
        """
        state = self._state
        if not self._follows_voltage or state.last is None:
            return 0.0
        demand, model = state.last[0], state.model
        told = self._seen()
        drawn = demand.power(model, state.flow.vm_pu).real
        self._now = self._by_area(drawn - demand.p_mw + model.fixed_mva.real)
        self._exchanges += 1
        if self._exchanges == 0:
            self._operating = self._planned = self._now
        elif self._exchanges == 1:
            self._planned = self._now
        return float((self._now - self._operating - told).sum())

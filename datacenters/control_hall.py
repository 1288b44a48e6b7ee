"""The cap that brings the meter of a hall to a target."""

import math
from dataclasses import dataclass

import numpy as np

from datacenters.ramps import lagged

CORRECTS_S = 2.0
"""Time constant of the correction."""
EXPONENT_PU = 2.5
"""Dynamic power goes with the clock to this, as halls have it by default (unconfirmed)."""
ALL_BUSY_PU = 0.98


@dataclass
class Cap:
    r"""Where a cap must be for IT power to fall by D: the power law of a hall, solved for the cap.

    A cap c bounds the clock f of each accelerator, :math:`c = i + (1 - i) f^a`. While accelerators are idle,
    work of share u goes on at the slower clock on more of them; then all are busy and work is lost:

    .. math:: D = (P_{rated} - P_{idle}) \begin{cases} u\,(1 - f^{a-1}) & f \ge u \\ u - f^a & f < u
       \end{cases}, \qquad D = P_{it,0} - P_{it}^* + o, \qquad T \dot o = P_{it} - P_{it}'

    with :math:`P_{it}^*` the target at the meter less what that was last seen to show beside IT power,
    :math:`P_{it}'` that target behind the lag of IT power, so that what is on its way is no gap, and an
    offset o that takes what is left of a gap, as work may be bound by memory or draw less than a full load.
    """

    rated_mw: float
    tau_s: float = 0.2
    """Lag of IT power behind its cap."""
    it_mw: float = 0.0
    """IT power without a cap."""
    busy_pu: float = 1.0
    idle_pu: float = 0.0
    offset_mw: float = 0.0
    _all_gpu: float = 1.0
    _due_mw: float = math.nan
    """What IT power was to show in the exchange before, as its lag is."""
    _due_end_mw: float = 0.0
    _at_pu: float = 1.0

    def start(self, it_mw: float, work_gpu: float, capacity_gpu: float) -> None:
        """Let go, and note what the hall does without a cap: IT power, and its work of what it can do."""
        self._all_gpu = max(capacity_gpu, 1.0)
        self.it_mw, self.busy_pu = it_mw, min(max(work_gpu / self._all_gpu, 0.0), 1.0)
        idle_pu = 0.0
        if self.busy_pu < ALL_BUSY_PU:
            idle_pu = (it_mw / self.rated_mw - self.busy_pu) / (1.0 - self.busy_pu)
        self.idle_pu = min(max(idle_pu, 0.0), 0.9)
        self.offset_mw, self._due_mw, self._due_end_mw = 0.0, math.nan, it_mw

    def see(self, work_gpu: float, capacity_gpu: float) -> None:
        """Note how much is busy under the cap; where all are, at least as much as was."""
        busy_pu = work_gpu / self._all_gpu
        if work_gpu > ALL_BUSY_PU * capacity_gpu:
            busy_pu = max(busy_pu, self.busy_pu)
        self.it_mw += (1.0 - self.idle_pu) * self.rated_mw * (busy_pu - self.busy_pu)
        self.busy_pu = busy_pu

    def cap_pu(self, less_mw: float) -> float:
        """Return the cap, of rated IT power, that lowers IT power by so much."""
        span_mw, u = (1.0 - self.idle_pu) * self.rated_mw, self.busy_pu
        less_pu = less_mw / span_mw
        slows = max(1.0 - less_pu / u, 0.0) ** (1.0 / (EXPONENT_PU - 1.0)) if u > 0.0 else 0.0
        power_pu = slows**EXPONENT_PU if slows >= u else max(u - less_pu, 0.0)
        return self.idle_pu + (1.0 - self.idle_pu) * min(power_pu, 1.0)

    def aim(self, target_mw: float, p_mw: float, it_mw: float, dt_s: float) -> float:
        """Return the cap for an exchange; meter and IT power are those of the one before [MW]."""
        if not math.isnan(self._due_mw):
            gap_mw = it_mw - self._due_mw
            if not (self._at_pu <= self.idle_pu and gap_mw > 0.0):  # there is nothing left to lower
                self.offset_mw += -math.expm1(-dt_s / CORRECTS_S) * gap_mw
        target_it_mw = target_mw - (p_mw - it_mw)
        end, mean = lagged(np.array(self._due_end_mw), np.array(target_it_mw), np.array(self.tau_s), dt_s)
        self._due_end_mw, self._due_mw = float(end), float(mean)
        wanted_mw = self.it_mw - target_it_mw
        self.offset_mw = min(max(self.offset_mw, -0.5 * abs(wanted_mw)), self.rated_mw)
        self._at_pu = self.cap_pu(max(wanted_mw + self.offset_mw, 0.0))
        return self._at_pu

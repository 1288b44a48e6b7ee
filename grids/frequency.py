"""Area frequency: one centre-of-inertia swing equation per synchronous area, on the inner clock."""

import math
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from cosim.core.errors import ScenarioError, SolveError
from cosim.core.params import Params
from cosim.core.types import Bools, Floats
from grids.fleet import GOVERNORS, AreaTable, Fleet, Offers
from grids.frequency_arrays import area_arrays, connect, droop_arrays, machine_arrays
from grids.kernels import frequency_state as state
from grids.kernels.frequency import advance
from grids.kernels.frequency_state import Agc, Model, Span

_STIFF_PU = 0.25
"""Largest gain of the droop offers over one inner step; a larger one shortens the step."""

_ANSWERS = (state.P_MW, state.AGC_MW)


class AgcParams(Params):
    """Automatic generation control of one area: sampled PI on frequency."""

    cycle_s: float = Field(default=4.0, gt=0, description="time between two orders")
    gain_pu: float = Field(default=0.1, ge=0, description="proportional part of the area control error")
    t_integral_s: float = Field(default=60.0, gt=0, description="integral time")
    deadband_hz: float = Field(default=0.005, ge=0, description="deviation below which orders stay")
    ahead_s: float = Field(default=12.0, gt=0, description="ramping the integral may be ahead of delivery")


@dataclass(frozen=True)
class FrequencyStep:
    """What happened in one exchange. All arrays are fresh; MW at the end of the interval unless said."""

    f_hz: Floats
    """(areas,) frequency at the end."""
    f_min_hz: Floats
    """(areas,) nadir within the exchange, both ends included."""
    f_max_hz: Floats
    """(areas,) zenith within the exchange, both ends included."""
    rocof_hz_per_s: Floats
    """(areas,) largest rate of change over a sliding 500 ms window, signed."""
    p_governor_mw: Floats
    """(machines,) primary response, > 0 generates more."""
    p_agc_mw: Floats
    """(machines,) secondary response, > 0 generates more."""
    p_inertia_mw: Floats
    """(machines,) power from kinetic energy, > 0 while the machine slows down."""
    p_damping_mw: Floats
    """(areas,) load that is missing because frequency is low, > 0 below nominal."""
    p_droop_mw: Floats
    """(offers,) change of consumption, < 0 when frequency is low."""
    p_droop_mean_mw: Floats
    """(offers,) the same, mean over the exchange."""


class AreaFrequency:
    """Frequency of every synchronous area and the power that answers its deviation.

    At the end of every interval, per area and to float precision::

        sum(p_governor + p_agc + p_inertia) + p_damping - sum(p_droop) = imbalance
    """

    def __init__(
        self,
        fleet: Fleet,
        areas: AreaTable,
        offers: Offers,
        inner_step_s: float = 0.02,
        agc: AgcParams | None = None,
        *,
        calm_step_s: float = 0.1,
    ) -> None:
        """Take arrays as in `grids.fleet`; `inner_step_s` is the longest step of the inner clock.

        While frequency is calm, inner steps are taken together up to `calm_step_s`; 0: never.

        Raises
        ------
        ScenarioError
            When `inner_step_s` is not positive.
        """
        if not 0.0 < inner_step_s <= 1.0:
            msg = f"inner_step_s={inner_step_s:g}: allowed is above 0 and up to 1 s"
            raise ScenarioError(msg)
        self.fleet, self.areas, self.offers = fleet, areas, offers
        self.inner_step_s, self._calm_step_s = inner_step_s, calm_step_s
        settings = agc if agc is not None else AgcParams()
        self._agc = Agc(
            settings.cycle_s, settings.gain_pu, settings.t_integral_s, settings.deadband_hz, settings.ahead_s
        )
        governed = (fleet.governor_code != GOVERNORS.index("none")) & (fleet.responding_pu > 0.0)
        answers = governed | (fleet.agc_share_pu > 0.0)
        rows = range(areas.size)
        self._machines = [np.flatnonzero(answers & (fleet.area == area)) for area in rows]
        self._offers = [np.flatnonzero(offers.area == area) for area in rows]
        self._inertia = 2.0 * fleet.h_s * fleet.sn_mva / areas.f_nominal_hz[fleet.area]
        self.reset()

    def reset(self) -> None:
        """Return to nominal frequency, everybody online as in the fleet, nothing answering."""
        self.online: Bools = self.fleet.online.copy()
        self.p_schedule_mw: Floats = self.fleet.p0_mw.copy()
        self.damping_mw_per_hz: Floats = self.areas.damping_mw_per_hz
        self._models: list[Model] = []
        for area, (machines, offers) in enumerate(zip(self._machines, self._offers, strict=True)):
            arrays = area_arrays(self.areas, area, max(machines.size, offers.size))
            answering = machine_arrays(self.fleet, machines)
            self._models.append(Model(answering, arrays, droop_arrays(self.offers, offers), self._agc))
        self._started = False
        self._connect()

    def step(  # noqa: PLR0917 - the agreed order, units in every name
        self,
        t_s: float,
        dt_s: float,
        imbalance_mw: Floats,
        offers_mw_per_hz: Floats,
        offers_up_mw: Floats,
        offers_down_mw: Floats,
    ) -> FrequencyStep:
        """Advance from t_s to t_s + dt_s; `imbalance_mw` (areas,) > 0 is a deficit, held over the step.

        It is everything but the answer: change of load and of unscheduled generation against the
        schedule, a tripped machine's scheduled output included. Offers are (offers,), all >= 0: droop,
        and how much consumption may rise and fall.

        Raises
        ------
        SolveError
            When an area has no rotating machine left, or the imbalance is not finite.
        """
        self._check(t_s, imbalance_mw)
        for area, (model, chosen) in enumerate(zip(self._models, self._offers, strict=True)):
            offered = model.droops.fixed
            offered[state.D_MW_PER_HZ] = offers_mw_per_hz[chosen]
            offered[state.D_UP_MW], offered[state.D_DOWN_MW] = offers_up_mw[chosen], offers_down_mw[chosen]
            if not self._started:
                model.area.agc_next_s[0] = t_s + self._agc.cycle_s
                model.area.sample_s[0] = t_s - 1.0  # the past is flat
            stable_s = _stable_step_s(model)
            steps = max(1, math.ceil(dt_s / min(self.inner_step_s, stable_s) - 1e-9))
            step_s = float(dt_s) / steps
            long_steps = max(1, int(min(self._calm_step_s, stable_s) / step_s + 1e-6))
            advance(model, Span(float(t_s), step_s, steps, long_steps, float(imbalance_mw[area])))
            model.droops.state[state.D_SUM_MW] /= steps
        self._started = True
        return self._result()

    def trip(self, machine: int) -> None:
        """Disconnect a machine: its inertia, governor and AGC response leave at once.

        The caller adds its *scheduled* output to the imbalance; what governor and AGC had added
        leaves with the machine.
        """
        self.online[machine] = False
        self._connect()

    def close(self, machine: int) -> None:
        """Reconnect a machine, synchronised and without response; the caller accounts for its schedule."""
        self.online[machine] = True
        self._connect()

    def set_frequency(self, f_hz: Floats) -> None:
        """Set the frequency (areas,) found by another model; the RoCoF window moves with it."""
        for area, model in enumerate(self._models):
            there = model.area
            step_hz = float(f_hz[area] - self.areas.f_nominal_hz[area] - there.df_hz[0])
            there.df_hz[:] += step_hz
            there.sample_hz[:] += step_hz

    def set_schedule(self, p_mw: Floats) -> None:
        """Set the scheduled output (machines,) [MW]; headroom follows."""
        self.p_schedule_mw = np.array(p_mw, dtype=np.float64)
        self._headroom()

    def set_damping(self, mw_per_hz: Floats) -> None:
        """Set how much load (areas,) goes away per Hz below nominal; it follows the load that is alive."""
        if np.array_equal(mw_per_hz, self.damping_mw_per_hz):
            return
        self.damping_mw_per_hz = np.array(mw_per_hz, dtype=np.float64)
        for area, model in enumerate(self._models):
            moved = model.area._replace(damping_mw_per_hz=float(mw_per_hz[area]))
            self._models[area] = model._replace(area=moved)

    def _connect(self) -> None:
        """Let exactly the machines that are online take part."""
        online = np.where(self.online, self._inertia, 0.0)
        self._inertia_online = online
        self._kinetic = np.bincount(self.fleet.area, online, self.areas.size)
        for area, (model, chosen) in enumerate(zip(self._models, self._machines, strict=True)):
            connect(model.machines, self.fleet, self.areas, chosen, self.online)
            moved = model.area._replace(inertia_mws_per_hz=float(self._kinetic[area]))
            self._models[area] = model._replace(area=moved)
        self._headroom()

    def _headroom(self) -> None:
        up_mw = np.maximum(self.fleet.max_p_mw - self.p_schedule_mw, 0.0)
        down_mw = np.minimum(self.fleet.min_p_mw - self.p_schedule_mw, 0.0)
        for model, chosen in zip(self._models, self._machines, strict=True):
            model.machines.fixed[state.ROOM_UP_MW] = up_mw[chosen]
            model.machines.fixed[state.ROOM_DOWN_MW] = down_mw[chosen]

    def _check(self, t_s: float, imbalance_mw: Floats) -> None:
        for area, name in enumerate(self.areas.name):
            if self._kinetic[area] <= 0.0:
                msg = f"t={t_s:g} s: area {name!r} has no rotating machine left, its frequency is undefined"
                raise SolveError(msg)
            if not math.isfinite(imbalance_mw[area]):
                msg = f"t={t_s:g} s: the imbalance of area {name!r} is {imbalance_mw[area]} MW"
                raise SolveError(msg)

    def _result(self) -> FrequencyStep:
        governor, agc = np.zeros(self.fleet.size), np.zeros(self.fleet.size)
        droop, droop_mean = np.zeros(self.offers.size), np.zeros(self.offers.size)
        found, df_hz = np.empty((4, self.areas.size)), np.empty(self.areas.size)
        parts = zip(self._models, self._machines, self._offers, strict=True)
        for k, (model, machines, offers) in enumerate(parts):
            found[:, k], df_hz[k] = model.area.found, model.area.df_hz[0]
            governor[machines], agc[machines] = (model.machines.state[row] for row in _ANSWERS)
            droop[offers], droop_mean[offers] = model.droops.state
        f0_hz = self.areas.f_nominal_hz
        return FrequencyStep(
            f_hz=f0_hz + df_hz,
            f_min_hz=f0_hz + found[0],
            f_max_hz=f0_hz + found[1],
            rocof_hz_per_s=found[2],
            p_governor_mw=governor,
            p_agc_mw=agc,
            p_inertia_mw=self._inertia_online * -found[3][self.fleet.area],
            p_damping_mw=-self.damping_mw_per_hz * df_hz,
            p_droop_mw=droop,
            p_droop_mean_mw=droop_mean,
        )


def _stable_step_s(model: Model) -> float:
    """Return the longest step [s] that droop offers, strong for the area's inertia, allow."""
    gains = model.droops.fixed[state.D_MW_PER_HZ]
    gain_mw_per_hz = float(gains.sum())
    if gain_mw_per_hz <= 0.0:
        return math.inf
    seconds = model.area.inertia_mws_per_hz / gain_mw_per_hz
    lag_s = float(model.droops.fixed[state.D_TIME_S, gains > 0.0].min())
    return max(_STIFF_PU * seconds, math.sqrt(_STIFF_PU * seconds * lag_s))

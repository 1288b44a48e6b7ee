"""Laws of a controller: what each asks of the power of one resource, and how much it may sell."""

import math
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.params import Params
from datacenters.ramps import ramped

ROUNDING_S = 1e-9


class Triggered(Params):
    """What laws that wait for a signal have in common: less power, after a time, until it is over."""

    p_mw: float = Field(gt=0, description="power given up, at the meter")
    hold_s: float = Field(default=600.0, ge=0, description="shortest time it is given up for (unconfirmed)")
    return_s: float = Field(default=60.0, ge=0, description="ramp back from all of it (unconfirmed)")

    def reserve_mw(self, down_mw: float) -> tuple[float, float]:
        """Return what is kept for the law of a range, down and up."""
        return min(self.p_mw, down_mw), 0.0


class FastResponse(Triggered):
    """Fast frequency response: power falls once the frequency is below a threshold."""

    law: Literal["fast_response"] = Field(description="this law")
    f_trigger_hz: float = Field(default=49.8, gt=0, description="frequency it acts below (unconfirmed)")
    f_release_hz: float = Field(
        default=49.95, gt=0, description="frequency from which it lets go (unconfirmed)"
    )
    reaction_s: float = Field(
        default=0.0972, ge=0, description="from the signal to the cap: 97.2 ms by GridPilot (published)"
    )
    ramp_s: float = Field(
        default=0.0, ge=0, description="from there to all of it: 30 s for 30 % in London (published)"
    )

    @model_validator(mode="after")
    def _lets_go_above(self) -> Self:
        if self.f_release_hz <= self.f_trigger_hz:
            msg = f"f_release_hz={self.f_release_hz:g} is not above f_trigger_hz={self.f_trigger_hz:g}"
            raise ValueError(msg)
        return self


class EmergencyReduction(Triggered):
    """Emergency reduction, as after the block of a direct-current link: by event, frequency or the link."""

    law: Literal["emergency"] = Field(description="this law")
    f_trigger_hz: float | None = Field(
        default=None, gt=0, description="acts without an event, too, once the frequency is below"
    )
    reaction_s: float = Field(
        default=0.2, ge=0, description="from the event to the first megawatt (unconfirmed)"
    )
    ramp_s: float = Field(default=0.3, ge=0, description="from there to all of it (unconfirmed)")


class PeakReduction(Params):
    """A limit for the power of the meter, or of all units the controller watches together."""

    law: Literal["peak_reduction"] = Field(description="this law")
    limit_mw: float = Field(ge=0, description="most they may draw together")
    p_most_mw: float | None = Field(
        default=None, gt=0, description="most it may give up for it; none: all that is left of the range"
    )
    return_s: float = Field(
        default=60.0,
        ge=0,
        description="time in which it lets all of it go: longer than others at the meter hold, as it takes"
        " back what they give (unconfirmed)",
    )

    def reserve_mw(self, down_mw: float) -> tuple[float, float]:
        """Return what is kept for the law of a range, down and up."""
        return (down_mw if self.p_most_mw is None else min(self.p_most_mw, down_mw)), 0.0


class DemandResponse(Params):
    """Event `activate`: a promise within what the laws before it leave, settled at the meter."""

    law: Literal["demand_response"] = Field(description="this law")
    p_mw: float = Field(gt=0, description="most it promises, down or up")
    ramp_mw_per_s: float = Field(gt=0, description="fastest it comes and goes")

    def reserve_mw(self, down_mw: float) -> tuple[float, float]:
        """Return what is kept for the law of a range, down and up."""
        return min(self.p_mw, down_mw), self.p_mw


class Daily(Params):
    """Hours of the day, on the clock of the run's start."""

    peak_from_h: float = Field(ge=0, lt=24, description="hour of the day the peak begins at")
    peak_to_h: float = Field(ge=0, le=24, description="hour it ends at; before it began: over midnight")


class ValleyFilling(Daily):
    """Less power in the hours of the peak, more in those of the valley."""

    law: Literal["valley_filling"] = Field(description="this law")
    hold_mw: float = Field(default=0.0, ge=0, description="power given up in the peak: work is held back")
    valley_from_h: float = Field(default=0.0, ge=0, lt=24, description="hour the valley begins at")
    valley_to_h: float = Field(default=7.0, ge=0, le=24, description="hour it ends at")
    fill_mw: float = Field(default=0.0, ge=0, description="power taken on in the valley: a store is filled")
    ramp_s: float = Field(default=600.0, ge=0, description="time in which each comes and goes (unconfirmed)")

    @model_validator(mode="after")
    def _moves_something(self) -> Self:
        if self.hold_mw == 0.0 and self.fill_mw == 0.0:
            msg = f"hold_mw={self.hold_mw:g} and fill_mw={self.fill_mw:g} move nothing: give one of them"
            raise ValueError(msg)
        return self

    def reserve_mw(self, down_mw: float) -> tuple[float, float]:
        """Return what is kept for the law of a range, down and up."""
        return min(self.hold_mw, down_mw), self.fill_mw


class Precooling(Daily):
    """Cooling in advance of a peak, and less of it in the peak, by set-points; sells no power."""

    law: Literal["precooling"] = Field(description="this law")
    ahead_h: float = Field(default=1.0, gt=0, le=12, description="time before the peak it cools for")
    colder_k: float = Field(default=2.0, ge=0, le=20, description="set-points are lowered by before")
    warmer_k: float = Field(default=2.0, ge=0, le=20, description="set-points are raised by in the peak")

    def offset_k(self, hour_h: float) -> float:
        """Return what is added to set-points at an hour of the day."""
        if within_hours(hour_h, self.peak_from_h, self.peak_to_h):
            return self.warmer_k
        return -self.colder_k if (self.peak_from_h - hour_h) % 24.0 <= self.ahead_h else 0.0


class VoltageSupport(Params):
    r"""Reactive power by droop on the voltage: :math:`q = k\,\mathrm{db}(V - V_{ref})`, lagged; > 0 draws.

    Of that the converter gives what its rating leaves beside active power.
    """

    law: Literal["voltage_support"] = Field(description="this law")
    v_ref_pu: float = Field(default=1.0, gt=0, description="voltage it aims at")
    deadband_pu: float = Field(default=0.01, ge=0, description="no reactive power within it (unconfirmed)")
    q_most_mvar: float = Field(gt=0, description="most it draws or gives")
    droop_pu: float = Field(
        default=0.04, gt=0, description="change of voltage beyond the dead-band that takes all (unconfirmed)"
    )
    lag_s: float = Field(default=5.0, ge=0, description="time constant it follows with (unconfirmed)")

    def target_mvar(self, vm_pu: float) -> float:
        """Return the reactive power of the droop."""
        away = vm_pu - self.v_ref_pu
        beyond = math.copysign(max(abs(away) - self.deadband_pu, 0.0), away)
        return self.q_most_mvar * min(max(beyond / self.droop_pu, -1.0), 1.0)

    def follow(self, q_mvar: float, vm_pu: float, dt_s: float) -> float:
        """Return the reactive power after `dt_s`; without a voltage it stays."""
        if math.isnan(vm_pu):
            return q_mvar
        part = 1.0 if self.lag_s == 0.0 else -math.expm1(-dt_s / self.lag_s)
        return q_mvar + part * (self.target_mvar(vm_pu) - q_mvar)


Law = Annotated[
    FastResponse
    | EmergencyReduction
    | PeakReduction
    | DemandResponse
    | ValleyFilling
    | Precooling
    | VoltageSupport,
    Field(discriminator="law"),
]
SELLS = (FastResponse, EmergencyReduction, PeakReduction, DemandResponse, ValleyFilling)
"""Laws that move active power; the others have no share in the range."""


def within_hours(hour_h: float, from_h: float, to_h: float) -> bool:
    """Return whether an hour of the day lies in a span, which may go over midnight."""
    return (hour_h - from_h) % 24.0 < (to_h - from_h) % 24.0


def toward(before: float, target: float, whole: tuple[float, float], dt_s: float) -> tuple[float, float]:
    """Return where an even ramp gets in `dt_s`, and its mean; `whole` is how long it takes for how much."""
    if whole[0] == 0.0 and dt_s > 0.0:
        return target, target
    rate = np.array(whole[1] / max(whole[0], 1e-300))
    end, mean = ramped(np.array(before), np.array(target), rate, dt_s)
    return float(end), float(mean)


class Seen(NamedTuple):
    """What the laws of a controller know at the start of an exchange."""

    t_s: float
    dt_s: float
    hour_h: float
    f_hz: float
    watched_mw: float
    """Drawn by what is watched in the exchange before."""
    lowered_mw: float
    """What the order of then took off it; with it, what would be drawn without an order."""
    blocked_pu: float = 0.0
    """Of the link that is listened to, at the end of the exchange before."""


class Trigger:
    r"""A cut that waits, comes after its reaction time, holds, and goes back at an even ramp.

    The order of an exchange is the exact mean over it: of an exchange in which the cut begins after
    :math:`\tau`, :math:`1 - \tau/\Delta t` of it. What is heard of the exchange before happened in it: the
    frequency crossed its threshold where a straight line between two of its values does, a link blocked at
    the beginning, as it does nothing else within an exchange. The reaction time counts from there, so a
    controller is late only where its reaction is shorter than an exchange.
    """

    def __init__(self, law: FastResponse | EmergencyReduction) -> None:
        self.law = law
        self._from_s = math.inf
        self._back = True
        self.level_pu = 0.0
        self._told = False
        self._last: Seen | None = None

    def ask(self, seen: Seen, above_mw: float) -> float:
        """Return the mean change of power wanted over an exchange."""
        del above_mw
        self._listen(seen)
        if self._back and self.level_pu == 0.0:
            return 0.0
        law = self.law
        waits_s = 0.0 if self._back else min(max(self._from_s - seen.t_s, 0.0), seen.dt_s)
        over_s = law.return_s if self._back else law.ramp_s
        if seen.dt_s - waits_s < ROUNDING_S:
            waits_s = seen.dt_s
        before, moves_s = self.level_pu, seen.dt_s - waits_s
        self.level_pu, mean = toward(before, 0.0 if self._back else 1.0, (over_s, 1.0), moves_s)
        return -law.p_mw * (before * waits_s + mean * moves_s) / seen.dt_s

    def hear(self) -> None:
        """Act at the next step, as ordered by event."""
        self._told = True

    def restore(self) -> None:
        """Let go, as ordered by event."""
        self._back = True

    def _listen(self, seen: Seen) -> None:
        law, low = self.law, self.law.f_trigger_hz
        happened_s = self._happened_s(seen)
        if happened_s is not None and self._back:
            self._back, self._from_s = False, happened_s + law.reaction_s
        release_hz = law.f_release_hz if isinstance(law, FastResponse) else law.f_trigger_hz
        calm = release_hz is None or low is None or seen.f_hz >= release_hz
        over_s = self._from_s + law.ramp_s + law.hold_s
        if not self._back and calm and seen.t_s >= over_s - ROUNDING_S:
            self._back = True

    def _happened_s(self, seen: Seen) -> float | None:
        """Return when what the law waits for happened, if it has, or has just been told [s]."""
        told, self._told = self._told, False
        last, self._last = self._last, seen
        if told:
            return seen.t_s
        before_s = seen.t_s if last is None else last.t_s
        links = isinstance(self.law, EmergencyReduction) and last is not None
        if links and last is not None and seen.blocked_pu > last.blocked_pu + ROUNDING_S:
            return before_s
        low = self.law.f_trigger_hz
        if low is None or not seen.f_hz < low:
            return None
        if last is None or not last.f_hz >= low:
            return seen.t_s
        return seen.t_s - (seen.t_s - before_s) * (low - seen.f_hz) / (last.f_hz - seen.f_hz)


class Limit:
    """Keeps what is watched under its limit: gives up at once what would be beyond, and lets go slowly."""

    def __init__(self, law: PeakReduction) -> None:
        self.law = law
        self._now_mw = 0.0
        self._most_mw = 0.0

    def ask(self, seen: Seen, above_mw: float) -> float:
        """Return the change wanted beside what laws above already have changed."""
        most_mw = math.inf if self.law.p_most_mw is None else self.law.p_most_mw
        over_mw = seen.watched_mw + seen.lowered_mw - self.law.limit_mw + above_mw
        over_mw = min(max(over_mw, 0.0), most_mw)
        if over_mw >= self._now_mw:
            self._now_mw = self._most_mw = over_mw
        else:
            whole = (self.law.return_s, self._most_mw)
            self._now_mw = toward(self._now_mw, over_mw, whole, seen.dt_s)[0]
        return -self._now_mw


class Day:
    """Moves to what the hour of the day says at an even ramp."""

    def __init__(self, law: ValleyFilling) -> None:
        self.law = law
        self._now_mw = 0.0

    def ask(self, seen: Seen, above_mw: float) -> float:
        """Return the mean change wanted over an exchange."""
        del above_mw
        law = self.law
        target_mw = 0.0
        if within_hours(seen.hour_h, law.peak_from_h, law.peak_to_h):
            target_mw = -law.hold_mw
        elif within_hours(seen.hour_h, law.valley_from_h, law.valley_to_h):
            target_mw = law.fill_mw
        if target_mw == self._now_mw:
            return target_mw
        whole = (law.ramp_s, max(law.hold_mw, law.fill_mw))
        self._now_mw, mean_mw = toward(self._now_mw, target_mw, whole, seen.dt_s)
        return mean_mw


class Promised:
    """Asks for what was promised by order; the controller says how much that is."""

    def __init__(self, law: DemandResponse) -> None:
        self.law = law
        self.change_mw = 0.0

    def ask(self, seen: Seen, above_mw: float) -> float:
        """Return the change promised for an exchange."""
        del seen, above_mw
        return self.change_mw


Running = Trigger | Limit | Day | Promised


def running(laws: tuple[Law, ...]) -> list[Running]:
    """Return those laws that move active power as they stand at the start of a run, in their order."""
    found: list[Running] = []
    for law in laws:
        if isinstance(law, FastResponse | EmergencyReduction):
            found.append(Trigger(law))
        elif isinstance(law, PeakReduction):
            found.append(Limit(law))
        elif isinstance(law, ValleyFilling):
            found.append(Day(law))
        elif isinstance(law, DemandResponse):
            found.append(Promised(law))
    return found


def granted(ask_mw: float, sold_mw: float, down_mw: float, up_mw: float) -> float:
    """Return what a law gets of what it asks, when those before it have `sold_mw` of the range, < 0 down.

    Never what is sold already, and never the opposite of it, which would take back what another gives.
    """
    if ask_mw * sold_mw < 0.0:
        return 0.0
    return min(max(ask_mw, -(down_mw + min(sold_mw, 0.0))), up_mw - max(sold_mw, 0.0))

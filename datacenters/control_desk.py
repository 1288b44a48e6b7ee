"""One controller in a run: what it saw, what its laws may have of the range, and what came of it."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from datacenters.control_hall import Cap
from datacenters.control_laws import (
    EmergencyReduction,
    FastResponse,
    Precooling,
    Promised,
    Running,
    Seen,
    Trigger,
    VoltageSupport,
    granted,
    running,
)
from datacenters.control_params import ControllerParams

HOUR_S = 3600.0
NO_LIMIT_GPU = 1e12

Tell = Callable[[float, str, str, str], None]
"""Time, kind, text and data of an event of this controller."""


class Heard(NamedTuple):
    """Inputs of one controller, in the order of the component's ports."""

    f_hz: float
    vm_pu: float
    p_mw: float
    it_mw: float
    watched_mw: float
    reserved_gpu: float
    job_gpu: float
    work_gpu: float
    capacity_gpu: float
    blocked_pu: float
    lowest_mw: float
    highest_mw: float


class Orders(NamedTuple):
    """Outputs of one controller, in the order of the component's ports."""

    cap_pu: float
    temp_offset_k: float
    p_order_mw: float
    q_order_mvar: float
    limit_gpu: float
    asked_mw: float
    promised_mw: float
    refused_mw: float
    delivered_mw: float
    short_mw: float
    range_mw: float
    range_up_mw: float
    sold_down_mw: float
    left_down_mw: float
    baseline_mw: float
    active_count: float


@dataclass
class Account:
    """What a law promised and what was seen of it, since it began to act."""

    from_s: float = math.nan
    promised_mwh: float = 0.0
    delivered_mwh: float = 0.0
    granted_mw: float = 0.0
    """In the exchange before."""

    def add(self, seen_mw: float, dt_s: float) -> None:
        """Add what was granted for an exchange and what was seen of it."""
        self.promised_mwh += abs(self.granted_mw) * dt_s / HOUR_S
        self.delivered_mwh += seen_mw * dt_s / HOUR_S

    def grant(self, name: str, ask_mw: float, got_mw: float, t_s: float, tell: Tell) -> None:
        """Note what a law is granted now, and tell when it begins and when it is over."""
        if got_mw == 0.0 == self.granted_mw:
            return
        if self.granted_mw == 0.0 and got_mw != 0.0:
            self.from_s, self.promised_mwh, self.delivered_mwh = t_s, 0.0, 0.0
            tell(t_s, "law_begins", f"{name}: {got_mw:.6g} MW of {ask_mw:.6g} MW asked", "")
        elif self.granted_mw != 0.0 and got_mw == 0.0:
            data = {
                "law": name,
                "from_s": self.from_s,
                "to_s": t_s,
                "promised_mwh": self.promised_mwh,
                "delivered_mwh": self.delivered_mwh,
            }
            told = f"{self.delivered_mwh:.6g} MWh of {self.promised_mwh:.6g} MWh promised were delivered"
            tell(t_s, "law_over", f"{name}: {told}", json.dumps(data))
        self.granted_mw = got_mw


@dataclass
class Desk:
    """One controller in a run; `Desk.of` has ordered nothing yet."""

    params: ControllerParams
    laws: list[Running]
    accounts: list[Account]
    cap: Cap
    precooling: Precooling | None = None
    voltage: VoltageSupport | None = None
    promise: Promised | None = None
    shed: Trigger | None = None
    needs: list[str] = field(default_factory=list)
    """Inputs from the grid its laws listen to."""
    baseline_mw: float = math.nan
    ordered_mw: float = 0.0
    down_mw: float = 0.0
    """How far power may be lowered: what is stated, and what the resource said it can hold, if asked."""
    up_mw: float = 0.0
    _reserved_gpu: float = 0.0
    _job_gpu: float = 0.0
    _q_mvar: float = 0.0
    _lasted_s: float = 0.0
    _changed_mw: float = 0.0

    @classmethod
    def of(cls, params: ControllerParams) -> "Desk":
        """Return a controller at the start of a run."""
        laws = running(params.laws)
        desk = cls(
            params, laws, [Account() for _ in laws], Cap(params.it_rated_mw or 0.0, params.tau_power_s)
        )
        desk.down_mw, desk.up_mw = params.down_mw, params.up_mw
        for law in params.laws:
            if isinstance(law, Precooling):
                desk.precooling = law
            elif isinstance(law, VoltageSupport):
                desk.voltage = law
                desk.needs.append("vm_pu")
            elif isinstance(law, FastResponse | EmergencyReduction) and law.f_trigger_hz is not None:
                desk.needs.append("f_hz")
        for at in laws:
            if isinstance(at, Promised):
                desk.promise = at
            elif isinstance(at, Trigger) and isinstance(at.law, EmergencyReduction):
                desk.shed = at
        return desk

    def firm_mw(self, down_mw: float, up_mw: float) -> tuple[float, float]:
        """Return how far of a range power may be promised by order: what no law before it may want."""
        for at in self.laws:
            if isinstance(at, Promised):
                return min(at.law.p_mw, down_mw), min(at.law.p_mw, up_mw)
            kept = at.law.reserve_mw(down_mw)
            down_mw, up_mw = max(down_mw - kept[0], 0.0), max(up_mw - kept[1], 0.0)
        return 0.0, 0.0

    def see(self, heard: Heard) -> None:
        """Note what the resource drew in the exchange before."""
        if math.isnan(heard.p_mw):
            return
        if self.ordered_mw == 0.0 or math.isnan(self.baseline_mw):
            self.baseline_mw = heard.p_mw
            self._reserved_gpu, self._job_gpu = heard.reserved_gpu, heard.job_gpu
            if self.params.hall is not None:
                self.cap.start(heard.it_mw, heard.work_gpu, heard.capacity_gpu)
        self._changed_mw = heard.p_mw - self.baseline_mw
        self._see_range(heard)

    def _see_range(self, heard: Heard) -> None:
        """Note what the resource says it can hold, without its orders."""
        p = self.params
        if not math.isnan(heard.lowest_mw):
            self.down_mw = min(p.down_mw, max(self.baseline_mw - heard.lowest_mw, 0.0))
            self.up_mw = min(p.up_mw, max(heard.highest_mw - self.baseline_mw, 0.0))

    def order(self, heard: Heard, t_s: float, dt_s: float, hour_h: float, tell: Tell) -> Orders:
        """Let the laws ask in their order, and order what they get for an exchange."""
        p, before_mw = self.params, self.ordered_mw
        changed_mw, done_mw = self._changed_mw, self._done_mw()
        asked_mw = sold_mw = 0.0
        if not math.isnan(heard.p_mw):
            watched_mw = heard.watched_mw if p.watches else heard.p_mw
            lowered_mw = self._lowered_mw(heard)
            seen = Seen(t_s, dt_s, hour_h, heard.f_hz, watched_mw, lowered_mw, heard.blocked_pu)
            self._settle(abs(done_mw))
            for law, account in zip(self.laws, self.accounts, strict=True):
                ask_mw = law.ask(seen, sold_mw)
                got_mw = granted(ask_mw, sold_mw, self.down_mw, self.up_mw)
                account.grant(law.law.law, ask_mw, got_mw, t_s, tell)
                asked_mw, sold_mw = asked_mw + ask_mw, sold_mw + got_mw
        if self.voltage is not None:
            self._q_mvar = self.voltage.follow(self._q_mvar, heard.vm_pu, dt_s)
        self.ordered_mw, self._lasted_s = sold_mw, dt_s
        down_mw = max(-sold_mw, 0.0)
        return Orders(
            cap_pu=self._cap_pu(heard, dt_s) if down_mw > 0.0 and p.hall is not None else 1.0,
            temp_offset_k=0.0 if self.precooling is None else self.precooling.offset_k(hour_h),
            p_order_mw=sold_mw,
            q_order_mvar=self._q_mvar,
            limit_gpu=self._limit_gpu() if down_mw > 0.0 and p.site is not None else NO_LIMIT_GPU,
            asked_mw=asked_mw,
            promised_mw=sold_mw,
            refused_mw=asked_mw - sold_mw,
            delivered_mw=changed_mw,
            short_mw=abs(before_mw - done_mw),
            range_mw=self.down_mw,
            range_up_mw=self.up_mw,
            sold_down_mw=down_mw,
            left_down_mw=self.down_mw - down_mw,
            baseline_mw=0.0 if math.isnan(self.baseline_mw) else self.baseline_mw,
            active_count=float(sum(account.granted_mw != 0.0 for account in self.accounts)),
        )

    def _done_mw(self) -> float:
        """Return the part of the last order that is seen at the meter: at most all of it."""
        if self.ordered_mw == 0.0:
            return 0.0
        return max(min(self._changed_mw / self.ordered_mw, 1.0), 0.0) * self.ordered_mw

    def _lowered_mw(self, heard: Heard) -> float:
        """Return what the last order took off the meter: of a site, what its jobs do less.

        A hall that draws more than its baseline counts as below 0, as its order is a power at the meter.
        """
        if self.params.site is None:
            lowered_mw = -self._changed_mw
        else:
            lowered_mw = max(self._job_gpu - heard.job_gpu, 0.0) * self.params.gpu_kw / 1e3
        return min(lowered_mw, -self.ordered_mw) if self.ordered_mw < 0.0 else -self.ordered_mw

    def _settle(self, done_mw: float) -> None:
        """Give what was seen to the laws that sold it, the first first: each megawatt to one of them."""
        if self.ordered_mw == 0.0:
            return
        for account in self.accounts:
            part_mw = min(done_mw, abs(account.granted_mw))
            account.add(part_mw, self._lasted_s)
            done_mw -= part_mw

    def _cap_pu(self, heard: Heard, dt_s: float) -> float:
        self.cap.see(heard.work_gpu, heard.capacity_gpu)
        return self.cap.aim(self.baseline_mw + self.ordered_mw, heard.p_mw, heard.it_mw, dt_s)

    def _limit_gpu(self) -> float:
        """Return how many accelerators jobs may hold so that busy ones draw so much less."""
        spared_gpu = -self.ordered_mw * 1e3 / self.params.gpu_kw
        left_pu = 1.0 - spared_gpu / self._job_gpu if self._job_gpu > 0.0 else 0.0
        return self._reserved_gpu * max(left_pu, 0.0)

"""Sources a campus takes as they come: a small reactor, direct-line PV or wind."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.activations import Activations
from cosim.core.component import Balance, Context, Link, Port
from cosim.core.errors import ScenarioError, collected
from cosim.core.flexibility import Activate, Flexibility, Side
from cosim.core.params import Params, column
from cosim.core.types import Bools, Floats
from datacenters.ramps import ramped, within_rating

NO_LIMIT_MW = 1e9

KINDS: dict[str, dict[str, Any]] = {
    "pv": {},
    "wind": {"ramp_up_pu_per_min": 1.0, "ramp_down_pu_per_min": 6.0, "restart_s": 300.0},
    "nuclear": {
        "p_min_pu": 0.5,
        "ramp_up_pu_per_min": 0.05,
        "ramp_down_pu_per_min": 0.05,
        "restart_s": 172_800.0,
        "auxiliary_pu": 0.05,
    },
}
"""What each kind changes in the defaults.

nuclear: between half and full load at 3 to 5 % a minute is what light-water reactors are said to be asked for
(European Utility Requirements). All numbers (unconfirmed).
"""


class MustTakeParams(Params):
    """Nameplate of one source on a direct line."""

    kind: Literal["pv", "wind", "nuclear"] = Field(
        default="pv", description="whose numbers stand where none are given"
    )
    p_rated_mw: float = Field(gt=0, description="power at the connection where scale_pu is 1")
    profile: str | None = Field(
        default=None, description="profile unit whose scale_pu says what is available, of rated power"
    )
    p_min_pu: float = Field(
        default=0.0, ge=0, description="lowest power while it runs, of rated: no limit brings it below"
    )
    ramp_up_pu_per_min: float = Field(
        default=6.0, gt=0, description="fastest rise of power, of rated a minute (unconfirmed)"
    )
    ramp_down_pu_per_min: float = Field(
        default=6.0,
        gt=0,
        description="fastest fall by a limit; available power falls as it does (unconfirmed)",
    )
    restart_s: float = Field(
        default=60.0,
        ge=0,
        description="from the return of voltage to the first power (unconfirmed)",
    )
    auxiliary_pu: float = Field(
        default=0.0, ge=0, lt=0.5, description="drawn while it does not run, of rated (unconfirmed)"
    )
    s_rated_mva: float | None = Field(
        default=None, gt=0, description="rating, active power first; by default 1.1 p_rated_mw"
    )

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {**KINDS.get(given.get("kind", "pv"), {}), **given}

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        findings: list[str] = []
        if self.p_min_pu >= 1.0:
            findings.append(
                f"p_min_pu={self.p_min_pu:g} puts the lowest power, {self.p_min_pu * self.p_rated_mw:g} MW,"
                f" not below p_rated_mw={self.p_rated_mw:g}"
            )
        if self.rated_mva() < self.p_rated_mw:
            findings.append(f"s_rated_mva={self.rated_mva():g} is less than p_rated_mw={self.p_rated_mw:g}")
        if findings:
            raise ValueError("; ".join(findings))
        return self

    def rated_mva(self) -> float:
        """Return the rating."""
        return 1.1 * self.p_rated_mw if self.s_rated_mva is None else self.s_rated_mva


class Limit(Params):
    """Event `limit`: the most the source may deliver from now on."""

    p_mw: float | None = Field(default=None, ge=0, description="power; none lifts the limit")


class MustTake:
    """Sources that deliver what is available, unless a limit or a ramp holds them back.

    Available is `scale_pu` of rated power, held over the step. Delivered power falls with it at once; it
    rises at the ramp, and follows a limit down at the ramp. A limit below `p_min_pu` leaves it there (or at
    what is available, where that is less); `p_above_limit_mw` says what was delivered beyond a limit. What
    was available and not delivered is curtailed: for a reactor, heat not made or sent past its turbine. The
    first step is the scheduled state. At 0 pu the source trips, and `restart_s` after the voltage's return
    rises from its lowest power; until then it draws its auxiliaries. More than 1 pu available is refused.
    """

    params_type: ClassVar[type[Params]] = MustTakeParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("scale_pu", "available power over rated power", 1.0),
        Port("p_limit_mw", "most it may deliver", NO_LIMIT_MW),
        Port("q_order_mvar", "wanted reactive power, > 0 draws", 0.0),
        Port("vm_pu", "voltage at the connection point: at 0 the source trips", 1.0),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("p_mw", "power drawn, mean over the step: < 0 while it delivers"),
        Port("q_mvar", "reactive power drawn, as far as the rating allows"),
        Port("p_available_mw", "what nature or the reactor's schedule offers"),
        Port("p_delivered_mw", "power delivered, mean over the step"),
        Port("p_curtailed_mw", "available and not delivered: limit, ramp, trip"),
        Port("p_above_limit_mw", "delivered beyond the limit, mean over the step"),
        Port("p_auxiliary_mw", "drawn while it does not run"),
        Port("state_code", "0 tripped or restarting, 1 running; at the end"),
    )
    commands: ClassVar[Mapping[str, type[Params]]] = {"limit": Limit, "activate": Activate}
    links: ClassVar[tuple[Link, ...]] = (Link("profile", takes={"scale_pu": "scale_pu"}),)
    balances: ClassVar[tuple[Balance, ...]] = (
        Balance("available", ("p_available_mw",), ("p_delivered_mw", "p_curtailed_mw")),
        Balance("terminals", ("p_mw", "p_delivered_mw"), ("p_auxiliary_mw",)),
    )

    def __init__(self, params: Sequence[MustTakeParams]) -> None:
        self._rated_mw = column(params, "p_rated_mw")
        self._least_mw = column(params, "p_min_pu") * self._rated_mw
        self._up_mw_per_s = column(params, "ramp_up_pu_per_min") * self._rated_mw / 60.0
        self._down_mw_per_s = column(params, "ramp_down_pu_per_min") * self._rated_mw / 60.0
        self._restart_s = column(params, "restart_s")
        self._help_mw = column(params, "auxiliary_pu") * self._rated_mw
        self._rated_mva = np.array([p.rated_mva() for p in params])
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Return to the start, where each source delivers what it may."""
        self._context = context
        self._now_mw: Floats | None = None
        self._off = np.zeros(self._rated_mw.size, dtype=bool)
        self._wait_s = np.zeros_like(self._rated_mw)
        self._told_mw = np.full_like(self._rated_mw, NO_LIMIT_MW)
        self._promises = Activations(self._rated_mw.size)

    def command(self, t_s: float, unit: int, name: str, command: Limit | Activate) -> None:
        """Set or lift the limit of a source from `t_s` on, or have it deliver less for a time."""
        if isinstance(command, Activate):
            self._promises.give(unit, command)
            return
        self._told_mw[unit] = NO_LIMIT_MW if command.p_mw is None else command.p_mw
        told = "limit is lifted" if command.p_mw is None else f"limit is {command.p_mw:g} MW"
        self._context.emit(t_s, self._name(unit), name, told)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Deliver what is available over `dt_s`, within limit and ramps.

        Raises ScenarioError where `scale_pu` is below 0 or above 1.
        """
        live, scale_pu = np.asarray(inputs["vm_pu"]) > 0.0, np.asarray(inputs["scale_pu"])
        self._check(t_s, scale_pu)
        available_mw, limit_mw, target_mw = self._targets(inputs)
        if self._promises.open:
            if self._now_mw is not None:
                self._promises.accept(self, self._context, t_s, inputs)
            change_mw = self._promises.change_mw(t_s, dt_s)
            least_mw = np.minimum(self._least_mw, target_mw)
            target_mw = np.clip(target_mw - change_mw, least_mw, target_mw)
        before_mw = target_mw if self._now_mw is None else np.minimum(self._now_mw, available_mw)
        before_mw = np.where(self._off, np.minimum(self._least_mw, target_mw), before_mw)
        runs_s = self._run(live, dt_s)
        rate = np.where(target_mw > before_mw, self._up_mw_per_s, self._down_mw_per_s)
        end_mw, mean_mw = ramped(before_mw, target_mw, rate, runs_s)
        delivered_mw = mean_mw * runs_s / dt_s
        self._now_mw = end_mw
        helped_mw = np.where(live, self._help_mw * (1.0 - runs_s / dt_s), 0.0)
        q_mvar = within_rating(inputs["q_order_mvar"], delivered_mw, self._rated_mva)
        return {
            "p_mw": helped_mw - delivered_mw,
            "q_mvar": np.where(runs_s > 0.0, q_mvar, 0.0),
            "p_available_mw": available_mw,
            "p_delivered_mw": delivered_mw,
            "p_curtailed_mw": available_mw - delivered_mw,
            "p_above_limit_mw": above_mw_s(before_mw, target_mw, limit_mw, rate, runs_s) / dt_s,
            "p_auxiliary_mw": helped_mw,
            "state_code": (~self._off).astype(np.float64),
        }

    def flexibility(self, t_s: float, horizon_s: float, inputs: Mapping[str, Floats]) -> Flexibility:
        """Return how far each source can be held back while what is available stays: it cannot give more."""
        del t_s, horizon_s
        _, _, target_mw = self._targets(inputs)
        runs = (np.asarray(inputs["vm_pu"]) > 0.0) & ~self._off
        settled = runs & (np.abs(target_mw - (target_mw if self._now_mw is None else self._now_mw)) <= 1e-9)
        spare_mw = np.where(settled & ~self._promises.busy, target_mw - self._least_mw, 0.0)
        up = Side.of(np.maximum(spare_mw, 0.0), np.minimum(self._down_mw_per_s, self._up_mw_per_s))
        baseline_mw = np.where(runs, -target_mw, self._help_mw)
        return Flexibility(baseline_mw, Side.none(target_mw.size), up)

    def _targets(self, inputs: Mapping[str, Floats]) -> tuple[Floats, Floats, Floats]:
        """Return what is available, the limit, and what is to be delivered of it [MW]."""
        available_mw = np.minimum(inputs["scale_pu"], 1.0) * self._rated_mw
        limit_mw = np.maximum(np.minimum(inputs["p_limit_mw"], self._told_mw), 0.0)
        return available_mw, limit_mw, np.minimum(available_mw, np.maximum(limit_mw, self._least_mw))

    def _run(self, live: Bools, dt_s: float) -> Floats:
        """Trip and restart; return how long of the step each source runs [s]."""
        waits_s = np.where(self._off, np.minimum(self._wait_s, dt_s), 0.0)
        self._wait_s = np.where(live, self._wait_s - waits_s, self._restart_s)
        self._wait_s[self._wait_s < 1e-9] = 0.0
        self._off = ~live | (self._off & (self._wait_s > 0.0))
        return np.where(live, dt_s - waits_s, 0.0)

    def _check(self, t_s: float, scale_pu: Floats) -> None:
        findings = [
            f"{self._name(int(i))}: scale_pu = {scale_pu[i]:g} at t_s ="
            f" {t_s:g}; 0 to 1 of p_rated_mw = {self._rated_mw[i]:g} can be available: give its profile"
            " relative_to: peak, or absolute"
            for i in np.flatnonzero((scale_pu < 0.0) | (scale_pu > 1.0 + 1e-9))
        ]
        collected(findings, ScenarioError)

    def _name(self, i: int) -> str:
        return self._context.names[i] if i < len(self._context.names) else f"must_take {i}"


def above_mw_s(
    before_mw: Floats, target_mw: Floats, limit_mw: Floats, rate: Floats, runs_s: Floats
) -> Floats:
    """Return the energy [MW·s] by which a ramp lies above a limit: a ramp itself, once it has crossed it."""
    from_mw, to_mw = np.maximum(before_mw - limit_mw, 0.0), np.maximum(target_mw - limit_mw, 0.0)
    crosses_s = np.where(to_mw > 0.0, np.maximum(limit_mw - before_mw, 0.0) / rate, 0.0)
    beyond_s = np.maximum(runs_s - crosses_s, 0.0)
    return np.asarray(ramped(from_mw, to_mw, rate, beyond_s)[1] * beyond_s)

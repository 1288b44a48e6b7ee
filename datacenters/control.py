r"""Controllers: they listen to the grid and order one resource, by laws that share its range in order.

With what was heard of exchange k - 1, laws :math:`i = 1, 2, \dots` ask for changes :math:`a_i` of power in
exchange k, and get

.. math:: s_i = \mathrm{clip}(a_i,\; -R^- - \min(S_{i-1}, 0),\; R^+ - \max(S_{i-1}, 0)), \qquad
   S_i = S_{i-1} + s_i,

and nothing where :math:`a_i S_{i-1} < 0`: so what is sold never leaves the range :math:`[-R^-, R^+]`,
whatever laws ask, and what a law gives no law behind it takes back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from cosim.core.activations import Activations
from cosim.core.component import Balance, Context, Link, Port
from cosim.core.errors import ScenarioError, collected
from cosim.core.flexibility import Activate, Flexibility, Side
from cosim.core.params import Params
from cosim.core.shelf import Shelf, places_of
from cosim.core.types import Floats
from datacenters.control_desk import HOUR_S, Desk, Heard, Tell
from datacenters.control_params import ControllerParams, Restore, Shed

TINY_MW = 1e-9


@dataclass(frozen=True)
class Ranges:
    """What controllers can promise by order, as `Activations` asks for it."""

    found: Flexibility

    def flexibility(self, t_s: float, horizon_s: float, inputs: Mapping[str, Floats]) -> Flexibility:
        """Return it."""
        del t_s, horizon_s, inputs
        return self.found


class Controller:
    """Controllers of halls, batteries and sites; see `docs/models/control.md`.

    In the first exchange, which is the scheduled state, no power is ordered. The baseline is what the
    resource drew in the last exchange without an order; what laws deliver counts from there, and each
    megawatt for one law alone, the first that sold it.
    """

    params_type: ClassVar[type[Params]] = ControllerParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("f_hz", "frequency at `at:`, one exchange late", np.nan),
        Port("vm_pu", "voltage at `at:`, one exchange late", np.nan),
        Port("p_mw", "power its resource drew in the exchange before", np.nan),
        Port("it_mw", "IT power of its hall in the exchange before", 0.0),
        Port("watched_mw", "power of what it watches in the exchange before", 0.0),
        Port("reserved_gpu", "accelerators jobs held at its site", 0.0),
        Port("job_gpu", "accelerators jobs kept busy at its site", 0.0),
        Port("work_gpu", "work its hall did in the exchange before", 0.0),
        Port("capacity_gpu", "work it could have done", 0.0),
        Port("blocked_pu", "part of a direct-current link that is blocked, one exchange late", 0.0),
        Port("lowest_mw", "lowest power its resource can hold, as it said when it was asked", np.nan),
        Port("highest_mw", "highest power it can hold", np.nan),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("cap_pu", "largest IT power of its hall, of rated"),
        Port("temp_offset_k", "added to set-points of its hall"),
        Port("p_order_mw", "change of power ordered from its battery"),
        Port("q_order_mvar", "reactive power ordered from its battery, or the supply of its hall"),
        Port("limit_gpu", "accelerators jobs may hold at its site"),
        Port("asked_mw", "change of power its laws ask for together, mean over the step, < 0 draws less"),
        Port("promised_mw", "part of it within the range, which is ordered"),
        Port("refused_mw", "part of it sold to another law already, or beyond the range"),
        Port("delivered_mw", "change seen at the meter in the exchange before, from the baseline"),
        Port("short_mw", "promised for the exchange before and not seen"),
        Port("range_mw", "how far it may lower power in all"),
        Port("range_up_mw", "how far it may raise it"),
        Port("sold_down_mw", "part of the range that is sold"),
        Port("left_down_mw", "part of it that is left"),
        Port("baseline_mw", "power the resource drew before anything was ordered"),
        Port("active_count", "laws that move power"),
    )
    links: ClassVar[tuple[Link, ...]] = (
        Link(
            "hall",
            gives={
                "cap_pu": "cap_pu",
                "temp_offset_k": "temp_offset_k",
                "q_order_mvar": "q_order_mvar",
            },
            late={
                "p_mw": "p_mw",
                "it_mw": "it_mw",
                "work_done_gpu": "work_gpu",
                "capacity_gpu": "capacity_gpu",
            },
            asks={"lowest_mw": "lowest_mw", "highest_mw": "highest_mw"},
        ),
        Link(
            "battery",
            gives={"p_order_mw": "p_order_mw", "q_order_mvar": "q_order_mvar"},
            late={"p_mw": "p_mw"},
            asks={"lowest_mw": "lowest_mw", "highest_mw": "highest_mw"},
        ),
        Link(
            "site",
            gives={"limit_gpu": "limit_gpu"},
            late={"reserved_gpu": "reserved_gpu", "job_gpu": "job_gpu"},
        ),
        Link("meter", late={"p_mw": "p_mw"}),
        Link("watches", late={"p_mw": "watched_mw"}),
    )
    commands: ClassVar[Mapping[str, type[Params]]] = {
        "activate": Activate,
        "shed": Shed,
        "restore": Restore,
    }
    balances: ClassVar[tuple[Balance, ...]] = (
        Balance("orders", ("asked_mw",), ("promised_mw", "refused_mw")),
        Balance("range", ("range_mw",), ("sold_down_mw", "left_down_mw")),
    )

    def __init__(self, params: Sequence[ControllerParams]) -> None:
        self._params = tuple(params)
        self._places = places_of([port.name for port in self.outputs])

    def reset(self, context: Context) -> None:
        """Forget the run.

        Raises
        ------
        ScenarioError
            With the names of controllers that are in each other's way.
        """
        known = context.names
        self._names = [known[i] if i < len(known) else f"controller {i}" for i in range(len(self._params))]
        self._check_together()
        self._desks = [Desk.of(p) for p in self._params]
        self._promises = Activations(len(self._params))
        self._meters = replace(context, names=tuple(p.metered() for p in self._params))
        self._context, self._begun = context, False
        clock = context.start
        self._day_s = 3600.0 * clock.hour + 60.0 * clock.minute + clock.second

    def refusal(self, unit: int, command: Params) -> str | None:
        """Return why an order can never be obeyed, or None."""
        desk, name = self._desks[unit], self._names[unit]
        if isinstance(command, Shed | Restore):
            return None if desk.shed is not None else f"{name} has no law emergency"
        if not isinstance(command, Activate):
            return None
        if desk.promise is None:
            return f"{name} has no law demand_response"
        stated = self._params[unit]
        down_mw, up_mw = desk.firm_mw(stated.down_mw, stated.up_mw)
        if -down_mw - TINY_MW <= command.p_mw <= up_mw + TINY_MW:
            return None
        told = f"{-down_mw:g} to {up_mw:g} MW are left of its range by the laws before"
        return f"p_mw = {command.p_mw:g} is more than {name} can promise: {told}"

    def command(self, t_s: float, unit: int, name: str, command: Params) -> None:
        """Take an order over. Raises ScenarioError where no law answers to it."""
        text = self.refusal(unit, command)
        if text is not None:
            raise ScenarioError(text)
        shed = self._desks[unit].shed
        if isinstance(command, Activate):
            self._promises.give(unit, command)
        elif shed is not None:
            shed.hear() if isinstance(command, Shed) else shed.restore()
            what = "power is given up" if isinstance(command, Shed) else "power may go back"
            self._context.emit(t_s, self._names[unit], name, what)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Order for `dt_s`, by what was heard of the exchange before.

        Raises
        ------
        ScenarioError
            At the first exchange, where a law listens to a grid its controller is not connected to.
        """
        if not self._begun:
            self._check_heard(inputs)
            self._begun = True
        rows = np.array([inputs[port.name] for port in self.inputs]).T.tolist()
        heard = [Heard(*row) for row in rows]
        for desk, what in zip(self._desks, heard, strict=True):
            desk.see(what)
        if self._promises.open:
            self._keep_promises(t_s, dt_s, inputs)
        hour_h = (self._day_s + t_s) / HOUR_S % 24.0
        orders = [
            desk.order(what, t_s, dt_s, hour_h, self._tells(i))
            for i, (desk, what) in enumerate(zip(self._desks, heard, strict=True))
        ]
        return Shelf(self._places, np.ascontiguousarray(np.array(orders).T))

    def _tells(self, i: int) -> Tell:
        name, emit = self._names[i], self._context.emit
        return lambda t_s, kind, text, data: emit(t_s, name, kind, text, data)

    def _keep_promises(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> None:
        """Answer orders with what no law before may want, and tell each desk what is promised now."""
        if not any(np.isnan(desk.baseline_mw) for desk in self._desks):
            self._promises.accept(self._ranges(), self._meters, t_s, inputs)
        for desk, change_mw in zip(self._desks, self._promises.change_mw(t_s, dt_s).tolist(), strict=True):
            if desk.promise is not None:
                desk.promise.change_mw = change_mw

    def _ranges(self) -> Ranges:
        """Return what may be promised, from what is drawn with all that other laws have ordered."""
        firm = np.array([desk.firm_mw(desk.down_mw, desk.up_mw) for desk in self._desks]).T
        ramp = np.array([1.0 if d.promise is None else d.promise.law.ramp_mw_per_s for d in self._desks])
        baseline = np.array([desk.baseline_mw + desk.ordered_mw for desk in self._desks])
        return Ranges(Flexibility(baseline, Side.of(firm[0], ramp), Side.of(firm[1], ramp)))

    def _check_together(self) -> None:
        """Find controllers of one resource, and equal limits of two for the same units."""
        findings = []
        for i, (name, p) in enumerate(zip(self._names, self._params, strict=True)):
            for other, q in zip(self._names[:i], self._params[:i], strict=True):
                shared = {p.governed(), p.metered()} & {q.governed(), q.metered()}
                both = sorted(p.limited() & q.limited()) if p.limits_mw() & q.limits_mw() else []
                if shared:
                    findings.append(
                        f"{other} and {name} both govern {sorted(shared)[0]} (one of them, which has the"
                        " laws of both in order)"
                    )
                elif both:
                    findings.append(
                        f"{other} and {name} both keep {', '.join(both)} under the same limit_mw and would"
                        " drive each other to and fro (different limits: the lower one acts first)"
                    )
        collected(findings, ScenarioError)

    def _check_heard(self, inputs: Mapping[str, Floats]) -> None:
        findings = [
            f"{name}: a law listens to {port}, but the unit is not connected (`at:` a point of the grid)"
            for i, (name, desk) in enumerate(zip(self._names, self._desks, strict=True))
            for port in dict.fromkeys(desk.needs)
            if np.isnan(inputs[port][i])
        ]
        collected(findings, ScenarioError)

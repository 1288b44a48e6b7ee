r"""The electrical chain of halls: all that lies between racks and cooling and the connection point.

With :math:`P_r` of racks, pumps and room fans, :math:`P_m` of chillers and heat-rejection fans (on a feed of
their own, else part of :math:`P_r`), :math:`P_c` into capacitors, and parabolas :math:`\ell` of supply and
transformer:

.. math::
    P_u = P_r + P_c + \ell_u(P_r + P_c), \qquad P = P_u + P_m + \ell_t(P_u + P_m)

Of what passes the supply, the share its device has on the grid comes from there and the rest from batteries;
what the transformer loses for it counts as passing it, too.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from cosim.core.component import Balance, Context, DeviceOffer, Port
from cosim.core.errors import ScenarioError, collected
from cosim.core.params import Params
from cosim.core.types import Bools, Floats
from datacenters.kernels import supply as kernel
from datacenters.psu import Psu
from datacenters.ride_through import Curve, ride_through
from datacenters.smoothing import Capacitors
from datacenters.store import Store, too_small
from datacenters.supply_offer import MARGIN_PU, SupplyParams, offered
from datacenters.ups import Loss, Setting, Ups

CLOSED = 0.5
"""Share of a mechanical feed from which it counts as closed: contactors are closed or open."""


class Drawn(NamedTuple):
    """What racks and plant drew in a step, each (halls,): means over it, and what was drawn at its end."""

    it_mw: Floats
    it_square_mw2: Floats
    """Mean of the square of IT power: losses go with it."""
    it_end_mw: Floats
    cooling_mw: Floats
    cooling_end_mw: Floats
    mover_mw: Floats
    """Part of cooling: pumps and room fans."""


class Supply:
    """Chains of all halls of a component: capacitors, conversion losses, batteries, and their devices.

    A step of a hall has two calls: `fed` tells what its racks and its plant have before they are advanced,
    `carry` what is drawn for their power afterwards. Racks of a hall go dark together: when nothing carries
    them, and for a step when the hold-up of their power supplies is shorter than an `eco` transfer.

    Parameters
    ----------
    params
        One a hall.
    rated_mw, gpus_count
        (halls,) IT power with every accelerator busy, and accelerators.

    Raises
    ------
    ScenarioError
        With all that is wrong in files of ride-through curves.
    """

    inputs: ClassVar[tuple[Port, ...]] = (
        Port("connected_pu", "share of the hall its supply has on the grid, as the grid's device tells", 1.0),
        Port("ceased_count", "how often it has let go so far, mean over its groups", 0.0),
        Port("feed_pu", "share of its mechanical feed that is on the grid", 1.0),
        Port("q_order_mvar", "wanted reactive power, beside what a hall draws by itself", 0.0),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("p_mw", "power drawn at the connection point, mean over the step, as all powers"),
        Port("q_mvar", "reactive power drawn"),
        Port("loss_mw", "losses of supply, its batteries' charging, and transformer"),
        Port("pue_pu", "IT power, cooling and losses over IT power, at the end; 0 without supply"),
        Port("facility_mw", "IT power, cooling and losses, from the grid or from batteries"),
        Port("capacitor_mw", "power into the capacitors of power supplies, below 0 out of them"),
        Port("capacitor_energy_mwh", "energy in them, at the end"),
        Port("order_mw", "power the hall would draw with all of its supply on the grid"),
        Port("order_mvar", "reactive power it would draw"),
        Port("order_racks_mw", "part of it that passes the supply, as racks and pumps do"),
        Port("order_racks_mvar", "reactive power of that part"),
        Port("order_plant_mw", "part of it on the mechanical feed"),
        Port("order_plant_mvar", "reactive power of that part"),
        Port("ups_mw", "power out of the batteries of its supply, below 0 stored"),
        Port("ups_energy_mwh", "energy in them, at the end"),
        Port("ups_reset_code", "1 while its supply is switched back by hand"),
    )
    balances: ClassVar[tuple[Balance, ...]] = (
        Balance("power", ("p_mw", "ups_mw"), ("it_mw", "cooling_mw", "loss_mw", "capacitor_mw")),
        Balance("ups", (), ("ups_mw",), "ups_energy_mwh"),
        Balance("capacitors", ("capacitor_mw",), (), "capacitor_energy_mwh"),
    )

    def __init__(self, params: Sequence[SupplyParams], rated_mw: Floats, gpus_count: Floats) -> None:
        self._params, self._rated_mw = tuple(params), rated_mw
        self._curves = _curves(params)
        self._stores = [p.store() for p in params]
        self._capacitors = Capacitors([p.smoothing for p in params], gpus_count)
        bare = np.array([p.ups is None and p.psu is not None for p in params], dtype=np.bool_)
        eco = np.array([p.ups is not None and p.ups.mode == "eco" for p in params], dtype=np.bool_)
        self._kernel = _kernel_parameters(params, rated_mw)
        self._fragile: Bools = bare & (self._kernel[kernel.STORED] == 0.0)
        self._any_apart = bool(self._kernel[kernel.APART].any())
        known = [p.ups or Ups() for p in params]
        self._gap_s = np.array([ups.transfer_s + ups.eco_transfer_s for ups in known]) * eco
        self._hold_s = np.array([(p.psu or Psu()).hold_s for p in params])
        self._converts: Bools = np.array(
            [p.ups is not None and p.ups.mode == "double_conversion" for p in params], dtype=np.bool_
        )
        self._watched: Bools = self._fragile | eco
        self._any_watched = bool(self._watched.any())
        self._ports = [port.name for port in self.outputs[: kernel.N_OUTPUTS]]
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Forget the run: all stores are full."""
        count = len(self._params)
        self._names = [context.names[i] if i < len(context.names) else f"gpu_hall {i}" for i in range(count)]
        self._context = context
        self._share_pu, self._lit = np.ones(count), np.ones(count)
        self._energy_mwh = self._kernel[kernel.FULL_MWH].copy()
        self._taken_mw, self._spent = np.zeros(count), np.zeros(count)
        self._capacitors.reset()
        self._reset_code = np.zeros(count)
        self._ceased_count = np.zeros(count)
        self._it_mw = self._rated_mw
        self._checked_s = 0.0
        self.plant_pu: Floats = np.ones(count)
        """(halls,) 1, or 0 where the mechanical feed is open."""

    def devices(self) -> tuple[DeviceOffer | None, ...]:
        """Return what stands for each hall in a grid that integrates dynamic models."""
        return tuple(
            offered(p, self.settings(i), self._curves[i], float(self._rated_mw[i]))
            for i, p in enumerate(self._params)
        )

    def settings(self, unit: int) -> tuple[Setting, ...]:
        """Return what the groups of a hall's supply are set to, drawn from the hall's own stream."""
        ups = self._params[unit].ups
        if ups is None:
            return ()
        return ups.settings(self._context.streams.stream(f"supply/{self._names[unit]}"))

    def refusal(self, unit: int, command: Params) -> str | None:
        """Return why a hall cannot be switched back."""
        del command
        return "it has no ups" if self._params[unit].ups is None else None

    def unfit(self, longest_s: float) -> list[str]:
        """Return the halls whose battery cannot feed them for one step, and why."""
        return too_small(self._stores, self._rated_mw, self._names, longest_s)

    def command(self, t_s: float, unit: int, name: str, command: Params) -> None:
        """Switch a supply back to the grid by hand."""
        del name, command
        self._reset_code[unit] = 1.0
        self._context.emit(t_s, self._names[unit], "reset_ups", "supply is switched back by hand")

    def fed(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Floats:
        """Return the voltage behind the supply [pu], (halls,): 0 where a hall is dark.

        What the grid carries over the step is kept for `carry`, and in `plant_pu` which plants have voltage.
        `inputs` has the ports of this class and `vm_pu`.
        """
        vm_pu = inputs["vm_pu"]
        behind_pu = np.empty(vm_pu.size)
        kernel.feed(
            dt_s, self._kernel, inputs["connected_pu"], vm_pu, self._energy_mwh, self._taken_mw,
            self._spent, self._share_pu, self._lit, behind_pu,
        )  # fmt: skip
        if self._any_watched:
            dropped = self._dropped(inputs["ceased_count"], t_s)
            self._lit[dropped] = behind_pu[dropped] = 0.0
        if self._any_apart and self._checked_s > 0.0:  # a run starts with its plants running
            live = (inputs["feed_pu"] >= CLOSED) & (vm_pu > 0.0)
            self.plant_pu = np.where((self._kernel[kernel.APART] > 0.0) & ~live, 0.0, 1.0)
        return behind_pu

    def _dropped(self, ceased_count: Floats, t_s: float) -> Bools:
        """Return which halls lost their racks since the last step: most of their groups let go, unbridged."""
        since, self._ceased_count = ceased_count - self._ceased_count, ceased_count.copy()
        if not (since > 0.0).any():
            return np.zeros(since.size, dtype=np.bool_)
        hold_s = self._hold_s * self._rated_mw / np.maximum(self._it_mw, 1e-9)
        dropped: Bools = self._watched & (since >= 0.5) & (self._fragile | (self._gap_s > hold_s))
        for i in np.flatnonzero(dropped).tolist():
            text = "their power supplies let go"
            if not self._fragile[i]:
                gap_ms, hold_ms = 1e3 * self._gap_s[i], 1e3 * hold_s[i]
                text = f"a transfer of {gap_ms:.3g} ms outlasts their hold-up of {hold_ms:.3g} ms"
            self._context.emit(t_s, self._names[i], "racks_drop", f"racks drop: {text}")
        return dropped

    def carry(self, drawn: Drawn, dt_s: float, q_order_mvar: Floats | None = None) -> dict[str, Floats]:
        """Return the outputs of a step of `dt_s` in which racks and plant drew so much, each (halls,).

        `q_order_mvar` is reactive power wanted of the supplies beside their own.

        Raises
        ------
        ScenarioError
            When a battery cannot feed its hall for one step, or a hall whose supply cannot is to give
            reactive power.
        """
        if dt_s > self._checked_s:
            collected(self.unfit(dt_s), ScenarioError)
            self._checked_s = dt_s
        self._it_mw = drawn.it_mw
        capacitor_mw = self._capacitors.charge(drawn.it_mw, self._lit > 0.0, dt_s)
        outputs = np.empty((kernel.N_OUTPUTS, self._lit.size))
        kernel.carry(
            dt_s, self._kernel, *drawn, capacitor_mw, self._capacitors.energy_mwh,
            self._share_pu, self._lit, self._energy_mwh, self._taken_mw, outputs,
        )  # fmt: skip
        if q_order_mvar is not None and q_order_mvar.any():
            self._support(q_order_mvar, outputs)
        reset_code, self._reset_code = self._reset_code, np.zeros_like(self._reset_code)
        return {**dict(zip(self._ports, outputs, strict=True)), "ups_reset_code": reset_code}

    def _support(self, q_order_mvar: Floats, outputs: Floats) -> None:
        r"""Add the reactive power ordered, as far as rectifiers rated S leave room beside racks and pumps.

        :math:`|q_{racks} + q| \le \sqrt{S^2 - P^2}`, of which the grid sees the share that is on it.
        """
        lacking = np.flatnonzero((q_order_mvar != 0.0) & ~self._converts)
        collected(
            [
                f"{self._names[i]}: q_order_mvar={q_order_mvar[i]:g} needs rectifiers that can give it:"
                " an `ups` of mode double_conversion"
                for i in lacking
            ],
            ScenarioError,
        )
        p_mw, q_mvar = outputs[kernel.RACKS_MW], outputs[kernel.RACKS_MVAR].copy()
        room_mvar = np.sqrt(np.maximum((MARGIN_PU * self._rated_mw) ** 2 - p_mw**2, 0.0))
        more_mvar = np.clip(q_order_mvar, -room_mvar - q_mvar, np.maximum(room_mvar - q_mvar, 0.0))
        more_mvar = np.where(self._converts & (self._lit > 0.0), more_mvar, 0.0)
        outputs[kernel.RACKS_MVAR] += more_mvar
        outputs[kernel.ORDER_MVAR] += more_mvar
        outputs[kernel.Q_MVAR] += self._share_pu * more_mvar


def _kernel_parameters(params: Sequence[SupplyParams], rated_mw: Floats) -> Floats:
    """Return the kernel's parameters, shape (N_PARAMS, halls)."""
    rows = np.zeros((kernel.N_PARAMS, len(params)))
    for i, (p, mw) in enumerate(zip(params, rated_mw.tolist(), strict=True)):
        store, bare = p.store(), p.ups is None and p.psu is not None
        loss = Loss(0.0, 0.0, 0.0) if bare else (p.ups or Ups()).loss()
        mva, full_mwh = MARGIN_PU * mw, 0.0 if store is None else store.battery_min / 60.0 * mw
        known = store or Store()
        rows[:, i] = (
            loss.fixed_pu * mw, loss.linear_pu, loss.square_pu / mw,
            p.transformer.no_load_pu * mva, p.transformer.load_pu / mva,
            np.tan(np.arccos(p.power_factor_pu)),
            p.mechanical_feed is not None, store is not None or bare, store is not None, full_mwh,
            known.recharge_pu * mw, known.eta_charge_pu,
            np.inf if known.shave_above_pu is None else known.shave_above_pu * mw,
            known.shave_reserve_pu * full_mwh,
        )  # fmt: skip
    return rows


def _curves(params: Sequence[SupplyParams]) -> list[Curve | None]:
    """Return the ride-through curve of each hall."""
    found: list[Curve | None] = []
    wrong: list[str] = []
    for p in params:
        facing = p.ups or p.psu
        name = None if facing is None else facing.ride_through
        if facing is None or name is None:
            found.append(None)
            continue
        try:
            curve = ride_through(name)
        except ScenarioError as error:
            wrong += str(error).splitlines()
            continue
        found.append(curve)
        wrong += curve.findings(facing.good_low_pu, facing.good_high_pu)
    collected(wrong, ScenarioError)
    return found

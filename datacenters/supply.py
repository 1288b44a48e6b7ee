"""The electrical chain of halls: all that lies between racks and cooling and the connection point."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from cosim.core.component import Balance, Context, DeviceOffer, Port
from cosim.core.params import Params, column
from cosim.core.types import Bools, Floats
from datacenters.smoothing import Capacitors, Smoothing
from datacenters.ups import Bank, Ups

MARGIN_PU = 1.3
"""Rating of a hall's supply over its IT power: room for cooling, losses and recharging (unconfirmed)."""


class SupplyParams(Params):
    """How one hall is supplied."""

    loss_fixed_pu: float = Field(
        default=0.006, ge=0, lt=0.1, description="UPS and transformer loss at no load, of rated (unconfirmed)"
    )
    loss_linear_pu: float = Field(
        default=0.013, ge=0, lt=0.2, description="loss in proportion to IT power (unconfirmed)"
    )
    loss_square_pu: float = Field(
        default=0.018, ge=0, lt=0.2, description="loss with its square, at rated (unconfirmed)"
    )
    power_factor_pu: float = Field(
        default=0.98, gt=0.5, le=1, description="lagging, at the connection point (unconfirmed)"
    )
    smoothing: Smoothing | None = Field(
        default=None, description="power floor, ramp limits and capacitors as racks have them; none: neither"
    )
    ups: Ups | None = Field(
        default=None, description="supply of the whole hall with batteries; none: it draws through any dip"
    )


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
    `carry` what is drawn for their power afterwards.

    Parameters
    ----------
    params
        One a hall.
    rated_mw, gpus_count
        (halls,) IT power with every accelerator busy, and accelerators.
    """

    inputs: ClassVar[tuple[Port, ...]] = (
        Port("connected_pu", "share of the hall its supply has on the grid, as the grid's device tells", 1.0),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("p_mw", "power drawn at the connection point, mean over the step, as all powers"),
        Port("q_mvar", "reactive power drawn"),
        Port("loss_mw", "UPS and transformer losses"),
        Port("pue_pu", "IT power, cooling and losses over IT power, at the end; 0 without supply"),
        Port("facility_mw", "IT power, cooling and losses, from the grid or from batteries"),
        Port("capacitor_mw", "power into the capacitors of power supplies, below 0 out of them"),
        Port("capacitor_energy_mwh", "energy in them, at the end"),
        Port("order_mw", "power the hall would draw with all of its supply on the grid"),
        Port("order_mvar", "reactive power it would draw"),
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
        self._ups = tuple(p.ups for p in params)
        self._bank = Bank(self._ups, rated_mw)
        self._capacitors = Capacitors([p.smoothing for p in params], gpus_count)
        self._rated_mva = rated_mw * MARGIN_PU
        self._loss_fixed_mw = column(params, "loss_fixed_pu") * rated_mw
        self._loss_linear_pu = column(params, "loss_linear_pu")
        self._loss_square_per_mw = column(params, "loss_square_pu") / rated_mw
        self._tan_phi = np.tan(np.arccos(column(params, "power_factor_pu")))
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Forget the run: all stores are full."""
        self._context = context
        self._bank.reset()
        self._capacitors.reset()
        self._reset_code = np.zeros(len(self._ups))

    def devices(self) -> tuple[DeviceOffer | None, ...]:
        """Return what stands for each hall in a grid that integrates dynamic models."""
        pairs = zip(self._ups, self._rated_mva.tolist(), strict=True)
        return tuple(None if ups is None else ups.offer(rated_mva) for ups, rated_mva in pairs)

    def refusal(self, unit: int, command: Params) -> str | None:
        """Return why a hall cannot be switched back."""
        del command
        return "it has no ups" if self._ups[unit] is None else None

    def command(self, t_s: float, unit: int, name: str, command: Params) -> None:
        """Switch a supply back to the grid by hand."""
        del name, command
        self._reset_code[unit] = 1.0
        names = self._context.names
        who = names[unit] if unit < len(names) else f"gpu_hall {unit}"
        self._context.emit(t_s, who, "reset_ups", "supply is switched back by hand")

    def fed(self, connected_pu: Floats, vm_pu: Floats) -> Floats:
        """Return the voltage behind the supply [pu], (halls,): 0 where a hall is dark.

        What the grid carries over the step is kept for `carry`.
        """
        self._share_pu, runs = self._bank.supplied(connected_pu, vm_pu)
        self._lit: Bools = runs
        behind_pu: Floats = np.where(runs, np.where(self._share_pu > 0.0, vm_pu, 1.0), 0.0)
        return behind_pu

    def carry(self, drawn: Drawn, dt_s: float) -> dict[str, Floats]:
        """Return the outputs of a step of `dt_s` in which racks and plant drew so much, each (halls,)."""
        share_pu, it_mw = self._share_pu, drawn.it_mw
        chain_mw = self._loss_mw(it_mw, drawn.it_square_mw2)
        facility_mw = it_mw + chain_mw + drawn.cooling_mw
        end_mw = drawn.it_end_mw + drawn.cooling_end_mw
        end_mw = end_mw + self._loss_mw(drawn.it_end_mw, drawn.it_end_mw**2)
        capacitor_mw = self._capacitors.charge(it_mw, self._lit, dt_s)
        demand_mw = facility_mw + capacitor_mw
        demand_mvar = demand_mw * self._tan_phi
        recharge_mw, ups_mw, loss_mw = self._bank.carry(demand_mw, share_pu, dt_s)
        reset_code, self._reset_code = self._reset_code, np.zeros_like(self._reset_code)
        drawn_pu = np.where(self._bank.present, share_pu, 1.0)
        return {
            "p_mw": drawn_pu * demand_mw + recharge_mw,
            "q_mvar": drawn_pu * demand_mvar,
            "loss_mw": chain_mw + loss_mw,
            "pue_pu": np.divide(end_mw, drawn.it_end_mw, out=np.zeros_like(it_mw), where=self._lit),
            "facility_mw": facility_mw,
            "capacitor_mw": capacitor_mw,
            "capacitor_energy_mwh": self._capacitors.energy_mwh.copy(),
            "order_mw": demand_mw + recharge_mw,
            "order_mvar": demand_mvar,
            "ups_mw": ups_mw,
            "ups_energy_mwh": self._bank.energy_mwh.copy(),
            "ups_reset_code": reset_code,
        }

    def _loss_mw(self, it_mw: Floats, it_square_mw2: Floats) -> Floats:
        """Return what conversion loses [MW], (halls,): nothing in a dark hall."""
        fixed_mw = np.where(self._lit, self._loss_fixed_mw, 0.0)
        return fixed_mw + self._loss_linear_pu * it_mw + self._loss_square_per_mw * it_square_mw2

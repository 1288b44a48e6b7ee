"""Supercapacitors behind a converter: minutes of power at most, millions of times."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.activations import Activations
from cosim.core.component import Balance, Context, Port
from cosim.core.flexibility import DAY_S, Activate, Flexibility, Side
from cosim.core.params import Params, column
from cosim.core.types import Bools, Floats
from datacenters.orders import Order, Orders
from datacenters.ramps import within_rating

S_PER_H = 3600.0
HALVINGS = 60
NEWTON_STEPS = 50
NEWTON_RTOL = 1e-14
SWING_S = 0.02
"""Time in which the converter goes from full power one way to the other, for promises (unconfirmed)."""


class SupercapacitorParams(Params):
    """Nameplate of one bank of supercapacitors and its converter."""

    p_rated_mw: float = Field(gt=0, description="largest power of the converter at its AC terminals")
    capacitance_farad: float = Field(gt=0, description="of the whole bank")
    esr_ohm: float = Field(
        ge=0, description="equivalent series resistance of the bank; C·ESR is about 1 s (unconfirmed)"
    )
    v_max_kv: float = Field(gt=0, description="highest voltage at the bank's terminals")
    v_min_kv: float = Field(
        gt=0, description="lowest voltage at the bank's terminals; half of v_max_kv uses 3/4 of the energy"
    )
    soc_initial_pu: float = Field(
        default=1.0, ge=0, le=1, description="energy at the start, between v_min_kv (0) and v_max_kv (1)"
    )
    eta_converter_pu: float = Field(
        default=0.98, gt=0, le=1, description="of the converter, either way (unconfirmed)"
    )
    standby_pu: float = Field(
        default=0.002, ge=0, lt=0.1, description="controls, always drawn, of rated power (unconfirmed)"
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.v_min_kv >= self.v_max_kv:
            msg = f"v_min_kv={self.v_min_kv:g} is not below v_max_kv={self.v_max_kv:g}"
            raise ValueError(msg)
        most_mw = self.v_min_kv**2 / self.esr_ohm * self.eta_converter_pu if self.esr_ohm > 0.0 else np.inf
        if self.p_rated_mw >= most_mw:
            msg = (
                f"esr_ohm={self.esr_ohm:g} passes less than {most_mw:.4g} MW at v_min_kv={self.v_min_kv:g},"
                f" p_rated_mw={self.p_rated_mw:g} is not below it"
            )
            raise ValueError(msg)
        return self


class Supercapacitor:
    r"""Banks of supercapacitors that hold one power over a step, within converter and voltage.

    At constant power P into the bank, with terminal voltage :math:`v` and inner voltage
    :math:`u = v - RP/v`, :math:`C\dot u = P/v` has the solution

    .. math:: P\,t = \tfrac{C}{2}(v_1^2 - v_0^2) + C R P \ln(v_1/v_0),

    so a step of any length is exact. Where the terminals would leave their window within the step, the power
    is the one that ends on it. The energy is :math:`C u^2/2`.
    """

    params_type: ClassVar[type[Params]] = SupercapacitorParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("p_order_mw", "wanted converter power, > 0 charges", 0.0),
        Port("q_order_mvar", "wanted reactive power", 0.0),
        Port("vm_pu", "voltage at the connection point: at 0 the converter is blocked", 1.0),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("p_mw", "power drawn with standby, held over the step"),
        Port("q_mvar", "reactive power drawn: the order, as far as the rating allows beside p"),
        Port("loss_mw", "converter, resistance and standby, mean over the step"),
        Port("e_stored_mwh", "energy in the capacitance, down to no voltage, at the end"),
        Port("soc_pu", "energy between v_min_kv (0) and v_max_kv (1), at the end"),
        Port("v_terminal_kv", "voltage at the bank's terminals at the end, under this power"),
        Port("p_unmet_mw", "converter power wanted and not delivered: rating or voltage"),
    )
    commands: ClassVar[Mapping[str, type[Params]]] = {"order": Order, "activate": Activate}
    balances: ClassVar[tuple[Balance, ...]] = (Balance("energy", ("p_mw",), ("loss_mw",), "e_stored_mwh"),)

    def __init__(self, params: Sequence[SupercapacitorParams]) -> None:
        self._rated_mw = column(params, "p_rated_mw")
        self._eta_pu = column(params, "eta_converter_pu")
        self._standby_mw = column(params, "standby_pu") * self._rated_mw
        self._farad, self._ohm = column(params, "capacitance_farad"), column(params, "esr_ohm")
        self._low_kv, self._high_kv = column(params, "v_min_kv"), column(params, "v_max_kv")
        self._soc_pu = column(params, "soc_initial_pu")
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Return to the initial voltage, without orders."""
        self._context, self._orders = context, Orders(len(self._rated_mw))
        self._promises = Activations(len(self._rated_mw))
        span = self._high_kv**2 - self._low_kv**2
        self._inner_kv = np.sqrt(self._low_kv**2 + self._soc_pu * span)

    def command(self, t_s: float, unit: int, name: str, command: Order | Activate) -> None:
        """Hold another power from `t_s` on, or for a time."""
        del name
        if isinstance(command, Activate):
            self._promises.give(unit, command)
            return
        names = self._context.names
        who = names[unit] if unit < len(names) else f"supercapacitor {unit}"
        self._orders.give(t_s, unit, who, command, self._context.emit)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Hold one power over `dt_s`, as near to the order as the bank allows."""
        live = inputs["vm_pu"] > 0.0
        order_mw = inputs["p_order_mw"] + self._orders.p_mw
        if self._promises.open:
            self._promises.accept(self, self._context, t_s, inputs)
            order_mw = np.clip(order_mw, -self._rated_mw, self._rated_mw)
            order_mw = order_mw + self._promises.change_mw(t_s, dt_s)
        q_order_mvar = inputs["q_order_mvar"] + self._orders.q_mvar
        wanted_mw = np.where(live, np.clip(order_mw, -self._rated_mw, self._rated_mw), 0.0)
        bank_mw = self._allowed(self._bank(wanted_mw), dt_s)
        converter_mw = self._converter(bank_mw)
        before_mj = 0.5 * self._farad * self._inner_kv**2
        v_kv = self._terminal_after(bank_mw, dt_s)
        self._inner_kv = np.where(bank_mw == 0.0, self._inner_kv, v_kv - self._ohm * bank_mw / v_kv)
        after_mj = 0.5 * self._farad * self._inner_kv**2
        p_mw = np.where(live, converter_mw + self._standby_mw, 0.0)
        return {
            "p_mw": p_mw,
            "q_mvar": np.where(live, within_rating(q_order_mvar, converter_mw, 1.1 * self._rated_mw), 0.0),
            "loss_mw": p_mw - (after_mj - before_mj) / dt_s,
            "e_stored_mwh": after_mj / S_PER_H,
            "soc_pu": (self._inner_kv**2 - self._low_kv**2) / (self._high_kv**2 - self._low_kv**2),
            "v_terminal_kv": np.where(bank_mw == 0.0, self._inner_kv, v_kv),
            "p_unmet_mw": order_mw - converter_mw,
        }

    def flexibility(self, t_s: float, horizon_s: float, inputs: Mapping[str, Floats]) -> Flexibility:
        """Return how far each bank can be moved: the powers that end on a limit of voltage with the horizon.

        Where the power it holds now cannot be held so long, nothing is promised.
        """
        del t_s
        hold_s, live = horizon_s + 2.0 * SWING_S, np.asarray(inputs["vm_pu"]) > 0.0
        order_mw = np.clip(inputs["p_order_mw"] + self._orders.p_mw, -self._rated_mw, self._rated_mw)
        able = live & ~self._promises.busy & self._fits(self._bank(order_mw), hold_s)
        sides = []
        for sign in (-1.0, 1.0):
            bank_mw = self._allowed(self._bank(sign * self._rated_mw), hold_s)
            change_mw = np.where(able, np.maximum(sign * (self._converter(bank_mw) - order_mw), 0.0), 0.0)
            lasts_s = self._lasts_s(self._bank(order_mw + sign * change_mw)) - 2.0 * SWING_S
            sides.append(Side.of(change_mw, 2.0 * self._rated_mw / SWING_S, np.maximum(lasts_s, horizon_s)))
        return Flexibility(np.where(live, order_mw + self._standby_mw, 0.0), *sides)

    def _bank(self, converter_mw: Floats) -> Floats:
        return np.where(converter_mw > 0.0, converter_mw * self._eta_pu, converter_mw / self._eta_pu)

    def _converter(self, bank_mw: Floats) -> Floats:
        return np.where(bank_mw > 0.0, bank_mw / self._eta_pu, bank_mw * self._eta_pu)

    def _lasts_s(self, bank_mw: Floats) -> Floats:
        """Return how long a power is held until the terminals are at a limit, at most a day."""
        end_kv = np.where(bank_mw > 0.0, self._high_kv, self._low_kv)
        room_mj = np.where(bank_mw == 0.0, np.inf, np.nan_to_num(self._spare(bank_mw, end_kv, 0.0)))
        return np.minimum(room_mj / np.maximum(np.abs(bank_mw), 1e-300), DAY_S)

    def _terminal_now(self, bank_mw: Floats) -> Floats:
        """Return the terminal voltage at once when power flows; nan where the resistance cannot pass it."""
        with np.errstate(invalid="ignore"):
            root_kv = np.sqrt(self._inner_kv**2 + 4.0 * self._ohm * bank_mw)
        return 0.5 * (self._inner_kv + root_kv)

    def _spare(self, bank_mw: Floats, end_kv: Floats, dt_s: float) -> Floats:
        """Return the energy [MJ] by which a step at this power stays short of a terminal voltage.

        Negative where it goes beyond; nan where the resistance cannot pass the power.
        """
        v_kv = self._terminal_now(bank_mw)
        to_limit_mj = 0.5 * self._farad * (end_kv**2 - v_kv**2)
        to_limit_mj = to_limit_mj + self._farad * self._ohm * bank_mw * np.log(end_kv / v_kv)
        return np.sign(bank_mw) * (to_limit_mj - bank_mw * dt_s)

    def _fits(self, bank_mw: Floats, dt_s: float) -> Bools:
        end_kv = np.where(bank_mw > 0.0, self._high_kv, self._low_kv)
        v_kv = self._terminal_now(bank_mw)
        inside = np.where(bank_mw > 0.0, v_kv <= end_kv, v_kv >= end_kv)
        fits = inside & (self._spare(bank_mw, end_kv, dt_s) >= 0.0)
        return np.asarray(fits | (bank_mw == 0.0), dtype=bool)

    def _allowed(self, bank_mw: Floats, dt_s: float) -> Floats:
        """Return the power, or the largest part of it that keeps the terminals in their window."""
        fits = self._fits(bank_mw, dt_s)
        if fits.all():
            return bank_mw
        low, high = np.zeros_like(bank_mw), np.ones_like(bank_mw)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            good = self._fits(middle * bank_mw, dt_s)
            low, high = np.where(good, middle, low), np.where(good, high, middle)
        return np.where(fits, bank_mw, low * bank_mw)

    def _terminal_after(self, bank_mw: Floats, dt_s: float) -> Floats:
        """Return the terminal voltage after the step, by Newton's method from the one at its begin.

        In :math:`w = v^2` the solution's derivative is monotonic, so every iterate lies on the same side.
        """
        first = self._terminal_now(bank_mw) ** 2
        w, by_resistance = first.copy(), 0.5 * self._ohm * bank_mw
        wanted = bank_mw * dt_s / self._farad
        for _ in range(NEWTON_STEPS):
            gap = 0.5 * (w - first) + by_resistance * np.log(w / first) - wanted
            change = gap / (0.5 + by_resistance / w)
            w = w - change
            if (np.abs(change) <= NEWTON_RTOL * w).all():
                break
        return np.sqrt(w)

r"""AGC: secondary control of a control area, in cycles [1]_, [2]_.

.. math::
    ACE &= P_{export} - P_{scheduled} + B\,(f - f_n), \qquad P_{order} = -(k_p\,ACE + k_i\int ACE\,dt)

Each `cycle_s` the area control error is taken and the order shared among the participants in service,
through the `paux` of their governors, where it stands until the next cycle. The integral is summed as the
order is held. What limit or ramp cut off is taken back from the integral, so it does not wind up.

A row stands at a machine of the area (`name`): the frequency is that of its island. Exports are scheduled at
what the ties carry at the start.

References
----------
.. [1] P. Kundur, *Power System Stability and Control*, 1994, section 11.1.5.
.. [2] N. Jaleeli et al., "Understanding automatic generation control", *IEEE Trans. Power Syst.* 7(3), 1992.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.errors import CaseError, collected
from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.registry import nearest
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, rows
from grids.dynamics.kernels.blocks import dead_band
from grids.dynamics.network import branch_of
from grids.elements import element_names
from grids.numbers import Complexes


class AgcParams(Params):
    """Secondary control of one area."""

    participants: str = Field(
        description="who takes part with which share of the order: gen_1:0.6; gen_2:0.4"
    )
    ties: str = Field(
        default="",
        description="lines and transformers that leave the area, and the bus inside: line_7_8:bus_7",
    )
    bias_mw_per_hz: float = Field(
        gt=0, description="frequency bias B; the area's primary response for no more"
    )
    kp_pu: float = Field(default=0, ge=0, description="proportional gain")
    ki_per_s: float = Field(default=0.01, gt=0, description="integral gain (unconfirmed default)")
    cycle_s: float = Field(default=4, gt=0, description="time between two orders; 2 to 4 s are usual")
    band_mw: float = Field(default=0, ge=0, description="control error that is left alone")
    limit_mw: float = Field(default=1e6, gt=0, description="largest order up and down")
    ramp_mw_per_s: float = Field(default=1e6, gt=0, description="largest change of the order")


DERIVED = ("f_nominal",)
WRITES = ("ace_mw", "agc_mw")
MEMORY = ("next_s", "due", "slip", "integral_mw", "order_mw", "scheduled_mw")

P: Any = rows(AgcParams, DERIVED)
S: Any = rows(WRITES)
Z: Any = rows(MEMORY)


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Ask to act where a cycle is over, with the frequency of that instant."""
    act = False
    for k in range(u.port.size):
        u.z[Z.due, k] = 0.0
        if t_s >= u.z[Z.next_s, k] - 1e-9:
            u.z[Z.next_s, k] += u.p[P.cycle_s, k]
            u.z[Z.slip, k], u.z[Z.due, k] = w[u.port[k]] - 1.0, 1.0
            act = True
    return act


class Agc(Device):
    """Automatic generation control."""

    params_type = AgcParams
    role = "agc"
    derived = DERIVED
    writes = WRITES
    memory = MEMORY
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Wait for the first cycle."""
        u.p[P.f_nominal] = site.omega_base / (2.0 * np.pi)
        u.z[:] = 0.0
        u.z[Z.next_s] = u.p[P.cycle_s]
        s[u.wire[S.ace_mw]], s[u.wire[S.agc_mw]] = 0.0, 0.0

    @classmethod
    def ready(cls, u: Block, session: Any) -> None:
        """Find participants and ties, and take the present exports as scheduled.

        Raises
        ------
        CaseError
            With every cycle shorter than the step, every participant without a governor that takes orders,
            and every tie that is not there.
        """
        wrong: list[str] = []
        for name, params in _rows(u, session):
            if params.cycle_s < session.step_s:
                step = f"the step of {session.step_s:g} s"
                wrong.append(f"{name} (agc) cycle_s={params.cycle_s:g} is shorter than {step}")
        for k, (name, params) in enumerate(_rows(u, session)):
            for element, _ in pairs(params.participants):
                if not _governors(session, element):
                    known = [e for group in session.system.groups for e in group.elements]
                    what = f"participants: {element!r} has no governor that takes orders"
                    wrong.append(f"{name} (agc) {what}.{nearest(element, known)}")
            for element, bus in pairs(params.ties):
                if _tie(session, element, bus) is None:
                    wrong.append(
                        f"{name} (agc) ties: no line or transformer {element!r} at {bus!r} in service"
                    )
            if not wrong:
                u.z[Z.scheduled_mw, k] = export_mw(session, params)
        collected(wrong, CaseError)

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse lists that cannot be read and shares that do not sum to one."""
        try:
            shares = [float(share) for _, share in pairs(params.participants)]
            pairs(params.ties)
        except ValueError as error:
            return [f"{error} (allowed: name:value; name:value)"]
        if min(shares, default=0.0) <= 0.0 or abs(sum(shares) - 1.0) > 1e-6:
            return [f"participants={params.participants!r}: shares must be above 0 and sum to 1"]
        return []

    @classmethod
    def act(cls, u: Block, session: Any) -> None:
        """Give the orders of the areas whose cycle is over."""
        for k, (_, params) in enumerate(_rows(u, session)):
            if u.z[Z.due, k] > 0.0:
                u.z[Z.due, k] = 0.0
                _order(u, session, k, params)


@cache
def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Return names and values of a list `name:value; name:value`; ValueError where one has no value."""
    out = []
    for item in (part.strip() for part in text.split(";")):
        if not item:
            continue
        name, colon, value = item.rpartition(":")
        if not colon:
            msg = f"{item!r} has no value"
            raise ValueError(msg)
        out.append((name.strip(), value.strip()))
    return tuple(out)


def _rows(u: Block, session: Any) -> list[tuple[str, AgcParams]]:
    group = next(group for group in session.system.groups if group.block is u)
    return list(zip(group.elements, group.params, strict=True))


def _governors(session: Any, element: str) -> list[tuple[float, bool]]:
    """Return `paux` per power [1/pu of the system] and whether in service, of the element's governor."""
    out = []
    for group in session.system.groups:
        scale = group.cls.aux_per_power(group.block)
        if scale is not None and element in group.elements:
            k = group.elements.index(element)
            out.append((float(scale[k]), bool(group.block.on[k])))
    return out


def _tie(session: Any, element: str, bus: str) -> tuple[int, bool] | None:
    """Return the branch of a tie and whether it is measured at its `from` end."""
    net, point = session.case.net, session.system.point
    for table in ("line", "trafo"):
        names = element_names(net[table], table)
        branch = branch_of(point.model, table, names.index(element)) if element in names else -1
        if branch >= 0 and bus in point.bus_names:
            at = point.row_bus[point.bus_names.index(bus)]
            ends = (point.model.branch_from[branch], point.model.branch_to[branch])
            return (branch, bool(ends[0] == at)) if at in ends else None
    return None


def export_mw(session: Any, params: AgcParams) -> float:
    """Return what the ties carry out of the area now [MW]."""
    total, model = 0.0, session.system.point.model
    v_pu, opened = session.v_pu, session.solution.network.switching.open_branches
    for element, bus in pairs(params.ties):
        branch, at_from = _tie(session, element, bus) or (-1, False)
        if branch in opened:
            continue
        y, f, t = model.branch_y[branch], model.branch_from[branch], model.branch_to[branch]
        if at_from:
            power = v_pu[f] * np.conj(y[0] * v_pu[f] + y[1] * v_pu[t])
        else:
            power = v_pu[t] * np.conj(y[2] * v_pu[f] + y[3] * v_pu[t])
        total += float(power.real) * model.base_mva
    return total


def _order(u: Block, session: Any, k: int, params: AgcParams) -> None:
    """Take the control error, move the order within its limits, and share it out."""
    z = u.z[:, k]
    ace_mw = params.bias_mw_per_hz * z[Z.slip] * u.p[P.f_nominal, k]
    if params.ties:
        ace_mw += export_mw(session, params) - z[Z.scheduled_mw]
    error_mw = dead_band(ace_mw, -params.band_mw, params.band_mw)
    z[Z.integral_mw] += params.ki_per_s * params.cycle_s * error_mw
    wanted = -params.kp_pu * error_mw - z[Z.integral_mw]
    step = params.ramp_mw_per_s * params.cycle_s
    order = min(max(wanted, z[Z.order_mw] - step), z[Z.order_mw] + step)
    order = min(max(order, -params.limit_mw), params.limit_mw)
    if order != wanted:
        z[Z.integral_mw] = -order - params.kp_pu * error_mw
    z[Z.order_mw] = order
    s = session.system.s
    s[u.wire[S.ace_mw, k]], s[u.wire[S.agc_mw, k]] = ace_mw, order
    takers = [
        (element, float(share), scale)
        for element, share in pairs(params.participants)
        for scale, on in _governors(session, element)
        if on
    ]
    total = sum(share for _, share, _ in takers)
    for element, share, scale in takers:
        power_pu = order * share / total / session.system.point.model.base_mva
        session.set_input(element, "paux", power_pu * scale)


DEVICE = Agc

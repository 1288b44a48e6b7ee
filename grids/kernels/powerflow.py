"""What flows once the voltages are known: branch powers and currents, injections, bus sums."""

import math

import numpy as np

from cosim.core.jit import jit
from cosim.core.types import Floats, Ints
from grids.numbers import Complexes, Indices


@jit
def branch_flows(
    v: Complexes,
    from_bus: Ints,
    to_bus: Ints,
    y: Complexes,
    base_mva: float,
    i_base_ka: Floats,
    flow: Floats,
    leaving: Complexes,
) -> None:
    r"""Write what enters every branch at both ends, and what leaves every bus into branches.

    With the two-port admittances of the branch [1]_,
    :math:`I_f = y_{ff} V_f + y_{ft} V_t`, :math:`S_f = V_f I_f^*`, and likewise at the other end.

    Parameters
    ----------
    v
        Complex bus voltages [pu], shape (buses,).
    from_bus, to_bus
        Buses of each branch, shape (branches,).
    y
        ``yff, yft, ytf, ytt`` of each branch [pu], shape (branches, 4).
    base_mva
        Power base [MVA].
    i_base_ka
        Current of 1 pu at the two ends [kA], shape (branches, 2).
    flow
        Written: ``p_from_mw, q_from_mvar, p_to_mw, q_to_mvar, i_from_ka, i_to_ka``, shape
        (branches + 1, 6). The last row stays zero: elements out of service point to it.
    leaving
        Written: power that leaves each bus into branches [pu], shape (buses,).

    References
    ----------
    .. [1] R. D. Zimmerman, C. E. Murillo-Sánchez, *MATPOWER User's Manual*, 2020, sections 3.2, 3.6.
    """
    for k in range(leaving.size):
        leaving[k] = 0.0
    for k in range(from_bus.size):
        f = from_bus[k]
        t = to_bus[k]
        i_f = y[k, 0] * v[f] + y[k, 1] * v[t]
        i_t = y[k, 2] * v[f] + y[k, 3] * v[t]
        s_f = v[f] * i_f.conjugate()
        s_t = v[t] * i_t.conjugate()
        leaving[f] += s_f
        leaving[t] += s_t
        flow[k, 0] = s_f.real * base_mva
        flow[k, 1] = s_f.imag * base_mva
        flow[k, 2] = s_t.real * base_mva
        flow[k, 3] = s_t.imag * base_mva
        flow[k, 4] = abs(i_f) * i_base_ka[k, 0]
        flow[k, 5] = abs(i_t) * i_base_ka[k, 1]


@jit
def sum_at(index: Ints, p_mw: Floats, q_mvar: Floats, p_sum_mw: Floats, q_sum_mvar: Floats) -> None:
    """Set the sums to zero and add every element's power at its place; places < 0 are left out.

    Parameters
    ----------
    index
        Place of each element, shape (elements,).
    p_mw, q_mvar
        Power of each element, shape (elements,).
    p_sum_mw, q_sum_mvar
        Written: sums, shape (places,).
    """
    for k in range(p_sum_mw.size):
        p_sum_mw[k] = 0.0
        q_sum_mvar[k] = 0.0
    for k in range(index.size):
        i = index[k]
        if i >= 0:
            p_sum_mw[i] += p_mw[k]
            q_sum_mvar[i] += q_mvar[k]


@jit
def hold(start: Complexes, pv: Indices, vm_set_pu: Floats, v: Complexes, vm_pu: Floats) -> None:
    """Write the voltages to start from: as given, with set magnitudes where machines hold them.

    Parameters
    ----------
    start
        Complex bus voltages [pu], shape (buses,).
    pv
        Buses that hold their voltage.
    vm_set_pu
        Set-point of each bus, read at `pv` only, shape (buses,).
    v, vm_pu
        Written: voltages and their magnitudes [pu], shape (buses,).
    """
    for k in range(start.size):
        v[k] = start[k]
        vm_pu[k] = abs(start[k])
    for b in pv:
        v[b] *= vm_set_pu[b] / vm_pu[b]
        vm_pu[b] = vm_set_pu[b]


@jit
def inject(
    p_mw: Floats,
    q_mvar: Floats,
    fixed_mva: Complexes,
    limit_mvar: Floats,
    base_mva: float,
    drawn_mva: Complexes,
    s_pu: Complexes,
) -> None:
    """Write what is drawn at each bus and the injections the solver is given, all of shape (buses,).

    Parameters
    ----------
    p_mw, q_mvar
        Demand, consumption > 0.
    fixed_mva
        Injection of elements that are not part of the demand.
    limit_mvar
        Generation of machines at a reactive limit.
    drawn_mva, s_pu
        Written: demand less fixed injections [MVA]; injections [pu].
    """
    for k in range(p_mw.size):
        drawn_mva[k] = complex(p_mw[k], q_mvar[k]) - fixed_mva[k]
        s_pu[k] = (complex(0.0, limit_mvar[k]) - drawn_mva[k]) / base_mva


@jit
def settle(
    v: Complexes,
    pointer: Indices,
    row: Indices,
    y: Complexes,
    drawn_mva: Complexes,
    base_mva: float,
    vm_pu: Floats,
    needed_mva: Complexes,
) -> None:
    r"""Write magnitudes and what every bus must generate beyond its given powers.

    :math:`S = V (Y V)^* S_{base} + S_{drawn}`, with Y in compressed columns.

    Parameters
    ----------
    v
        Complex bus voltages [pu], shape (buses,).
    pointer, row, y
        Admittance matrix [pu]: start of each column, rows and values of its entries.
    drawn_mva
        Given powers, consumption > 0 [MVA], shape (buses,).
    vm_pu, needed_mva
        Written, shape (buses,).
    """
    for k in range(v.size):
        needed_mva[k] = 0.0
    for k in range(v.size):
        vm_pu[k] = abs(v[k])
        for e in range(pointer[k], pointer[k + 1]):
            needed_mva[row[e]] += y[e] * v[k]
    for k in range(v.size):
        needed_mva[k] = v[k] * needed_mva[k].conjugate() * base_mva + drawn_mva[k]


@jit
def read_branches(
    flow: Floats, branch: Ints, percent_from: Floats, percent_to: Floats, table: Floats
) -> None:
    """Write loading, current, power into the from-end and losses of elements that are one branch each.

    Parameters
    ----------
    flow
        As `branch_flows` writes it.
    branch
        Row of `flow` of each element, shape (elements,).
    percent_from, percent_to
        Loading per current at the two ends [%/kA], shape (elements,).
    table
        Written: ``loading_percent, i_ka, p_from_mw, q_from_mvar, pl_mw``, shape (5, elements).
    """
    for k in range(branch.size):
        b = branch[k]
        table[0, k] = max(flow[b, 4] * percent_from[k], flow[b, 5] * percent_to[k])
        table[1, k] = max(flow[b, 4], flow[b, 5])
        table[2, k] = flow[b, 0]
        table[3, k] = flow[b, 1]
        table[4, k] = flow[b, 0] + flow[b, 2]


@jit
def read_buses(
    bus: Ints, v: Complexes, vm_pu: Floats, leaving: Complexes, base_mva: float, table: Floats
) -> None:
    """Write voltage and consumption of the rows of the bus table; nan where not energised.

    Parameters
    ----------
    bus
        Bus of each row, -1 where not energised, shape (rows,).
    v, vm_pu
        Voltages [pu], shape (buses,).
    leaving
        What leaves each bus into branches [pu]: it must be injected there, so consumption is its negative.
    table
        Written: ``vm_pu, va_degree, p_mw, q_mvar``, shape (4, rows).
    """
    for k in range(bus.size):
        b = bus[k]
        if b < 0:
            table[:, k] = np.nan
            continue
        table[0, k] = vm_pu[b]
        table[1, k] = math.atan2(v[b].imag, v[b].real) * 180.0 / math.pi
        table[2, k] = -leaving[b].real * base_mva
        table[3, k] = -leaving[b].imag * base_mva


@jit
def heat_mw(vm_pu: Floats, bus_y: Complexes, leaving: Complexes, base_mva: float) -> float:
    """Return what branches and shunts turn into heat [MW]: what leaves all buses into either.

    Parameters
    ----------
    vm_pu
        Voltages, shape (buses,).
    bus_y
        Shunt admittance at each bus [pu], shape (buses,).
    leaving
        As `branch_flows` writes it.
    """
    branches, shunts = 0.0, 0.0
    for k in range(vm_pu.size):
        branches += leaving[k].real
        shunts += vm_pu[k] * vm_pu[k] * bus_y[k].real
    return (branches + shunts) * base_mva


@jit
def outside(values: Floats, at: Ints, low: Floats, high: Floats) -> bool:
    """Return whether any value lies outside its band; `at` is the place each band looks at."""
    found = False
    for k in range(at.size):
        found = found or values[at[k]] < low[k] or values[at[k]] > high[k]
    return found


@jit
def read_sources(
    needed_mva: Complexes,
    vm_pu: Floats,
    bus: Ints,
    row_bus: Ints,
    given_mw: Floats,
    share: Floats,
    tie_to_row: Floats,
    tie_mw: Floats,
    response_mw: Floats,
    table: Floats,
) -> None:
    """Write the rows of the gen table: gens, then ext_grids.

    Parameters
    ----------
    needed_mva
        What each bus must generate beyond all given powers [MVA], shape (buses,).
    vm_pu
        Voltages, shape (buses,).
    bus, row_bus
        Bus of each row that runs, and of each row whose bus is energised, else -1, shape (rows,).
    given_mw
        Given powers of the gens, consumption > 0, shape (gens,).
    share
        Share of each row in the active power its bus needs, share in the reactive power, and the reactive
        power from which that share counts [Mvar], shape (3, rows).
    tie_to_row
        Which ties come in through which row, shape (rows, ties).
    tie_mw
        What answers over each tie and what is planned to, shape (2, ties).
    response_mw
        What the gens answer, shape (gens,).
    table
        Written: ``p_mw, q_mvar, vm_pu, p_response_mw``, shape (4, rows).
    """
    gens = given_mw.size
    for k in range(bus.size):
        answering, let_in, p, q = 0.0, 0.0, 0.0, 0.0
        for t in range(tie_mw.shape[1]):
            answering += tie_to_row[k, t] * tie_mw[0, t]
            let_in += tie_to_row[k, t] * (tie_mw[0, t] + tie_mw[1, t])
        if bus[k] >= 0:
            p = share[0, k] * needed_mva[bus[k]].real
            q = share[2, k] + share[1, k] * needed_mva[bus[k]].imag
        else:
            answering = 0.0
        if k < gens:
            p = p - given_mw[k] if bus[k] >= 0 else 0.0
            p += let_in
            answering += response_mw[k] if bus[k] >= 0 else 0.0
        table[0, k] = p
        table[1, k] = q
        table[2, k] = vm_pu[row_bus[k]] if row_bus[k] >= 0 else np.nan
        table[3, k] = answering


@jit
def read_points(
    bus: Ints,
    area: Ints,
    vm_pu: Floats,
    f_hz: Floats,
    droop_mw: Floats,
    p_mw: Floats,
    q_mvar: Floats,
    table: Floats,
) -> None:
    """Write the rows of the point table; a unit without supply has 0 V and draws nothing.

    Parameters
    ----------
    bus, area
        Bus, -1 where not energised, and area of each unit, shape (units,).
    vm_pu
        Voltages, shape (buses,).
    f_hz
        Frequency of each area.
    droop_mw, p_mw, q_mvar
        What its fast offer adds, and what it draws with that, shape (units,).
    table
        Written: ``vm_pu, f_hz, p_droop_mw, p_mw, q_mvar``, shape (5, units).
    """
    for j in range(bus.size):
        live = bus[j] >= 0
        table[0, j] = vm_pu[bus[j]] if live else 0.0
        table[1, j] = f_hz[area[j]]
        table[2, j] = droop_mw[j] if live else 0.0
        table[3, j] = p_mw[j] if live else 0.0
        table[4, j] = q_mvar[j] if live else 0.0

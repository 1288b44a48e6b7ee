"""Voltages from currents: one factorised real matrix, dense for few ports, sparse above."""

from typing import NamedTuple

import numpy as np

from cosim.core.jit import jit
from cosim.core.types import Floats, Ints
from grids.numbers import Complexes


class Net(NamedTuple):
    r"""One factorised configuration of the network: :math:`(Y - J_0)^{-1}` in real form.

    A complex number is two neighbouring reals, so a complex array seen as float64 is a right-hand side.
    """

    dense: Floats
    """Transposed inverse, shape (2 ports, 2 ports); (0, 0) where the sparse factors serve."""
    jacobian: Floats
    """:math:`J_0`, injected current over voltage, shape (ports, 2, 2); (0, 2, 2) where there is none."""
    lower_ptr: Ints
    lower_row: Ints
    lower: Floats
    """Unit lower factor without its diagonal, by columns."""
    upper_ptr: Ints
    upper_row: Ints
    upper: Floats
    """Upper factor without its diagonal, by columns."""
    pivot: Floats
    """Reciprocal diagonal of the upper factor, shape (2 ports,)."""
    row_place: Ints
    column_place: Ints
    """Permutations: right-hand side row i goes to `row_place[i]`, unknown j stands at `column_place[j]`."""


@jit
def _dense(matrix: Floats, right: Floats, out: Floats) -> None:
    """Write the product of the transposed matrix by columns, which vectorises without reordering sums."""
    for i in range(out.size):
        out[i] = 0.0
    for j in range(right.size):
        r = right[j]
        for i in range(out.size):
            out[i] += matrix[j, i] * r


@jit
def _sparse(net: Net, right: Floats, out: Floats, spare: Floats) -> None:
    """Write the solution by the two triangular factors, column by column."""
    n = right.size
    for i in range(n):
        spare[net.row_place[i]] = right[i]
    for j in range(n):
        r = spare[j]
        for i in range(net.lower_ptr[j], net.lower_ptr[j + 1]):
            spare[net.lower_row[i]] -= net.lower[i] * r
    for j in range(n - 1, -1, -1):
        r = spare[j] * net.pivot[j]
        spare[j] = r
        for i in range(net.upper_ptr[j], net.upper_ptr[j + 1]):
            spare[net.upper_row[i]] -= net.upper[i] * r
    for j in range(n):
        out[j] = spare[net.column_place[j]]


@jit
def solve(net: Net, current: Complexes, v: Complexes, spare: Floats) -> None:
    """Write the voltages `v` [pu] that the injected currents [pu] cause, both of shape (ports,).

    `spare` has shape (2 ports,).
    """
    if net.dense.size > 0:
        _dense(net.dense, current.view(np.float64), v.view(np.float64))
    else:
        _sparse(net, current.view(np.float64), v.view(np.float64), spare)


@jit
def solve_shifted(net: Net, current: Complexes, v: Complexes, fresh: Complexes, spare: Floats) -> float:
    r"""Take one Newton step with the frozen Jacobian; return the square of the largest change [pu²].

    :math:`(Y-J_0)V^+ = I(V) - J_0V`. `current` is I(V) and is overwritten, `v` becomes :math:`V^+`.
    """
    for k in range(v.size):
        re, im = v[k].real, v[k].imag
        jac = net.jacobian[k]
        current[k] -= complex(jac[0, 0] * re + jac[0, 1] * im, jac[1, 0] * re + jac[1, 1] * im)
    solve(net, current, fresh, spare)
    worst = 0.0
    for k in range(v.size):
        dr, di = fresh[k].real - v[k].real, fresh[k].imag - v[k].imag
        change = dr * dr + di * di
        if not change <= worst:  # nan counts as a change
            worst = change
        v[k] = fresh[k]
    return worst

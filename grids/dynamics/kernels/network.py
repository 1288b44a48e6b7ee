"""Voltages from currents: dense inverse for few ports, sparse factors in blocks of two by two above.

A complex number is a block :math:`[[a, -b], [b, a]]` that acts on its real and imaginary part. The sparse
factors keep such blocks, so the Jacobian of loads, which is no complex number, costs nothing extra: the
pattern is that of the complex matrix (measured at 2,869 buses: 30 µs a solve, 28 µs with complex numbers,
130 µs to factorise). Elimination takes the diagonal as it comes, as is usual for bus admittances [1]_.

References
----------
.. [1] W. F. Tinney, J. W. Walker, "Direct solutions of sparse network equations by optimally ordered
   triangular factorization", *Proc. IEEE* 55(11), 1967.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosim.core.jit import jit_lent
from cosim.core.types import Floats
from grids.numbers import Complexes

Places = npt.NDArray[np.uint32]
"""Indices without sign: Numba need not look whether one counts from the end (a third of a solve)."""


class Net(NamedTuple):
    r"""One factorised configuration of the network: :math:`(Y - J_0)^{-1}` in real form.

    A complex number is two neighbouring reals, so a complex array seen as float64 is a right-hand side.
    """

    dense: Floats
    """Transposed inverse, shape (2 ports, 2 ports); (0, 0) where the sparse factors serve."""
    jacobian: Floats
    """:math:`J_0`, injected current over voltage, shape (ports, 2, 2); (0, 2, 2) where there is none."""
    place: Places
    """Where each port stands in the order of elimination, shape (ports,)."""
    start: Places
    row: Places
    """Rows of each column of the lower factor, and columns of each row of the upper: the same."""
    lower: Floats
    """Unit lower factor without its diagonal, by columns, shape (entries, 4)."""
    upper: Floats
    """Upper factor without its diagonal, by rows, shape (entries, 4)."""
    pivot: Floats
    """Inverse of the diagonal blocks, shape (ports, 4)."""


@jit_lent
def _take(target: Floats, m: int, left: Floats, p: int, right: Floats, q: int) -> None:
    """Take the product of block `p` of `left` and block `q` of `right` from block `m` of `target`."""
    target[m, 0] -= left[p, 0] * right[q, 0] + left[p, 1] * right[q, 2]
    target[m, 1] -= left[p, 0] * right[q, 1] + left[p, 1] * right[q, 3]
    target[m, 2] -= left[p, 2] * right[q, 0] + left[p, 3] * right[q, 2]
    target[m, 3] -= left[p, 2] * right[q, 1] + left[p, 3] * right[q, 3]


@jit_lent
def factorise(start: Places, row: Places, lower: Floats, upper: Floats, pivot: Floats) -> None:
    """Turn the blocks of a matrix into those of its factors, in place; see `Net` for the layout.

    A diagonal block without an inverse leaves inf or nan.
    """
    for j in range(pivot.shape[0]):
        a, b, c, d = pivot[j, 0], pivot[j, 1], pivot[j, 2], pivot[j, 3]
        scale = 1.0 / (a * d - b * c)
        a, b, c, d = d * scale, -b * scale, -c * scale, a * scale
        pivot[j, 0], pivot[j, 1], pivot[j, 2], pivot[j, 3] = a, b, c, d
        for p in range(start[j], start[j + 1]):
            e, f, g, h = lower[p, 0], lower[p, 1], lower[p, 2], lower[p, 3]
            lower[p, 0], lower[p, 1] = e * a + f * c, e * b + f * d
            lower[p, 2], lower[p, 3] = g * a + h * c, g * b + h * d
        for p in range(start[j], start[j + 1]):
            i = row[p]
            _take(pivot, i, lower, p, upper, p)
            m = start[i]
            for q in range(p + 1, start[j + 1]):
                while row[m] != row[q]:  # the rows of column i hold all later ones of column j
                    m += 1
                _take(upper, m, lower, p, upper, q)
                _take(lower, m, lower, q, upper, p)


@jit_lent
def _dense(matrix: Floats, right: Floats, out: Floats) -> None:
    """Write the product of the transposed matrix by columns, which vectorises without reordering sums."""
    for i in range(out.size):
        out[i] = 0.0
    for j in range(right.size):
        r = right[j]
        for i in range(out.size):
            out[i] += matrix[j, i] * r


@jit_lent
def _sparse(net: Net, right: Floats, out: Floats, spare: Floats) -> None:
    """Write the solution: down the columns of the lower factor, up the rows of the upper one."""
    n = net.place.size
    for i in range(n):
        k = 2 * net.place[i]
        spare[k], spare[k + 1] = right[2 * i], right[2 * i + 1]
    for j in range(n):
        a, b = spare[2 * j], spare[2 * j + 1]
        for p in range(net.start[j], net.start[j + 1]):
            i = 2 * net.row[p]
            spare[i] -= net.lower[p, 0] * a + net.lower[p, 1] * b
            spare[i + 1] -= net.lower[p, 2] * a + net.lower[p, 3] * b
    for j in range(n - 1, -1, -1):
        a, b = spare[2 * j], spare[2 * j + 1]
        for p in range(net.start[j], net.start[j + 1]):
            i = 2 * net.row[p]
            a -= net.upper[p, 0] * spare[i] + net.upper[p, 1] * spare[i + 1]
            b -= net.upper[p, 2] * spare[i] + net.upper[p, 3] * spare[i + 1]
        spare[2 * j] = net.pivot[j, 0] * a + net.pivot[j, 1] * b
        spare[2 * j + 1] = net.pivot[j, 2] * a + net.pivot[j, 3] * b
    for i in range(n):
        k = 2 * net.place[i]
        out[2 * i], out[2 * i + 1] = spare[k], spare[k + 1]


@jit_lent
def solve(net: Net, current: Complexes, v: Complexes, spare: Floats) -> None:
    """Write the voltages `v` [pu] that the injected currents [pu] cause, both of shape (ports,).

    `spare` has shape (2 ports,).
    """
    if net.dense.size > 0:
        _dense(net.dense, current.view(np.float64), v.view(np.float64))
    else:
        _sparse(net, current.view(np.float64), v.view(np.float64), spare)


@jit_lent
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

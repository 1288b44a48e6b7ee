"""The network of a case: admittances, islands, and the factorised configurations the loop solves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from cosim.core.errors import SolveError
from cosim.core.types import Bools, Floats, Ints
from grids.build import Model
from grids.dynamics.kernels.network import Net
from grids.numbers import Complexes

DENSE_PORTS = 60
"""Up to so many ports the inverse of the reduced network is faster than sparse factors (measured)."""

_NONE = np.zeros(0, dtype=np.int64)


@dataclass
class Switching:
    """What has been switched away from the case as it was built, and what was put in."""

    open_branches: set[int] = field(default_factory=set)
    fault_y: dict[int, complex] = field(default_factory=dict)
    """Bus -> admittance of the fault at it [pu]."""

    def copy(self) -> "Switching":
        """Return a copy that can be changed apart."""
        return Switching(set(self.open_branches), dict(self.fault_y))


@dataclass(frozen=True)
class Configuration:
    """One topology, factorised for the loop."""

    net: Net
    island: Ints
    """Island of each bus, -1 where no source feeds it, shape (buses,)."""
    islands: int
    expand: Complexes | None
    """Voltages of all buses from those of the ports, shape (buses, ports); None where all are ports."""
    y: Any
    """Admittances behind `net`, rows of dead buses replaced by 1 (csc)."""


def pair_matrix(y: Complexes) -> Floats:
    """Return a complex matrix as the real one that acts on neighbouring real and imaginary parts."""
    n, m = y.shape
    out = np.empty((2 * n, 2 * m))
    out[0::2, 0::2], out[1::2, 1::2] = y.real, y.real
    out[0::2, 1::2], out[1::2, 0::2] = -y.imag, y.imag
    return out


def _pair_sparse(y: Any) -> Any:
    coo = y.tocoo()
    row, col, value = coo.row.astype(np.int64), coo.col.astype(np.int64), coo.data
    rows = np.concatenate([2 * row, 2 * row, 2 * row + 1, 2 * row + 1])
    cols = np.concatenate([2 * col, 2 * col + 1, 2 * col, 2 * col + 1])
    values = np.concatenate([value.real, -value.imag, value.imag, value.real])
    return sp.csc_matrix((values, (rows, cols)), shape=(2 * y.shape[0], 2 * y.shape[1]))


def _empty_net(jacobian: Floats, dense: Floats) -> Net:
    none = np.zeros(0)
    return Net(dense, jacobian, _NONE, _NONE, none, _NONE, _NONE, none, none, _NONE, _NONE)


def _dense_net(y: Any, ports: Ints, jacobian: Floats) -> tuple[Net, Complexes]:
    """Return the net reduced to its ports, and the voltages of all buses from theirs."""
    unit = np.zeros((y.shape[0], ports.size), dtype=np.complex128)
    unit[ports, np.arange(ports.size)] = 1.0
    impedance = np.asarray(splu(y).solve(unit), dtype=np.complex128)
    reduced = impedance[ports]
    expand = np.ascontiguousarray(np.linalg.solve(reduced.T, impedance.T).T)
    if jacobian.size == 0:
        inverse = pair_matrix(reduced)
    else:
        matrix = pair_matrix(np.asarray(np.linalg.inv(reduced), dtype=np.complex128))
        for k in range(ports.size):
            matrix[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] -= jacobian[k]
        inverse = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    return _empty_net(jacobian, np.ascontiguousarray(inverse.T)), expand


def _triangle(factor: Any) -> tuple[Ints, Ints, Floats, Floats]:
    """Return column pointers, rows and values of a triangular factor, and its diagonal apart."""
    coo = factor.tocoo()
    off = coo.row != coo.col
    diagonal = np.zeros(factor.shape[0])
    diagonal[coo.row[~off]] = coo.data[~off]
    rest = sp.csc_matrix((coo.data[off], (coo.row[off], coo.col[off])), shape=factor.shape)
    rest.sort_indices()
    return rest.indptr.astype(np.int64), rest.indices.astype(np.int64), rest.data.astype(float), diagonal


def _sparse_net(y: Any, jacobian: Floats) -> Net:
    matrix = _pair_sparse(y)
    if jacobian.size:
        matrix = (matrix - sp.block_diag(list(jacobian), format="csc")).tocsc()
    factors = splu(
        matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.01, options={"SymmetricMode": True}
    )
    lower_ptr, lower_row, lower, _ = _triangle(factors.L)
    upper_ptr, upper_row, upper, pivot = _triangle(factors.U)
    rows, columns = factors.perm_r.astype(np.int64), factors.perm_c.astype(np.int64)
    dense = np.zeros((0, 0))
    return Net(
        dense, jacobian, lower_ptr, lower_row, lower, upper_ptr, upper_row, upper, 1.0 / pivot, rows, columns
    )


class Network:
    """Branches and shunts of a case, and every configuration factorised so far.

    Parameters
    ----------
    model
        The case's arrays; buses are pandapower's internal ones.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.switching = Switching()
        self._cache: dict[bytes, Configuration] = {}

    def admittance(self, at_bus: Complexes, switching: Switching) -> Any:
        """Return the admittances (csc) with `at_bus` of the units on the diagonal, shape (buses,)."""
        model = self.model
        y = model.branch_y.copy()
        y[sorted(switching.open_branches)] = 0.0
        n, f, t = model.size, model.branch_from, model.branch_to
        own = model.bus_y + at_bus
        for bus, fault in switching.fault_y.items():
            own[bus] += fault
        here = np.arange(n)
        row, col = np.concatenate([f, f, t, t, here]), np.concatenate([f, t, f, t, here])
        return sp.csc_matrix((np.concatenate([y[:, 0], y[:, 1], y[:, 2], y[:, 3], own]), (row, col)), (n, n))

    def islands(self, sources: Bools, switching: Switching) -> tuple[Ints, int]:
        """Return the island of each bus (-1: no source) and their number; `sources` says where one is."""
        model = self.model
        closed = np.ones(model.branch_from.size, dtype=bool)
        closed[sorted(switching.open_branches)] = False
        f, t = model.branch_from[closed], model.branch_to[closed]
        graph = sp.csr_matrix((np.ones(f.size), (f, t)), shape=(model.size, model.size))
        _, label = connected_components(graph, directed=False)
        number = {old: new for new, old in enumerate(dict.fromkeys(label[sources].tolist()))}
        return np.array([number.get(old, -1) for old in label.tolist()], dtype=np.int64), len(number)

    def configure(
        self, at_bus: Complexes, sources: Bools, ports: Ints, jacobian: Floats, keep: bool = True
    ) -> Configuration:
        """Return the present topology factorised.

        Parameters
        ----------
        at_bus
            Admittance of the units at each bus [pu], shape (buses,).
        sources
            Buses a source feeds, shape (buses,).
        ports
            Bus of each port; all buses where there are more than `DENSE_PORTS`.
        jacobian
            Shape (ports, 2, 2), or (0, 2, 2).
        keep
            Remember the result for the next time.

        Raises
        ------
        SolveError
            When the matrix is singular.
        """
        switching = self.switching
        y = self.admittance(at_bus, switching)
        island, count = self.islands(sources, switching)
        dead = np.flatnonzero(island < 0)
        if dead.size:
            alive = sp.diags((island >= 0).astype(float))
            y = (alive @ y @ alive + sp.diags((island < 0).astype(complex))).tocsc()
            if jacobian.size:
                jacobian = np.where((island[ports] < 0)[:, None, None], 0.0, jacobian)
        key = y.data.tobytes() + y.indices.tobytes() + jacobian.tobytes() + island.tobytes()
        if key in self._cache:
            return self._cache[key]
        try:
            if ports.size <= DENSE_PORTS:
                net, expand = _dense_net(y, ports, jacobian)
                made = Configuration(net, island, count, expand, y)
            else:
                made = Configuration(_sparse_net(y, jacobian), island, count, None, y)
        except (RuntimeError, np.linalg.LinAlgError) as error:
            msg = f"the network matrix is singular after switching: {error}"
            raise SolveError(msg) from error
        if keep:
            self._cache[key] = made
        return made


def branch_of(model: Model, table: str, row: int) -> int:
    """Return the branch of a row of the line or trafo table, -1 where it is out of service."""
    branch = int(model.rows[table][row]) if table in model.rows else -1
    return branch if branch < model.branch_from.size else -1


def tables_with_branches(model: Model) -> Mapping[str, Ints]:
    """Return element table -> branch of each row."""
    return model.rows

"""The network of a case: admittances, islands, and the factorised configurations the loop solves."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from cosim.core.errors import SolveError
from cosim.core.types import Bools, Floats, Ints
from grids.build import Model
from grids.dynamics.factors import Pattern, factors, find_pattern
from grids.dynamics.kernels.network import Net, Places, solve
from grids.numbers import Complexes

DENSE_PORTS = 60
"""Up to so many ports the inverse of the reduced network is faster than sparse factors (measured)."""

KEPT = 24
"""Configurations remembered: a fault that comes back, or a line that closes again, costs a look-up."""

ROUNDING = 1e-6
"""Largest error of a solution whose answer is known before the factors count as useless."""

Kept = TypeVar("Kept")

_NONE: Places = np.zeros(0, dtype=np.uint32)


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


class Topology(NamedTuple):
    """What is switched in, before it is factorised."""

    island: Ints
    islands: int
    value: Complexes
    """Entries of the matrix, as `Network` lists them; those of dead buses replaced by 1."""


def pair_matrix(y: Complexes) -> Floats:
    """Return a complex matrix as the real one that acts on neighbouring real and imaginary parts."""
    n, m = y.shape
    out = np.empty((2 * n, 2 * m))
    out[0::2, 0::2], out[1::2, 1::2] = y.real, y.real
    out[0::2, 1::2], out[1::2, 0::2] = -y.imag, y.imag
    return out


def _empty_net(jacobian: Floats, dense: Floats) -> Net:
    none = np.zeros((0, 4))
    return Net(dense, jacobian, _NONE, _NONE, _NONE, none, none, none)


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


class Network:
    """Branches and shunts of a case, and the configurations factorised last.

    Parameters
    ----------
    model
        The case's arrays; buses are pandapower's internal ones.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.switching = Switching()
        self.factorised_count = 0
        """Matrices factorised so far; what is found in the memory does not count."""
        f, t, here = model.branch_from, model.branch_to, np.arange(model.size)
        self._row, self._column = np.concatenate([f, f, t, t, here]), np.concatenate([f, t, f, t, here])
        self._pattern: Pattern | None = None
        self._islands: OrderedDict[bytes, tuple[Ints, int]] = OrderedDict()
        self._topologies: OrderedDict[bytes, Topology] = OrderedDict()
        self._configurations: OrderedDict[bytes, Configuration] = OrderedDict()

    def admittance(self, at_bus: Complexes, switching: Switching) -> Complexes:
        """Return the entries of the admittance matrix with `at_bus` of the units on the diagonal."""
        model = self.model
        y = model.branch_y.copy()
        y[sorted(switching.open_branches)] = 0.0
        own = model.bus_y + at_bus
        for bus, fault in switching.fault_y.items():
            own[bus] += fault
        return np.concatenate([y[:, 0], y[:, 1], y[:, 2], y[:, 3], own])

    def islands(self, sources: Bools, switching: Switching) -> tuple[Ints, int]:
        """Return the island of each bus (-1: no source) and their number; `sources` says where one is."""
        key = f"{sorted(switching.open_branches)}|".encode() + sources.tobytes()
        found = _recall(self._islands, key)
        if found is None:
            found = self._islands[key] = self._find_islands(sources, switching)
        return found

    def _find_islands(self, sources: Bools, switching: Switching) -> tuple[Ints, int]:
        model = self.model
        closed = np.ones(model.branch_from.size, dtype=bool)
        closed[sorted(switching.open_branches)] = False
        f, t = model.branch_from[closed], model.branch_to[closed]
        graph = sp.csr_matrix((np.ones(f.size), (f, t)), shape=(model.size, model.size))
        _, label = connected_components(graph, directed=False)
        number = {old: new for new, old in enumerate(dict.fromkeys(label[sources].tolist()))}
        return np.array([number.get(old, -1) for old in label.tolist()], dtype=np.int64), len(number)

    def configure(self, at_bus: Complexes, sources: Bools, ports: Ints, jacobian: Floats) -> Configuration:
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

        Raises
        ------
        SolveError
            When the matrix is singular.
        """
        key, topology = self._now(at_bus, sources)
        key += b"|" + jacobian.tobytes()
        made = _recall(self._configurations, key)
        if made is None:
            self.factorised_count += 1
            made = self._configurations[key] = self._factorise(topology, ports, jacobian)
        return made

    def topology(self, at_bus: Complexes, sources: Bools) -> Topology:
        """Return what is switched in now; arguments as for `configure`."""
        return self._now(at_bus, sources)[1]

    def _now(self, at_bus: Complexes, sources: Bools) -> tuple[bytes, Topology]:
        switching = self.switching
        switched = f"{sorted(switching.open_branches)} {sorted(switching.fault_y.items())}".encode()
        key = b"|".join((switched, at_bus.tobytes(), sources.tobytes()))
        found = _recall(self._topologies, key)
        if found is None:
            found = self._topologies[key] = self._topology(at_bus, sources)
        return key, found

    def _topology(self, at_bus: Complexes, sources: Bools) -> Topology:
        value = self.admittance(at_bus, self.switching)
        island, count = self.islands(sources, self.switching)
        dead = island < 0
        if dead.any():
            value[dead[self._row] | dead[self._column]] = 0.0
            value[value.size - dead.size :][dead] = 1.0
        return Topology(island, count, value)

    def _factorise(self, topology: Topology, ports: Ints, jacobian: Floats) -> Configuration:
        island, count, value = topology
        if jacobian.size:
            jacobian = np.where((island[ports] < 0)[:, None, None], 0.0, jacobian)
        size = self.model.size
        try:
            if ports.size <= DENSE_PORTS:
                y = sp.csc_matrix((value, (self._row, self._column)), shape=(size, size))
                net, expand = _dense_net(y, ports, jacobian)
                return Configuration(net, island, count, expand)
            return Configuration(self._sparse_net(value, jacobian), island, count, None)
        except (RuntimeError, np.linalg.LinAlgError) as error:
            msg = f"the network matrix is singular after switching: {error}"
            raise SolveError(msg) from error

    def _sparse_net(self, value: Complexes, jacobian: Floats) -> Net:
        size = self.model.size
        if self._pattern is None:
            self._pattern = find_pattern(size, self._row, self._column)
        pattern = self._pattern
        lower, upper, pivot = factors(pattern, value, jacobian)
        net = Net(np.zeros((0, 0)), jacobian, pattern.place, pattern.start, pattern.row, lower, upper, pivot)
        flat = np.bincount(self._row, value.real, size) + 1j * np.bincount(self._row, value.imag, size)
        if jacobian.size:
            flat -= jacobian[:, 0, 0] + 1j * jacobian[:, 1, 0]
        v = np.empty(size, dtype=np.complex128)
        solve(net, flat, v, np.empty(2 * size))
        if not np.abs(v - 1.0).max() < ROUNDING:  # nan is one, too
            msg = "elimination lost all digits"
            raise np.linalg.LinAlgError(msg)
        return net


def _recall(memory: OrderedDict[bytes, Kept], key: bytes) -> Kept | None:
    """Return what is remembered under a key, None if nothing is; forget what was used longest ago."""
    found = memory.get(key)
    if found is not None:
        memory.move_to_end(key)
    elif len(memory) >= KEPT:
        memory.popitem(last=False)
    return found


def branch_of(model: Model, table: str, row: int) -> int:
    """Return the branch of a row of the line or trafo table, -1 where it is out of service."""
    branch = int(model.rows[table][row]) if table in model.rows else -1
    return branch if branch < model.branch_from.size else -1

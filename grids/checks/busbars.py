r"""Busbars of real stations: what a row of bus.csv stands for, opened again.

A row with `busbars` above 1 stands for that many real busbars. Two kinds of rows exist:

* with `spacing_km`: stations of a region, joined by double circuits of that length to a ring. The impedance
  per kilometre is the mean of the case's lines of the voltage;
* without: busbars run apart, as zones of 220 kV each with its own transformers, which meet at the voltage
  above only, and sections of stations that operators part to keep the breakers' rating.

What is at the row is dealt to them evenly: machines in equal shares, transformers one by one, circuits by
twos (the circuits of one tower line end at the same station), the k-th of K in the order of the tables to the
busbar :math:`\lfloor (k + 1/2) N / K \rfloor`. All circuits between two rows end at the same busbar where one
of the rows is run apart; else they would join what is apart.

Limits: with one busbar each, the network is that of the tables. Without impedance between them the busbars
are one and carry the current of the row, :math:`I`. Apart and fed by their own shares alone each carries
:math:`I/N`. In between, for a bus whose neighbours are single busbars, equal shares give

.. math:: Z_{11} = Z_{kk} + \frac 1 N \sum_{m=1}^{N-1} \frac{1}{Y_{kk}/N + 2 y (1 - \cos 2\pi m/N)}

with :math:`Z_{kk}` and :math:`Y_{kk}` of the row as one bus and :math:`y` the admittance of a link: the modes
of a ring [1]_ (two busbars have one link between them: half of it). Circuits to other regions keep their
length from middle to middle, which is a little too long; the busbars of a zone count as one, which is a
little too near.

References
----------
.. [1] P. J. Davis, *Circulant Matrices*, Wiley 1979, section 3.2: eigenvalues of a ring.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.core.types import Bools, Floats, Ints
from grids.numbers import Complexes

TOWER_CIRCUITS = 2
"""Circuits of one tower line, between the same two stations."""


@dataclass(frozen=True)
class Busbars:
    """Nodes of a network, one per busbar; arrays of shape (buses,) in rows of `net.bus`."""

    count: Ints
    first: Ints
    """Node of the first busbar of each row; the others follow."""
    spacing_km: Floats
    """Length of the double circuits between them, nan where they are run apart."""

    @classmethod
    def of(cls, net: Any) -> "Busbars":
        """Return the busbars of a net; one each where its table of buses has no such columns."""
        size = len(net.bus)
        count = np.ones(size, dtype=np.int64)
        spacing_km = np.full(size, math.nan)
        if "busbars" in net.bus:
            count = net.bus["busbars"].fillna(1).to_numpy(dtype=np.int64)
        if "spacing_km" in net.bus:
            spacing_km = net.bus["spacing_km"].to_numpy(dtype=float)
        return cls(count, np.cumsum(count) - count, spacing_km)

    @property
    def size(self) -> int:
        """Number of nodes."""
        return int(self.count.sum())

    @property
    def row(self) -> Ints:
        """Row of `net.bus` of each node."""
        return np.repeat(np.arange(self.count.size), self.count)

    @property
    def apart(self) -> Bools:
        """Which rows stand for busbars that are run apart."""
        return np.asarray((self.count > 1) & np.isnan(self.spacing_km))

    def dealt(self, rows: Ints) -> Ints:
        """Return the node of each of several things, in the order in which they are dealt at their rows."""
        total = np.bincount(rows, minlength=self.count.size)
        order = np.argsort(rows, kind="stable")
        before = np.cumsum(total) - total
        rank = np.empty(rows.size, dtype=np.int64)
        rank[order] = np.arange(rows.size) - before[rows[order]]
        return np.asarray(self.first[rows] + (2 * rank + 1) * self.count[rows] // (2 * total[rows]))

    def circuits(self, f: Ints, t: Ints) -> tuple[Ints, Ints]:
        """Return the nodes at both ends of circuits between rows `f` and `t`, shape (circuits,)."""
        corridors: dict[tuple[int, int], list[int]] = {}
        for k, (one, other) in enumerate(zip(f.tolist(), t.tolist(), strict=True)):
            corridors.setdefault((min(one, other), max(one, other)), []).append(k)
        towers: list[tuple[int, int, list[int]]] = []
        for (low, high), members in corridors.items():
            most = len(members) if self.apart[low] or self.apart[high] else TOWER_CIRCUITS
            towers += [(low, high, members[k : k + most]) for k in range(0, len(members), most)]
        ends = np.array([end for low, high, _ in towers for end in (low, high)], dtype=np.int64)
        nodes = self.dealt(ends).reshape(-1, 2)
        f_node, t_node = np.empty(f.size, dtype=np.int64), np.empty(f.size, dtype=np.int64)
        for (low, _, members), (at_low, at_high) in zip(towers, nodes.tolist(), strict=True):
            for k in members:
                f_node[k], t_node[k] = (at_low, at_high) if f[k] == low else (at_high, at_low)
        return f_node, t_node

    def rings(self) -> tuple[Ints, Ints, Ints]:
        """Return the nodes at both ends of the links between busbars, and the row of each link."""
        ends: list[tuple[int, int, int]] = []
        for row in np.flatnonzero((self.count > 1) & ~np.isnan(self.spacing_km)).tolist():
            first, count = int(self.first[row]), int(self.count[row])
            links = count if count > 2 else 1
            ends += [(first + k, first + (k + 1) % count, row) for k in range(links)]
        table = np.array(ends, dtype=np.int64).reshape(-1, 3)
        return table[:, 0], table[:, 1], table[:, 2]


def ring_admittance(net: Any, busbars: Busbars, base_mva: float, rows: Ints) -> Complexes:
    """Return the admittance of a link between busbars of each row [pu].

    Raises
    ------
    ValueError
        When the case has no line of the voltage whose impedance per kilometre could be taken.
    """
    line = net.line[net.line["in_service"]]
    line_kv = net.bus["vn_kv"].loc[line["from_bus"]].to_numpy(dtype=float)
    ohm_per_km = line["r_ohm_per_km"].to_numpy(dtype=float) + 1j * line["x_ohm_per_km"].to_numpy(dtype=float)
    bus_kv = net.bus["vn_kv"].to_numpy(dtype=float)
    admittance = np.empty(rows.size, dtype=np.complex128)
    for k, row in enumerate(rows.tolist()):
        same = line_kv == bus_kv[row]
        if not same.any():
            name = net.bus["name"].iloc[row]
            msg = f"bus {name!r}: spacing_km needs a line of {bus_kv[row]:g} kV in the case"
            raise ValueError(msg)
        ohm = ohm_per_km[same].mean() * busbars.spacing_km[row] / TOWER_CIRCUITS
        admittance[k] = bus_kv[row] ** 2 / base_mva / ohm
    return admittance

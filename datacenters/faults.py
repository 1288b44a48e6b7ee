"""Which sites and lines of a fleet work: what is lost, dark or cut, and when it is back."""

import numpy as np

from cosim.core.component import Emit
from cosim.core.types import Bools, Floats
from datacenters.kernels import jobs as k
from datacenters.kernels.job_moves import fail_site
from datacenters.network import Network
from datacenters.roster import Roster


class Faults:
    """Sites that are up, lines that carry, and accidents of either.

    Attributes
    ----------
    network
        What joins the sites when nothing is cut.
    up
        Which sites work, shape (sites,).
    route_gbit_per_s
        What each line carries now, shape (sites, sites).
    sums
        What losses of sites cost since they were last counted; rows of `kernels.jobs`, shape (rows, sites).
    """

    def __init__(self, network: Network, roster: Roster, emit: Emit) -> None:
        self.names, self.network, self._roster, self._emit = network.names, network, roster, emit
        n = len(self.names)
        self.up: Bools = np.ones(n, dtype=np.bool_)
        self.route_gbit_per_s: Floats = network.bandwidth_gbit_per_s.copy()
        self.sums = np.zeros((k.N_SUMS, n))
        self._back_s = np.full(n, np.inf)
        self._dark, self._lost = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
        self._cuts: list[tuple[float, int, int]] = []

    def counted(self) -> Floats:
        """Return `sums` and begin anew."""
        sums, self.sums = self.sums, np.zeros_like(self.sums)
        return sums

    def fail(self, t_s: float, site: int, for_s: float | None) -> None:
        """Lose a site at once, for a time or until `recover`."""
        self._lost[site] = True
        self._back_s[site] = np.inf if for_s is None else t_s + for_s
        self._fall(t_s, site)

    def _fall(self, t_s: float, site: int) -> None:
        self.up[site], roster = False, self._roster
        hit = fail_site(roster.jobs, roster.life, roster.pool, self.sums, site, t_s)
        text = f"{self.names[site]} is lost: {hit} jobs fall back to their last checkpoints"
        self._emit(t_s, self.names[site], "site_lost", text)
        roster.tell()

    def recover(self, t_s: float, site: int) -> None:
        """Take a site back, unless its hall is dark; what waits may start there at once."""
        self._lost[site], self._back_s[site] = False, np.inf
        self._rise(t_s, site)

    def _rise(self, t_s: float, site: int) -> None:
        if self.up[site] or self._lost[site] or self._dark[site]:
            return
        self.up[site] = True
        self._roster.pool.tally[k.FLOWS] = 1
        self._emit(t_s, self.names[site], "site_back", f"{self.names[site]} is back")

    def cut(self, t_s: float, a: int, b: int, for_s: float | None) -> None:
        """Cut the line between two sites, both ways."""
        self.route_gbit_per_s[a, b] = self.route_gbit_per_s[b, a] = 0.0
        self._cuts.append((np.inf if for_s is None else t_s + for_s, a, b))
        self._roster.pool.tally[k.FLOWS] = 1
        self._emit(t_s, self.names[a], "line_cut", f"the line {self.names[a]}-{self.names[b]} is cut")

    def back(self, t_s: float) -> None:
        """Take back what was lost or cut for a time."""
        for site in np.flatnonzero(self._back_s <= t_s + 1e-9):
            self.recover(t_s, int(site))
        for until_s, a, b in [cut for cut in self._cuts if cut[0] <= t_s + 1e-9]:
            self._cuts.remove((until_s, a, b))
            if not any({a, b} == {c, d} for _, c, d in self._cuts):
                self.route_gbit_per_s[a, b] = self.network.bandwidth_gbit_per_s[a, b]
                self.route_gbit_per_s[b, a] = self.network.bandwidth_gbit_per_s[b, a]
                text = f"the line {self.names[a]}-{self.names[b]} carries again"
                self._emit(t_s, self.names[a], "line_back", text)
            self._roster.pool.tally[k.FLOWS] = 1

    def darken(self, t_s: float, capacity_gpu: Floats) -> None:
        """Lose sites whose hall has gone dark, and take them back with it."""
        was, self._dark = self._dark, capacity_gpu <= 0.0
        for site in np.flatnonzero(self._dark & self.up):
            self._fall(t_s, int(site))
        for site in np.flatnonzero(was & ~self._dark):
            self._rise(t_s, int(site))

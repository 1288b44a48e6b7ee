r"""Sessions of a service on their way: they end where they are, or their state travels.

Between two exchanges sessions end at random; who comes next goes where the service should be:

.. math:: n_s \leftarrow n_s e^{-\Delta t/T_s} + \Big(w - \sum_r n_r e^{-\Delta t/T_s}\Big)\,
   \frac{(g_s - n_s e^{-\Delta t/T_s})^+}{\sum_r (g_r - n_r e^{-\Delta t/T_s})^+}

with the load :math:`n_s` of each site, its goal :math:`g_s` and what is wanted :math:`w` [GPU]. Where the
service moves by state, what is beyond its goal is copied besides, all at once when its copy has come.
"""

from dataclasses import dataclass, field

import numpy as np

from cosim.core.types import Bools, Floats
from datacenters.service_params import ServiceParams

BEGINS_PU, DONE_PU = 0.1, 0.02
"""A shift is told when so much of a service should be elsewhere, and is done when so much is not yet."""

COPIED_PU = 0.05
"""Less of a service than this is not worth a copy: its sessions end where they are."""

TINY = 1e-9


@dataclass
class Copy:
    """State of sessions that travels."""

    source: int
    target: int
    gpus: float
    left_gb: float
    stands_s: float = 0.0


@dataclass
class Shift:
    """A change of sites that has been told and is not over: (from, to, GPU) and since when."""

    t_s: float
    parts: list[tuple[int, int, float]]
    goal_pu: Floats
    """Where it leads; when that was followed last, as the goal moved on."""
    drifted_s: float = -np.inf


@dataclass(frozen=True)
class Change:
    """What is told of sessions: `what` is a kind of event without `service_`."""

    what: str
    source: int
    target: int
    gpus: float
    took_s: float = 0.0
    gb: float = 0.0
    why: str = ""


@dataclass
class Sessions:
    """The sessions of one service; arrays over sites."""

    params: ServiceParams
    patience_s: float
    """A copy that stands still so long is given up."""
    load_gpu: Floats
    """Work of the sessions at each site."""
    double_gpu: Floats
    """What still runs a second time where sessions have left."""
    dark_s: Floats
    """How long a site with sessions has been lost."""
    told_pu: Floats
    """Where the service is, as told last."""
    copies: list[Copy] = field(default_factory=list)
    shift: Shift | None = None
    retry_s: float = 0.0
    """No copy begins before, as one did not arrive."""
    begun: bool = False
    _gaps: list[tuple[int, float, float]] = field(default_factory=list)
    """Site, GPU and end of pauses while routes change."""

    @classmethod
    def of(cls, params: ServiceParams, patience_s: float, sites: int) -> "Sessions":
        """Return a service that has none yet."""
        load_gpu, double_gpu, dark_s, told_pu = np.zeros((4, sites))
        return cls(params, patience_s, load_gpu, double_gpu, dark_s, told_pu)

    def advance(
        self, t_s: float, dt_s: float, wanted_gpu: float, goal_gpu: Floats, up: Bools
    ) -> tuple[Floats, list[Change]]:
        """Take all sessions through an exchange; returns what runs twice, mean over it, and what to tell."""
        if not self.begun:
            self.begun, self.load_gpu = True, goal_gpu.copy()
            self.told_pu = _part(goal_gpu, wanted_gpu)
            return np.zeros(goal_gpu.size), []
        told = self._lose(t_s, dt_s, goal_gpu, up)
        told += self._land(t_s, goal_gpu, up)
        leaving = self._turn_over(dt_s, wanted_gpu, goal_gpu, up)
        if self.params.moves_by == "state":
            self._send(t_s, wanted_gpu, goal_gpu, up)
        told += self._follow(t_s, wanted_gpu, goal_gpu)
        return self._doubled(dt_s, leaving, up), told

    def paused(self, t_s: float, dt_s: float) -> Floats:
        """Return the work that waits while routes change, mean over an exchange."""
        found = np.zeros(self.load_gpu.size)
        for site, gpus, until_s in self._gaps:
            found[site] += gpus * min(until_s - t_s, dt_s) / dt_s
        self._gaps = [gap for gap in self._gaps if gap[2] > t_s + dt_s + TINY]
        return np.minimum(found, self.load_gpu)

    def _lose(self, t_s: float, dt_s: float, goal_gpu: Floats, up: Bools) -> list[Change]:
        """End the sessions of lost sites once their users have noticed; they begin again elsewhere."""
        if up.all():
            self.dark_s[:] = 0.0
            return []
        over = ~up & (self.dark_s >= self.params.failover_s - TINY) & (self.load_gpu > TINY)
        self.dark_s = np.where(up, 0.0, self.dark_s + dt_s)
        if not over.any():
            return []
        lost = np.where(over, self.load_gpu, 0.0)
        self.load_gpu = self.load_gpu - lost
        if lost.sum() <= DONE_PU * goal_gpu.sum():
            return []
        lacking = np.maximum(goal_gpu - self.load_gpu, 0.0)
        took_s = 0.0 if self.shift is None else t_s - self.shift.t_s
        self.shift = None
        self.told_pu = _part(goal_gpu, float(goal_gpu.sum()))
        return [Change("restarted", a, b, gpus, took_s) for a, b, gpus in _pairs(lost, lacking)]

    def _land(self, t_s: float, goal_gpu: Floats, up: Bools) -> list[Change]:
        """Let sessions go on where their state has come, or where they were when it cannot come."""
        told = []
        for copy in list(self.copies):
            a, b = copy.source, copy.target
            room = float(goal_gpu[b] - self.load_gpu[b])
            why = ""
            if not up[a] or not up[b]:
                why = "the site is lost"
            elif copy.stands_s > self.patience_s:
                why = "the copy does not come on"
            elif copy.left_gb <= TINY and room <= DONE_PU * copy.gpus:
                why = "no room any more"
            if why:
                told.append(Change("rolled_back", a, b, copy.gpus, why=why))
                self.retry_s = t_s + self.params.calm_s
                self.shift = None
                self.copies.remove(copy)
            elif copy.left_gb <= TINY:
                gpus = min(copy.gpus, float(self.load_gpu[a]), room)
                self.load_gpu[a] -= gpus
                self.load_gpu[b] += gpus
                self._gaps.append((b, gpus, t_s + self.params.cut_over_s))
                self.copies.remove(copy)
        return told

    def _turn_over(self, dt_s: float, wanted_gpu: float, goal_gpu: Floats, up: Bools) -> Floats:
        """Let sessions end and others begin; returns what has left each site."""
        before, total = self.load_gpu, float(self.load_gpu.sum())
        stay = float(np.exp(-dt_s / self.params.session_s))
        load = np.where(up, before * stay, before)
        rest = wanted_gpu - float(load.sum())
        if rest > 0.0:
            lacking = np.maximum(goal_gpu - load, 0.0)
            load += lacking * (rest / max(float(lacking.sum()), TINY))
        elif rest < 0.0:
            load *= wanted_gpu / load.sum()
        for copy in self.copies:
            copy.gpus, copy.left_gb = copy.gpus * stay, copy.left_gb * stay
        self.load_gpu = load
        fewer = min(wanted_gpu / total, 1.0) if total > 0.0 else 0.0
        return np.maximum(before * fewer - load, 0.0)

    def _send(self, t_s: float, wanted_gpu: float, goal_gpu: Floats, up: Bools) -> None:
        """Begin to copy the state of sessions that are beyond the goal of their site."""
        if self.copies or t_s < self.retry_s:
            return
        beyond = np.where(up, np.maximum(self.load_gpu - goal_gpu, 0.0), 0.0)
        if beyond.sum() <= COPIED_PU * wanted_gpu:
            return
        lacking = np.maximum(goal_gpu - self.load_gpu, 0.0)
        for a, b, gpus in _pairs(beyond, lacking):
            self.copies.append(Copy(a, b, gpus, gpus * self.params.session_gb_per_gpu))

    def _follow(self, t_s: float, wanted_gpu: float, goal_gpu: Floats) -> list[Change]:
        """Return what is to be told: a shift that begins, or is over."""
        if wanted_gpu <= 0.0:
            return []
        goal, now = _part(goal_gpu, wanted_gpu), _part(self.load_gpu, wanted_gpu)
        if self.shift is None:
            if float(np.abs(goal - self.told_pu).max()) < BEGINS_PU:
                return []
            parts = _pairs(np.maximum(self.told_pu - goal, 0.0), np.maximum(goal - self.told_pu, 0.0))
            self.shift = Shift(t_s, [(a, b, pu * wanted_gpu) for a, b, pu in parts], goal)
            gb = {(copy.source, copy.target): copy.left_gb for copy in self.copies}
            return [Change("leaves", a, b, gpus, gb=gb.get((a, b), 0.0)) for a, b, gpus in self.shift.parts]
        if float(np.abs(goal - self.shift.goal_pu).max()) > DONE_PU:
            self.shift.goal_pu, self.shift.drifted_s = goal, t_s
        moves_on = t_s < self.shift.drifted_s + self.params.session_s
        if self.copies or moves_on or float(np.abs(now - goal).max()) > DONE_PU:
            return []
        parts = _pairs(np.maximum(self.told_pu - goal, 0.0), np.maximum(goal - self.told_pu, 0.0))
        took_s = t_s - self.shift.t_s
        told = [Change("moved", a, b, pu * wanted_gpu, took_s) for a, b, pu in parts if pu >= DONE_PU]
        told = told or [Change("stays", a, b, gpus, took_s) for a, b, gpus in self.shift.parts]
        self.shift, self.told_pu = None, goal
        return told

    def _doubled(self, dt_s: float, leaving: Floats, up: Bools) -> Floats:
        """Return what runs at both ends: a while where sessions have left, and where their state comes."""
        part, last = self.params.double_pu, self.params.double_s / dt_s
        faded = float(np.exp(-1.0 / last)) if last > 0.0 else 0.0
        rising = part * last * leaving
        mean = self.double_gpu * last * (1.0 - faded) + rising * (1.0 - last * (1.0 - faded))
        self.double_gpu = np.where(up, self.double_gpu * faded + rising * (1.0 - faded), 0.0)
        for copy in self.copies:
            mean[copy.target] += part * copy.gpus
        return np.where(up, mean, 0.0)


def _part(gpus: Floats, of: float) -> Floats:
    return gpus / of if of > 0.0 else gpus * 0.0


def _pairs(leaves: Floats, comes: Floats) -> list[tuple[int, int, float]]:
    """Return who goes from where to where, when all that leaves spreads over all that comes."""
    total = float(comes.sum())
    if total <= 0.0:
        return []
    least = DONE_PU * float(leaves.sum())
    return [
        (a, b, float(leaves[a] * comes[b] / total))
        for a in np.flatnonzero(leaves > 0.0).tolist()
        for b in np.flatnonzero(comes > 0.0).tolist()
        if leaves[a] * comes[b] / total > least
    ]

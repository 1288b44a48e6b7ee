"""Jobs that must go because a site may hold less than they do: saved, the newest first, or told why not."""

import json

import numpy as np

from cosim.core.component import Emit
from cosim.core.types import Bools, Floats
from datacenters.kernels import jobs as k
from datacenters.kernels.job_moves import begin_move
from datacenters.roster import Roster

MOST_NAMED = 10
"""Jobs named in one event; the others are counted."""

WHY_NOT = {
    k.FETCHING: "its data are on the way",
    k.LOADING: "it loads",
    k.DRAINING: "it leaves already",
    k.MOVING: "it leaves already",
    k.STARTING: "it leaves already",
}
"""Why a job cannot be saved now, by its state; others may not be moved."""


class Shedding:
    """Suspends jobs where they hold more accelerators than they may."""

    def __init__(self, roster: Roster, emit: Emit) -> None:
        self._roster, self._emit = roster, emit
        self._told: dict[int, set[int]] = {}

    def shed(self, t_s: float, cap_gpu: Floats, up: Bools) -> None:
        """Suspend jobs, the newest first, and tell which hold what they may not and cannot be saved."""
        pool, life, jobs = self._roster.pool, self._roster.life, self._roster.jobs
        over_gpu = np.where(up, pool.used_gpu - cap_gpu, 0.0)
        for s in np.flatnonzero(over_gpu > 1e-9).tolist():
            over = float(over_gpu[s]) - self._roster.leaving_gpu(s)
            who = self._roster.movable(s, None)
            for j in who[np.argsort(-life.begin_s[who], kind="stable")].tolist():
                if over <= 1e-9:
                    break
                if begin_move(jobs, life, pool, j, k.TO_QUEUE, t_s, np.inf):
                    over -= float(jobs.gpus[j])
            if over > 1e-9:
                self._tell(t_s, s, over)
        for s in [s for s in self._told if over_gpu[s] <= 1e-9]:
            del self._told[s]

    def _tell(self, t_s: float, s: int, over_gpu: float) -> None:
        """Tell which jobs stay, each once for as long as there are too many."""
        roster, life = self._roster, self._roster.life
        active = roster.active
        stays = active[(life.site[active] == s) & (life.target[active] != k.TO_QUEUE)]
        told = self._told.setdefault(s, set())
        new = [j for j in stays.tolist() if j not in told]
        if not new:
            return
        told.update(new)
        named = ", ".join(
            f"{roster.set.label(j)} ({WHY_NOT.get(int(life.state[j]), 'it may not be moved')})"
            for j in new[:MOST_NAMED]
        )
        more = f" and {len(new) - MOST_NAMED} more" if len(new) > MOST_NAMED else ""
        site = roster.names[s]
        text = f"{site} holds {over_gpu:g} accelerators more than it may; not saved now: {named}{more}"
        data = {"over_gpu": over_gpu, "jobs": [roster.set.label(j) for j in new]}
        self._emit(t_s, site, "not_shed", text, json.dumps(data))

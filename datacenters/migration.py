"""Running jobs leave for other sites: whether a move can be done in time, and orders to move."""

import json
from dataclasses import dataclass

import numpy as np

from cosim.core.component import Emit
from cosim.core.types import Floats, Ints
from datacenters.faults import Faults
from datacenters.kernels import jobs as k
from datacenters.kernels.job_moves import begin_move
from datacenters.network import copy_s, precopy
from datacenters.policies import Ranking
from datacenters.roster import Roster

STOP_GB = 1.0
"""Last round of a live copy, for estimates."""


@dataclass
class Move:
    """An order to move jobs, not yet done."""

    source: int
    target: int
    left_gpu: float
    until_s: float
    moved_gpu: float = 0.0


class Moves:
    """Jobs that are ordered to leave a site, or that a policy or a limit makes leave.

    Attributes
    ----------
    open
        Orders not yet done.
    """

    def __init__(self, roster: Roster, faults: Faults, access_gbit_per_s: Floats, emit: Emit) -> None:
        self._roster, self._faults, self._access_gbit_per_s, self._emit = (
            roster,
            faults,
            access_gbit_per_s,
            emit,
        )
        self._names = roster.names
        self.open: list[Move] = []
        self._calm_until_s = 0.0

    def order(self, t_s: float, source: int, target: int, gpus: float, over_s: float) -> str | None:
        """Order jobs to move; returns why they cannot, or None."""
        who = self._roster.movable(source, target)
        reason = self._too_slow(who, (source, target), gpus, over_s)
        if reason is None:
            self.open.append(Move(source, target, gpus, t_s + over_s))
        return reason

    def needed_s(self, who: Ints, source: int, target: int) -> tuple[float, str]:
        """Return how long it takes to move jobs together [s], and of what that is made.

        They share the line, so their states add up; saving and loading run beside each other, loading of what
        is copied live beside the copy.
        """
        jobs, access = self._roster.jobs, self._access_gbit_per_s
        rate = float(min(self._faults.route_gbit_per_s[source, target], access[source], access[target]))
        if rate <= 0.0:
            return np.inf, f"the line {self._names[source]}-{self._names[target]} is cut"
        gigabytes = float(jobs.state_gb[who].sum())
        dirty = float(jobs.dirty_gbit_per_s[who].sum())
        copy = precopy(gigabytes, rate, dirty, STOP_GB)[0] if dirty > 0.0 else copy_s(gigabytes, rate)
        live = jobs.dirty_gbit_per_s[who] > 0.0
        save = float(np.where(live, 0.0, jobs.save_s[who]).max(initial=0.0))
        copy = max(copy, float(np.where(live, jobs.load_s[who], 0.0).max(initial=0.0)))
        load = float(np.where(live, 0.0, jobs.load_s[who]).max(initial=0.0))
        parts = (
            f"saving {save:g} s, copy {copy:.1f} s ({gigabytes:g} GB at {rate:g} Gbit/s), loading {load:g} s"
        )
        return save + copy + load, parts

    def _too_slow(self, who: Ints, ends: tuple[int, int], gpus: float, over_s: float) -> str | None:
        """Return why jobs of so many accelerators cannot move from one end to the other in time, or None."""
        source, target = ends
        order = who[np.argsort(-self._roster.jobs.gpus[who], kind="stable")]
        sizes = self._roster.jobs.gpus[order]
        taken, chosen = 0.0, []
        for j, size in zip(order, sizes, strict=True):
            if taken + size <= gpus + 1e-9:
                chosen.append(j)
                taken += float(size)
        where = f"{self._names[source]} to {self._names[target]}"
        if not chosen:
            smallest = f", the smallest of {sizes.min():g}" if sizes.size else ""
            can = f"{sizes.size} can move{smallest}"
            return f"no running job of at most {gpus:g} accelerators can go from {where} ({can})"
        needs_s, parts = self.needed_s(np.array(chosen, dtype=np.int64), source, target)
        if needs_s > over_s:
            cannot = f"{len(chosen)} jobs cannot go from {where} in {over_s:g} s"
            return f"{cannot}: {needs_s:.1f} s are needed: {parts}"
        return None

    def follow(self, t_s: float, ranking: Ranking, cap_gpu: Floats) -> None:
        """Let running work leave the worst site for the best where the policy wants that."""
        if not np.isfinite(ranking.moves_above) or t_s < self._calm_until_s or self.open:
            return
        roster = self._roster
        score = np.where(self._faults.up, ranking.score, np.nan)
        held = np.array([roster.held_gpu(s) if self._faults.up[s] else 0.0 for s in range(len(self._names))])
        if not held.any():
            return
        source = int(np.nanargmax(np.where(held > 0.0, score, -np.inf)))
        target = int(np.nanargmin(score))
        if source == target or score[source] - score[target] <= ranking.moves_above:
            return
        can_go = float(roster.jobs.gpus[roster.movable(source, target)].sum())
        room = min(float(cap_gpu[target] - roster.pool.used_gpu[target]), can_go)
        if room > 0.0:
            self.open.append(Move(source, target, room, t_s + 600.0))
            self._calm_until_s = t_s + 900.0

    def carry_out(self, t_s: float, sites: k.Sites) -> Floats:
        """Let jobs leave as far as the target has room and may add power; returns what waits for leave."""
        roster = self._roster
        asked = np.zeros(len(self._names))
        for move in list(self.open):
            a, b = move.source, move.target
            who = roster.movable(a, b)
            for j in who[np.argsort(-roster.jobs.gpus[who], kind="stable")]:
                gpus = float(roster.jobs.gpus[j])
                if gpus > move.left_gpu + 1e-9 or gpus > sites.cap_gpu[b] - roster.pool.used_gpu[b] + 1e-9:
                    continue
                needs = gpus * float(roster.jobs.busy_pu[j])
                if needs > sites.room_gpu[b]:
                    asked[b] = max(asked[b], needs)
                    continue
                if begin_move(roster.jobs, roster.life, roster.pool, int(j), b, t_s):
                    sites.room_gpu[b] -= needs
                    move.left_gpu -= gpus
                    move.moved_gpu += gpus
            waits = bool(asked[b]) or any(roster.jobs.gpus[j] <= move.left_gpu for j in roster.movable(a, b))
            if waits and self._faults.up[a] and t_s < move.until_s:
                continue
            self.open.remove(move)
            text = f"jobs of {move.moved_gpu:g} accelerators have left for {self._names[b]}"
            text += f", {move.left_gpu:g} less than ordered" if waits else ""
            data = {"from": self._names[a], "to": self._names[b], "gpus": move.moved_gpu}
            self._emit(t_s, self._names[a], "move_short" if waits else "move_left", text, json.dumps(data))
        return asked

    def shed(self, t_s: float, cap_gpu: Floats) -> None:
        """Suspend jobs, the newest first, where they hold more than they may."""
        roster = self._roster
        for s in np.flatnonzero((roster.pool.used_gpu > cap_gpu + 1e-9) & self._faults.up):
            over = float(roster.pool.used_gpu[s] - cap_gpu[s]) - roster.leaving_gpu(int(s))
            who = roster.movable(int(s), None)
            for j in who[np.argsort(-roster.life.begin_s[who], kind="stable")]:
                if over <= 1e-9:
                    break
                if begin_move(roster.jobs, roster.life, roster.pool, int(j), k.TO_QUEUE, t_s):
                    over -= float(roster.jobs.gpus[j])

"""Running jobs leave for other sites: whether a move can be done in time, and orders to move."""

import json
from dataclasses import dataclass, field

import numpy as np

from cosim.core.component import Emit
from cosim.core.types import Bools, Floats, Ints
from datacenters.faults import Faults
from datacenters.kernels import jobs as k
from datacenters.kernels.job_moves import begin_move
from datacenters.network import copy_s, precopy
from datacenters.policies import Ranking
from datacenters.roster import Roster

STOP_GB = 1.0
"""Last round of a live copy, for estimates."""
ROUNDED_TICKS = 4
"""Saving, setting out, copying and loading each end at a tick."""
POLICY_LASTS_S, POLICY_CALM_S = 600.0, 900.0
"""Jobs set out so long where a policy makes them move; no sooner does it so again (unconfirmed)."""


@dataclass
class Move:
    """An order to move jobs, not yet done: open until the last of them has come or is back."""

    source: int
    target: int
    left_gpu: float
    until_s: float
    """Jobs leave until then."""
    due_s: float = np.inf
    """They must have arrived then."""
    came_gpu: float = 0.0
    back_gpu: float = 0.0
    under_way: dict[int, int] = field(default_factory=dict)
    """Job -> how often it had moved before."""


class Moves:
    """Jobs that are ordered to leave a site, or that a policy makes leave.

    Attributes
    ----------
    open
        Orders not yet done.

    Notes
    -----
    The time of a move is saving, copying :math:`8 S / B` with what is under way on the line before it,
    and loading, each rounded up to ticks.
    """

    def __init__(
        self, roster: Roster, faults: Faults, access_gbit_per_s: Floats, tick_s: float, emit: Emit
    ) -> None:
        self._roster, self._faults, self._emit = roster, faults, emit
        self._access_gbit_per_s, self._tick_s = access_gbit_per_s, tick_s
        self._names = roster.names
        self.open: list[Move] = []
        self._calm_until_s = 0.0

    def order(self, t_s: float, source: int, target: int, gpus: float, over_s: float) -> str | None:
        """Order jobs to move; returns why they cannot, or None."""
        who = self._roster.movable(source, target)
        reason = self._too_slow(who, (source, target), gpus, over_s)
        if reason is None:
            self.open.append(Move(source, target, gpus, t_s + over_s, t_s + over_s))
        return reason

    def needed_s(self, who: Ints, source: int, target: int) -> tuple[float, str]:
        """Return how long it takes to move jobs together [s], and of what that is made.

        They share the line, so their states add up; saving and loading run beside each other, loading of what
        is copied live beside the copy.
        """
        jobs, rate = self._roster.jobs, self._rate_gbit_per_s(source, target)
        if rate <= 0.0:
            return np.inf, f"the line {self._names[source]}-{self._names[target]} is cut"
        gigabytes, ahead = float(jobs.state_gb[who].sum()), self._ahead_gb(source, target)
        dirty = float(jobs.dirty_gbit_per_s[who].sum())
        copy = precopy(gigabytes, rate, dirty, STOP_GB)[0] if dirty > 0.0 else copy_s(gigabytes, rate)
        live = jobs.dirty_gbit_per_s[who] > 0.0
        save = float(np.where(live, 0.0, jobs.save_s[who]).max(initial=0.0))
        copy = max(copy + copy_s(ahead, rate), float(np.where(live, jobs.load_s[who], 0.0).max(initial=0.0)))
        load = float(np.where(live, 0.0, jobs.load_s[who]).max(initial=0.0))
        behind = f" behind {ahead:g} GB" if ahead > 0.0 else ""
        ticks = ROUNDED_TICKS * self._tick_s
        parts = (
            f"saving {save:g} s, copy {copy:.1f} s ({gigabytes:g} GB{behind} at {rate:g} Gbit/s), "
            f"loading {load:g} s, rounding to ticks {ticks:g} s"
        )
        return save + copy + load + ticks, parts

    def _rate_gbit_per_s(self, source: int, target: int, *, uncut: bool = False) -> float:
        """Return what a line carries now, or when it is not cut."""
        access, faults = self._access_gbit_per_s, self._faults
        route = faults.network.bandwidth_gbit_per_s if uncut else faults.route_gbit_per_s
        return float(min(route[source, target], access[source], access[target]))

    def _ahead_gb(self, source: int, target: int) -> float:
        """Return what jobs have under way out of a site or into another [GB]."""
        life, active = self._roster.life, self._roster.active
        state, at, to = life.state[active], life.site[active], life.target[active]
        fetches, leaves = state == k.FETCHING, (state == k.DRAINING) & (to >= 0)
        left = np.where(leaves, self._roster.jobs.state_gb[active], life.left_gb[active])
        out, into = np.where(fetches, life.data[active], at), np.where(fetches, at, to)
        travels = fetches | leaves | (state == k.MOVING)
        return float(left[travels & ((out == source) | (into == target))].sum())

    def _each_s(self, who: Ints, source: int, target: int) -> Floats:
        """Return how long each job takes behind what is under way, the line not cut [s], shape (jobs,)."""
        jobs, rate = self._roster.jobs, self._rate_gbit_per_s(source, target, uncut=True)
        dirty = jobs.dirty_gbit_per_s[who]
        left = rate - dirty
        own = np.where(left > 0.0, 8.0 * jobs.state_gb[who] / np.maximum(left, 1e-9), np.inf)
        copy = copy_s(self._ahead_gb(source, target), rate) + own
        load = jobs.load_s[who]
        whole = np.where(dirty > 0.0, np.maximum(copy, load), jobs.save_s[who] + copy + load)
        return np.asarray(whole + ROUNDED_TICKS * self._tick_s)

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

    def follow(self, t_s: float, ranking: Ranking, cap_gpu: Floats, kw: Floats) -> None:
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
        if (
            ranking.per_mw > 0.0
        ):  # load that goes betters one score and worsens the other: until they are equal
            gap_mw = float(score[source] - score[target]) / ranking.per_mw
            room = min(room, 1e3 * gap_mw / float(kw[source] + kw[target]))
        if room > 0.0:
            self.open.append(Move(source, target, room, t_s + POLICY_LASTS_S))
            self._calm_until_s = t_s + POLICY_CALM_S

    def carry_out(self, t_s: float, sites: k.Sites) -> Floats:
        """Let jobs leave as far as the target has room and may add power; returns what waits for leave."""
        asked = np.zeros(len(self._names))
        for move in self.open:  # all before any job sets out again, perhaps for another order
            self._look(move)
        for move in list(self.open):
            self._release(t_s, move, sites, asked)
            who = self._could_go(move)
            waits = bool(self._in_time(t_s, move, who).any())
            if move.under_way or (waits and self._faults.up[move.source] and t_s < move.until_s):
                continue
            self.open.remove(move)
            self._tell_end(t_s, move, who)
        return asked

    def _look(self, move: Move) -> None:
        """See who of an order has come, and who is back where it was or gone."""
        jobs, life = self._roster.jobs, self._roster.life
        for j, before in list(move.under_way.items()):
            if life.moves[j] == before and life.target[j] == move.target:
                continue
            del move.under_way[j]
            gpus = float(jobs.gpus[j])
            if life.moves[j] > before:
                move.came_gpu += gpus
            else:
                move.back_gpu += gpus
                move.left_gpu += gpus

    def _could_go(self, move: Move) -> Ints:
        """Return the running jobs small enough for what an order has left, the largest first."""
        gpus = self._roster.jobs.gpus
        who = self._roster.movable(move.source, move.target)
        who = who[gpus[who] <= move.left_gpu + 1e-9]
        return who[np.argsort(-gpus[who], kind="stable")]

    def _in_time(self, t_s: float, move: Move, who: Ints) -> Bools:
        each_s = self._each_s(who, move.source, move.target)
        return np.asarray(np.isfinite(each_s) & (t_s + each_s <= move.due_s + 1e-9))

    def _release(self, t_s: float, move: Move, sites: k.Sites, asked: Floats) -> None:
        roster, b = self._roster, move.target
        who = self._could_go(move)
        each_s = self._each_s(who, move.source, b)
        rate, ahead_gb = self._rate_gbit_per_s(move.source, b), 0.0
        for j, needs_s in zip(who.tolist(), each_s.tolist(), strict=True):
            gpus = float(roster.jobs.gpus[j])
            if gpus > move.left_gpu + 1e-9 or gpus > sites.cap_gpu[b] - roster.pool.used_gpu[b] + 1e-9:
                continue
            if rate <= 0.0 or t_s + needs_s + copy_s(ahead_gb, rate) > move.due_s + 1e-9:
                continue
            needs = gpus * float(roster.jobs.busy_pu[j])
            if needs > sites.room_gpu[b]:
                asked[b] = max(asked[b], needs)
                continue
            begin_move(roster.jobs, roster.life, roster.pool, j, b, t_s, move.due_s)
            sites.room_gpu[b] -= needs
            move.left_gpu -= gpus
            move.under_way[j] = int(roster.life.moves[j])
            ahead_gb += float(roster.jobs.state_gb[j])

    def _tell_end(self, t_s: float, move: Move, left: Ints) -> None:
        """Tell what became of an order, once nothing of it is under way."""
        source, target = self._names[move.source], self._names[move.target]
        is_short = bool(left.size) or min(move.back_gpu, move.left_gpu) > 1e-9
        text = f"jobs of {move.came_gpu:g} accelerators have come from {source} to {target}"
        if move.left_gpu > 1e-9:  # jobs of a size do not always add up to what was ordered
            text += f", {move.left_gpu:g} less than ordered"
        if move.back_gpu > 0.0:
            text += f"; {move.back_gpu:g} set out and came back"
        if left.size and not self._in_time(t_s, move, left).any():
            text += "; what is left would not be there in time"
        data = {"from": source, "to": target, "gpus": move.came_gpu, "short_gpu": move.left_gpu * is_short}
        self._emit(t_s, source, "move_short" if is_short else "move_done", text, json.dumps(data))

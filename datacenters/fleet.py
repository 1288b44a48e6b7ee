"""What all sites share: jobs, services, network, and the policy that says where work goes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import Field, ValidationError

from cosim.core.component import Context
from cosim.core.errors import ComponentError, ScenarioError, SuandianError
from cosim.core.params import Params
from cosim.core.types import Bools, Floats, Ints
from datacenters import job_files, migration, workload
from datacenters.kernels import jobs as k
from datacenters.network import Network, NetworkParams, network_of
from datacenters.policies import Policy, Ranking, View, policies
from datacenters.services import Served, ServiceParams, Services

HOUR_S = 3600.0
NO_LIMIT = 1e12
EVENTS = 1 << 16
"""Events of jobs kept in one exchange; more are counted, not told."""

TOLD = {
    k.BEGINS: ("job_begins", "{job} begins at {to}"),
    k.ENDS: ("job_ends", "{job} ends at {source}"),
    k.ENDS_LATE: ("job_late", "{job} ends at {source} after its deadline"),
    k.FETCHES: ("job_fetched", "{job} will run at {to}: {gb:g} GB come from {source}"),
    k.LEAVES: ("job_leaves", "{job} is saved at {source} to leave for {to}"),
    k.TRAVELS: ("job_travels", "{gb:g} GB of {job} travel from {source} to {to}"),
    k.CUTS_OVER: ("job_moved", "{job} goes on at {to}, {source} is free"),
    k.ROLLS_BACK: ("job_rolled_back", "{job} does not come to {to}: it goes on at {source}"),
    k.FAILS: ("job_failed", "{job} falls at {source}: {lost:.4g} GPU h since its last checkpoint are lost"),
    k.SUSPENDS: ("job_suspended", "{job} is saved and waits; {source} is free of it"),
    k.STALLS: ("job_stalled", "the copy of {job} from {source} to {to} does not come on"),
}
"""Kind and text of what happens to a job."""


class FleetParams(Params):
    """The work of all sites of a scenario and who decides where it runs; one site carries it."""

    policy: str = Field(default="backfill", description="who ranks sites: an installed policy")
    policy_settings: dict[str, Any] = Field(default={}, description="settings of the policy")
    jobs: tuple[workload.Population, ...] = Field(default=(), description="jobs drawn from statistics")
    jobs_over_h: float = Field(default=24.0, gt=0, description="time they arrive in")
    jobs_file: str | None = Field(default=None, description="your own CSV or Parquet file of jobs")
    services: tuple[ServiceParams, ...] = Field(default=(), description="online services")
    network: NetworkParams = Field(default=NetworkParams(), description="what joins the sites")
    tick_s: float = Field(default=1.0, gt=0, le=60, description="time between two decisions about jobs")
    lookahead_count: int = Field(
        default=100,
        ge=0,
        description="jobs looked at behind the first without room, of those with the same first site",
    )
    load_pu: float = Field(
        default=0.35,
        ge=0,
        le=1,
        description="work of loading, of a job's accelerators: 0.25-0.40 (unconfirmed)",
    )
    patience_s: float = Field(default=60.0, gt=0, description="a copy that stands still so long is given up")
    tells_all_jobs: bool = Field(default=False, description="every start and end of a job is an event")


@dataclass
class Move:
    """An order to move jobs, not yet done."""

    source: int
    target: int
    left_gpu: float
    until_s: float
    moved_gpu: float = 0.0


@dataclass
class Signals:
    """What sites hear in an exchange; arrays over sites."""

    price_cny_per_mwh: Floats
    carbon_kg_per_mwh: Floats
    green_mw: Floats
    capacity_gpu: Floats
    room_gpu: Floats
    """Busy accelerators that may be added: ramp, block and guard together."""
    saves_room: Bools
    """Whether what is not used of it is kept."""
    limit_gpu: Floats
    """Accelerators that jobs may hold, as a controller says."""


@dataclass(frozen=True)
class Done:
    """What an exchange brought: sums over it by site (rows of `kernels.jobs`), and what services had."""

    sums: Floats
    served: Served
    asked_gpu: Floats
    score: Floats


@dataclass
class Fleet:
    """Jobs and services on sites.

    Parameters
    ----------
    gpus, kw, services_gpu
        Accelerators of each site, what a busy one adds to its meter [kW], and how many services keep.

    Raises
    ------
    ScenarioError
        With everything that is wrong: places, files, policies, jobs no site can hold, services too far away.
    """

    params: FleetParams
    names: tuple[str, ...]
    places: tuple[str, ...]
    gpus: Floats
    kw: Floats
    services_gpu: Floats
    access_gbit_per_s: Floats
    network: Network = field(init=False)

    def __post_init__(self) -> None:
        wrong: list[str] = []
        for build in (self._build_network, self._build_policy, self._build_file):
            try:
                build()
            except SuandianError as error:
                wrong += str(error).splitlines()
        for population in self.params.jobs:
            homes = (*population.only_at, *(() if population.home is None else (population.home,)))
            wrong += [
                f"jobs {population.name}: {home!r} is no site (allowed: {', '.join(self.names)})"
                for home in homes
                if home not in self.names
            ]
        if not wrong:
            try:
                self.services = Services(self.params.services, self.network)
            except ScenarioError as error:
                wrong += str(error).splitlines()
        if wrong:
            raise ScenarioError("\n".join(dict.fromkeys(wrong)))

    def _build_network(self) -> None:
        self.network = network_of(self.params.network, self.names, self.places, list(self.access_gbit_per_s))

    def _build_policy(self) -> None:
        kind: Any = policies().get(self.params.policy)
        try:
            settings = kind.params_type.model_validate(self.params.policy_settings)
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            msg = f"policy_settings of {self.params.policy}: {told}"
            raise ScenarioError(msg) from error
        self._policy_kind, self._policy_settings = kind, settings

    def _build_file(self) -> None:
        self._file = None
        if self.params.jobs_file is not None:
            self._file = job_files.read_jobs(self.params.jobs_file, self.names)

    def reset(self, context: Context, lead: str) -> None:
        """Draw the jobs and begin with none running.

        Raises
        ------
        ScenarioError
            When jobs fit no site, end before they come, or have impossible numbers.
        """
        self._context, n = context, len(self.names)
        parts: list[tuple[str, k.Jobs, tuple[str, ...] | None]] = [
            (
                p.name,
                workload.draw(
                    p,
                    self.params.jobs_over_h * HOUR_S,
                    self.names,
                    context.streams.stream(f"site/{lead}/{p.name}"),
                ),
                None,
            )
            for p in self.params.jobs
        ]
        if self._file is not None:
            parts.append(("file", *self._file))
        self.set = workload.together(parts, n)
        room = self.gpus - self.services_gpu
        if wrong := workload.check(self.set, room, self.names):
            raise ScenarioError("\n".join(wrong))
        self.jobs = self.set.jobs
        self.life, self.pool = _fresh(len(self.set), n)
        self._policy: Policy = self._policy_kind(self._policy_settings)
        streams = [context.streams.stream(f"site/{lead}/service/{p.name}") for p in self.params.services]
        self.services.reset(streams)
        self.backlog_gpu_s = np.zeros(n)
        self.up = np.ones(n, dtype=np.bool_)
        self._back_s = np.full(n, np.inf)
        self._dark, self._lost = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
        self.limit_gpu = np.full(n, NO_LIMIT)
        self.route = self.network.bandwidth_gbit_per_s.copy()
        self._cuts: list[tuple[float, int, int]] = []
        self.moves: list[Move] = []
        self._left_s: dict[int, float] = {}
        self._told_lost_gpu_s = np.zeros(len(self.set))
        self._calm_until_s = 0.0
        self._service_gpu = np.zeros(n)
        self._sums = np.zeros((k.N_SUMS, n))
        """What orders did since the last exchange; counted in the next one."""

    def step(self, t_s: float, dt_s: float, hears: Signals) -> Done:
        """Advance everything by one exchange."""
        self._return(t_s)
        self._darken(t_s, hears.capacity_gpu)
        sums, self._sums = self._sums, np.zeros((k.N_SUMS, len(self.names)))
        ranking = self._rank(t_s, dt_s, hears)
        jobs_gpu = self._busy_gpu() - self._service_gpu
        rate = _speed(hears.capacity_gpu, jobs_gpu + self._service_gpu)
        free = np.maximum(self.gpus - self.pool.used_gpu, self.services_gpu)
        served = self.services.step(t_s, dt_s, ranking.score, free * rate * self.up)
        self._service_gpu = served.served_gpu + served.double_gpu
        kept = np.maximum(self.services_gpu, self._service_gpu)
        limit_gpu = np.minimum(self.limit_gpu, hears.limit_gpu)
        sites = k.Sites(
            cap_gpu=np.where(self.up, np.minimum(self.gpus - kept, limit_gpu), 0.0),
            rate_pu=_speed(hears.capacity_gpu - self._service_gpu, jobs_gpu),
            room_gpu=hears.room_gpu.copy(),
            saves_room=hears.saves_room,
            score=ranking.score,
            is_open=ranking.is_open,
            up=self.up,
            access_gbit_per_s=self.access_gbit_per_s,
            route_gbit_per_s=np.where(np.outer(self.up, self.up), self.route, 0.0),
        )
        rules = k.Rules(
            ranking.strict,
            self.params.lookahead_count,
            self.params.load_pu,
            ranking.away,
            self.params.patience_s,
            self.params.tells_all_jobs,
        )
        self._follow(t_s, ranking, sites)
        asked = self._carry_out(t_s, sites)
        self._shed(t_s, sites)
        ticks = max(1, round(dt_s / self.params.tick_s))
        k.advance(self.jobs, self.life, self.pool, sites, rules, sums, t_s, dt_s / ticks, ticks)
        self.backlog_gpu_s += sums[k.ARRIVED] + sums[k.LOST] + sums[k.MOVED] - sums[k.USEFUL]
        self._tell()
        return Done(sums, served, np.maximum(asked, sums[k.ASKED]), ranking.score)

    def fail(self, t_s: float, site: int, for_s: float | None) -> None:
        """Lose a site at once, for a time or until `recover`."""
        self._lost[site] = True
        self._back_s[site] = np.inf if for_s is None else t_s + for_s
        self._fall(t_s, site)

    def _fall(self, t_s: float, site: int) -> None:
        self.up[site] = False
        hit = k.fail_site(self.jobs, self.life, self.pool, self._sums, site, t_s)
        text = f"{self.names[site]} is lost: {hit} jobs fall back to their last checkpoints"
        self._context.emit(t_s, self.names[site], "site_lost", text)
        self._tell()

    def recover(self, t_s: float, site: int) -> None:
        """Take a site back, unless its hall is dark; what waits may start there at once."""
        self._lost[site], self._back_s[site] = False, np.inf
        self._rise(t_s, site)

    def _rise(self, t_s: float, site: int) -> None:
        if self.up[site] or self._lost[site] or self._dark[site]:
            return
        self.up[site] = True
        self.pool.tally[k.FLOWS] = 1
        self._context.emit(t_s, self.names[site], "site_back", f"{self.names[site]} is back")

    def cut(self, t_s: float, a: int, b: int, for_s: float | None) -> None:
        """Cut the line between two sites, both ways."""
        self.route[a, b] = self.route[b, a] = 0.0
        self._cuts.append((np.inf if for_s is None else t_s + for_s, a, b))
        self.pool.tally[k.FLOWS] = 1
        self._context.emit(t_s, self.names[a], "line_cut", f"the line {self.names[a]}-{self.names[b]} is cut")

    def move(self, t_s: float, source: int, target: int, gpus: float, over_s: float) -> str | None:
        """Order jobs to move; returns why they cannot, or None."""
        who = self._movable(source, target)
        reason = migration.too_slow(self, who, (source, target), gpus, over_s)
        if reason is None:
            self.moves.append(Move(source, target, gpus, t_s + over_s))
        return reason

    def held_gpu(self, site: int) -> float:
        """Return the accelerators of running jobs that could leave a site."""
        return float(self.jobs.gpus[self._movable(site, None)].sum())

    def _movable(self, source: int, target: int | None) -> Ints:
        active = self.pool.active[: self.pool.tally[k.N_ACTIVE]]
        state = self.life.state[active]
        ok = (self.life.site[active] == source) & self.jobs.movable[active]
        ok &= (state == k.RUNNING) | (state == k.SAVING)
        if target is not None:
            ok &= self.jobs.allowed[active, target]
        return np.asarray(active[ok], dtype=np.int64)

    def _return(self, t_s: float) -> None:
        for site in np.flatnonzero(self._back_s <= t_s + 1e-9):
            self.recover(t_s, int(site))
        for until_s, a, b in [cut for cut in self._cuts if cut[0] <= t_s + 1e-9]:
            self._cuts.remove((until_s, a, b))
            if not any({a, b} == {c, d} for _, c, d in self._cuts):
                self.route[a, b] = self.network.bandwidth_gbit_per_s[a, b]
                self.route[b, a] = self.network.bandwidth_gbit_per_s[b, a]
                text = f"the line {self.names[a]}-{self.names[b]} carries again"
                self._context.emit(t_s, self.names[a], "line_back", text)
            self.pool.tally[k.FLOWS] = 1

    def _darken(self, t_s: float, capacity_gpu: Floats) -> None:
        """Lose sites whose hall has gone dark, and take them back with it."""
        was, self._dark = self._dark, capacity_gpu <= 0.0
        for site in np.flatnonzero(self._dark & self.up):
            self._fall(t_s, int(site))
        for site in np.flatnonzero(was & ~self._dark):
            self._rise(t_s, int(site))

    def _busy_gpu(self) -> Floats:
        active = self.pool.active[: self.pool.tally[k.N_ACTIVE]]
        busy = self.jobs.gpus[active] * self.jobs.busy_pu[active]
        return np.asarray(
            np.bincount(self.life.site[active], busy, minlength=len(self.names)) + self._service_gpu
        )

    def _rank(self, t_s: float, dt_s: float, hears: Signals) -> Ranking:
        view = View(
            t_s=t_s,
            dt_s=dt_s,
            names=self.names,
            price_cny_per_mwh=hears.price_cny_per_mwh,
            carbon_kg_per_mwh=hears.carbon_kg_per_mwh,
            green_mw=hears.green_mw,
            load_mw=self._busy_gpu() * self.kw / 1e3,
            free_gpu=self.gpus - self.pool.used_gpu,
            up=self.up,
        )
        ranking = self._policy.rank(view)
        if np.isnan(ranking.score).any():
            lost = ", ".join(n for n, x in zip(self.names, ranking.score, strict=True) if np.isnan(x))
            msg = f"t={t_s:g} s: policy {self.params.policy} has no score for {lost}: a signal is no number"
            raise ComponentError(msg)
        return ranking

    def _follow(self, t_s: float, ranking: Ranking, sites: k.Sites) -> None:
        """Let running work leave the worst site for the best where the policy wants that."""
        if not np.isfinite(ranking.moves_above) or t_s < self._calm_until_s or self.moves:
            return
        score = np.where(self.up, ranking.score, np.nan)
        held = np.array([self.held_gpu(s) if self.up[s] else 0.0 for s in range(len(self.names))])
        if not held.any():
            return
        source = int(np.nanargmax(np.where(held > 0.0, score, -np.inf)))
        target = int(np.nanargmin(score))
        if source == target or score[source] - score[target] <= ranking.moves_above:
            return
        can_go = float(self.jobs.gpus[self._movable(source, target)].sum())
        room = min(float(sites.cap_gpu[target] - self.pool.used_gpu[target]), can_go)
        if room > 0.0:
            self.moves.append(Move(source, target, room, t_s + 600.0))
            self._calm_until_s = t_s + 900.0

    def _carry_out(self, t_s: float, sites: k.Sites) -> Floats:
        """Let jobs leave as far as the target has room and may add power; returns what waits for leave."""
        asked = np.zeros(len(self.names))
        for move in list(self.moves):
            a, b = move.source, move.target
            who = self._movable(a, b)
            for j in who[np.argsort(-self.jobs.gpus[who], kind="stable")]:
                gpus = float(self.jobs.gpus[j])
                if gpus > move.left_gpu + 1e-9 or gpus > sites.cap_gpu[b] - self.pool.used_gpu[b] + 1e-9:
                    continue
                needs = gpus * float(self.jobs.busy_pu[j])
                if needs > sites.room_gpu[b]:
                    asked[b] = max(asked[b], needs)
                    continue
                if k.begin_move(self.jobs, self.life, self.pool, int(j), b, t_s):
                    sites.room_gpu[b] -= needs
                    move.left_gpu -= gpus
                    move.moved_gpu += gpus
            waits = bool(asked[b]) or any(self.jobs.gpus[j] <= move.left_gpu for j in self._movable(a, b))
            if waits and self.up[a] and t_s < move.until_s:
                continue
            self.moves.remove(move)
            text = f"jobs of {move.moved_gpu:g} accelerators have left for {self.names[b]}"
            text += f", {move.left_gpu:g} less than ordered" if waits else ""
            data = {"from": self.names[a], "to": self.names[b], "gpus": move.moved_gpu}
            self._context.emit(
                t_s, self.names[a], "move_short" if waits else "move_left", text, json.dumps(data)
            )
        return asked

    def _shed(self, t_s: float, sites: k.Sites) -> None:
        """Suspend jobs, the newest first, where they hold more than they may."""
        for s in np.flatnonzero((self.pool.used_gpu > sites.cap_gpu + 1e-9) & self.up):
            over = float(self.pool.used_gpu[s] - sites.cap_gpu[s]) - self._leaving_gpu(int(s))
            who = self._movable(int(s), None)
            for j in who[np.argsort(-self.life.begin_s[who], kind="stable")]:
                if over <= 1e-9:
                    break
                if k.begin_move(self.jobs, self.life, self.pool, int(j), k.TO_QUEUE, t_s):
                    over -= float(self.jobs.gpus[j])

    def _leaving_gpu(self, site: int) -> float:
        active = self.pool.active[: self.pool.tally[k.N_ACTIVE]]
        leaving = (self.life.site[active] == site) & (self.life.target[active] == k.TO_QUEUE)
        return float(self.jobs.gpus[active[leaving]].sum())

    def _tell(self) -> None:
        """Write what happened to jobs into the events table."""
        count = int(self.pool.tally[k.N_EVENTS])
        for row in range(min(count, EVENTS)):
            what, job, a, b = (int(x) for x in self.pool.events[row])
            t_s = float(self.pool.event_s[row])
            self._tell_one(t_s, what, job, a, b)
        if count > EVENTS:
            self._context.emit(t_s, self.names[0], "jobs_untold", f"{count - EVENTS} more events of jobs")
        self.pool.tally[k.N_EVENTS] = 0

    def _tell_one(self, t_s: float, what: int, job: int, a: int, b: int) -> None:
        kind, text = TOLD[what]
        source, to = self._site_name(a), self._site_name(b)
        data: dict[str, Any] = {"job": self.set.label(job), "gpus": float(self.jobs.gpus[job])}
        data |= {"from": source} if a >= 0 else {}
        data |= {"to": to} if b >= 0 else {}
        if what == k.LEAVES:
            self._left_s[job] = t_s
        if what == k.CUTS_OVER and job in self._left_s:
            data["took_s"] = t_s - self._left_s.pop(job)
        lost = 0.0
        if what == k.FAILS:
            lost = float(self.life.lost_gpu_s[job] - self._told_lost_gpu_s[job]) / HOUR_S
            self._told_lost_gpu_s[job] = self.life.lost_gpu_s[job]
        told = text.format(job=data["job"], source=source, to=to, gb=self.jobs.state_gb[job], lost=lost)
        unit = source if a >= 0 else to
        self._context.emit(t_s, unit, kind, told, json.dumps(data))

    def _site_name(self, site: int) -> str:
        return self.names[site] if site >= 0 else "the queue"

    def books(self) -> Mapping[str, float]:
        """Return totals over all jobs [GPU s] and how many are in which state."""
        life = self.life
        states = np.bincount(life.state, minlength=k.DONE + 1)
        return {
            "arrived_gpu_s": float(self.jobs.work_gpu_s[life.state != k.FUTURE].sum()),
            "done_gpu_s": float(life.done_gpu_s.sum()),
            "lost_gpu_s": float(life.lost_gpu_s.sum()),
            "overhead_gpu_s": float(life.overhead_gpu_s.sum()),
            "done_count": float(states[k.DONE]),
            "waiting_count": float(states[k.WAITING]),
            "future_count": float(states[k.FUTURE]),
            "on_site_count": float(states[k.FETCHING : k.DONE].sum()),
        }


def _speed(capacity_gpu: Floats, wanted_gpu: Floats) -> Floats:
    """Return how fast work goes at each site: what a throttled hall can do, of what is wanted."""
    return np.clip(capacity_gpu / np.maximum(wanted_gpu, 1e-9), 0.0, 1.0)


def _fresh(n: int, sites: int) -> tuple[k.Life, k.Pool]:
    def nowhere() -> Ints:
        return np.full(n, k.NOWHERE, dtype=np.int64)

    life = k.Life(
        state=np.full(n, k.FUTURE, dtype=np.int64),
        site=nowhere(),
        target=nowhere(),
        data=nowhere(),
        done_gpu_s=np.zeros(n),
        safe_gpu_s=np.zeros(n),
        lost_gpu_s=np.zeros(n),
        overhead_gpu_s=np.zeros(n),
        until_s=np.zeros(n),
        left_gb=np.zeros(n),
        rate_gbit_per_s=np.zeros(n),
        stalled_s=np.zeros(n),
        next_save_s=np.full(n, np.inf),
        begin_s=np.full(n, np.nan),
        end_s=np.full(n, np.nan),
        moves=np.zeros(n, dtype=np.int64),
    )
    pool = k.Pool(
        queue=np.zeros(n + 1, dtype=np.int64),
        active=np.zeros(n + 1, dtype=np.int64),
        tally=np.zeros(k.N_COUNTS, dtype=np.int64),
        used_gpu=np.zeros(sites),
        event_s=np.zeros(EVENTS),
        events=np.zeros((EVENTS, 4), dtype=np.int64),
    )
    return life, pool

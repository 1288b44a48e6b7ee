"""What all sites share: jobs, services, network, and the policy that says where work goes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import Field, ValidationError

from cosim.core.component import Context
from cosim.core.errors import ComponentError, ScenarioError, SuandianError
from cosim.core.params import Params
from cosim.core.types import Bools, Floats
from datacenters import job_files, workload
from datacenters.faults import Faults
from datacenters.kernels import jobs as k
from datacenters.kernels.job_ticks import advance
from datacenters.migration import Moves
from datacenters.network import Network, NetworkParams, network_of
from datacenters.policies import Policy, Ranking, View, policies
from datacenters.roster import Roster
from datacenters.service_params import ServiceParams
from datacenters.services import Served, Services
from datacenters.shedding import Shedding

NO_LIMIT = 1e12


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
class Signals:
    """What sites hear in an exchange; arrays over sites."""

    price_cny_per_mwh: Floats
    carbon_kg_per_mwh: Floats
    green_mw: Floats
    capacity_gpu: Floats
    room_gpu: Floats
    """Busy accelerators that may be added: ramp, block and guard together."""
    parts_pu: Floats
    """Smallest part of a job that may begin."""
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
                self.services = Services(self.params.services, self.network, self.kw, self.params.patience_s)
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
                    self.params.jobs_over_h * workload.HOUR_S,
                    self.names,
                    context.streams.stream(f"site/{lead}/{p.name}"),
                    context.start.hour + context.start.minute / 60.0,
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
        self.roster = Roster(self.set, self.names, context.emit)
        self.jobs, self.life, self.pool = self.roster.jobs, self.roster.life, self.roster.pool
        self.faults = Faults(self.network, self.roster, context.emit)
        self.moves = Moves(self.roster, self.faults, self.access_gbit_per_s, self.params.tick_s, context.emit)
        self.shedding = Shedding(self.roster, context.emit)
        self._policy: Policy = self._policy_kind(self._policy_settings)
        streams = [context.streams.stream(f"site/{lead}/service/{p.name}") for p in self.params.services]
        self.services.reset(streams, context.emit)
        self.backlog_gpu_s = np.zeros(n)
        self.limit_gpu = np.full(n, NO_LIMIT)
        self.reached_s = 0.0
        self._service_gpu = np.zeros(n)

    def step(self, t_s: float, dt_s: float, hears: Signals) -> Done:
        """Advance everything by one exchange."""
        self.faults.back(t_s)
        self.faults.darken(t_s, hears.capacity_gpu)
        sums, up = self.faults.counted(), self.faults.up
        jobs_gpu = self.roster.busy_gpu()
        busy_gpu = jobs_gpu + self._service_gpu
        ranking = self._rank(t_s, dt_s, hears, busy_gpu)
        rate = _speed(hears.capacity_gpu, busy_gpu)
        free = np.maximum(self.gpus - self.pool.used_gpu, self.services_gpu)
        served = self.services.step(t_s, dt_s, ranking, free * rate * up, up)
        flows = self.services.flows
        if flows.left_gb.size:
            self.pool.tally[k.FLOWS] = 1
        self._service_gpu = served.served_gpu + served.double_gpu
        kept = np.maximum(self.services_gpu, self._service_gpu)
        limit_gpu = np.minimum(self.limit_gpu, hears.limit_gpu)
        sites = k.Sites(
            cap_gpu=np.where(up, np.minimum(self.gpus - kept, limit_gpu), 0.0),
            rate_pu=_speed(hears.capacity_gpu - self._service_gpu, jobs_gpu),
            room_gpu=hears.room_gpu.copy(),
            parts_pu=hears.parts_pu,
            saves_room=hears.saves_room,
            score=ranking.score,
            is_open=ranking.is_open,
            up=up,
            access_gbit_per_s=self.access_gbit_per_s,
            route_gbit_per_s=np.where(np.outer(up, up), self.faults.route_gbit_per_s, 0.0),
            flow_source=flows.source,
            flow_target=flows.target,
            flow_left_gb=flows.left_gb,
            flow_gbit_per_s=np.zeros(flows.left_gb.size),
        )
        rules = k.Rules(
            ranking.strict,
            self.params.lookahead_count,
            self.params.load_pu,
            ranking.away,
            self.params.patience_s,
            self.params.tells_all_jobs,
        )
        self.moves.follow(t_s, ranking, sites.cap_gpu, self.kw)
        asked = self.moves.carry_out(t_s, sites)
        self.shedding.shed(t_s, sites.cap_gpu, up)
        ticks = max(1, round(dt_s / self.params.tick_s))
        advance(self.jobs, self.life, self.pool, sites, rules, sums, t_s, dt_s / ticks, ticks)
        self.backlog_gpu_s += sums[k.ARRIVED] + sums[k.LOST] + sums[k.MOVED] - sums[k.USEFUL]
        self.roster.tell()
        self.reached_s = t_s + dt_s
        return Done(sums, served, np.maximum(asked, sums[k.ASKED]), ranking.score)

    def _rank(self, t_s: float, dt_s: float, hears: Signals, busy_gpu: Floats) -> Ranking:
        view = View(
            t_s=t_s,
            dt_s=dt_s,
            names=self.names,
            price_cny_per_mwh=hears.price_cny_per_mwh,
            carbon_kg_per_mwh=hears.carbon_kg_per_mwh,
            green_mw=hears.green_mw,
            load_mw=busy_gpu * self.kw / 1e3,
            free_gpu=self.gpus - self.pool.used_gpu,
            up=self.faults.up,
        )
        ranking = self._policy.rank(view)
        if np.isnan(ranking.score).any():
            lost = ", ".join(n for n, x in zip(self.names, ranking.score, strict=True) if np.isnan(x))
            msg = f"t={t_s:g} s: policy {self.params.policy} has no score for {lost}: a signal is no number"
            raise ComponentError(msg)
        return ranking


def _speed(capacity_gpu: Floats, wanted_gpu: Floats) -> Floats:
    """Return how fast work goes at each site: what a throttled hall can do, of what is wanted."""
    return np.clip(capacity_gpu / np.maximum(wanted_gpu, 1e-9), 0.0, 1.0)

"""Online services: requests that must be answered in time, shared among the sites near enough."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cosim.core.component import Emit
from cosim.core.types import Bools, Floats, Ints
from datacenters.data import table
from datacenters.kernels.demand import surge_area
from datacenters.network import Network
from datacenters.policies import Ranking
from datacenters.requests import Modulation, Requests
from datacenters.service_params import MoveService, ServiceParams, Surge
from datacenters.service_reach import Reach
from datacenters.service_sharing import goals, preferred, shares
from datacenters.sessions import Change, Sessions


@dataclass
class _Run:
    """One service at work; arrays over sites."""

    params: ServiceParams
    latency_ms: Floats
    near: Bools
    """Sites within the bound that hold its weights."""
    requests: Requests | None
    sessions: Sessions
    order: list[int] = field(default_factory=list)
    """Near sites, the one it prefers first."""
    calm_until_s: float = 0.0
    kept: dict[int, float] = field(default_factory=dict)
    """Share that an order sends to a site."""
    why: str = ""
    """An order of this exchange."""
    backlog_gpu_s: float = 0.0
    surges: list[tuple[float, Surge]] = field(default_factory=list)


@dataclass(frozen=True)
class Flows:
    """Copies of states under way; `left_gb` is lowered by whoever carries them."""

    source: Ints
    target: Ints
    left_gb: Floats


SERVICE_COLUMNS = (
    "wanted_gpu",
    "served_gpu",
    "double_gpu",
    "unanswered_gpu",
    "requests_waiting_gpu_h",
    "tokens_per_s",
    "unanswered_tokens_per_s",
    "latency_mean_ms",
    "latency_ms",
    "moving_gpu",
)
"""What is recorded of each service: means over an exchange, the latency of its farthest site, and at the end
what is not yet where it should be."""


@dataclass(frozen=True)
class Served:
    """What an exchange brought; means over it, arrays over sites."""

    wanted_gpu: Floats
    served_gpu: Floats
    double_gpu: Floats
    lost_gpu: Floats
    waiting_gpu_h: Floats
    tokens_per_s: Floats
    latency_ms: Floats
    """Longest of what is served there; 0 where nothing is."""
    by_service: Floats
    """`SERVICE_COLUMNS`, shape (columns, services)."""


class Services:
    """All services of a fleet, shared among sites by score, priority of weight, and latency.

    Raises
    ------
    ScenarioError
        When a service has no site within its bound, with the latencies there are.
    """

    def __init__(
        self, params: Sequence[ServiceParams], network: Network, kw: Floats, patience_s: float
    ) -> None:
        self._network, self._params, self._patience_s = network, tuple(params), patience_s
        self._mw_per_gpu = float(kw.mean()) / 1e3
        self.reach = Reach(params, network)

    def reset(self, streams: Sequence[np.random.Generator], emit: Emit) -> None:
        """Begin with every service where it is answered best."""
        self._emit = emit
        self.runs = []
        for p, latency_ms, near, rng in zip(
            self._params, self.reach.latency_ms, self.reach.near, streams, strict=True
        ):
            made = None
            if p.requests != "steady":
                row = table("inference_services")[p.requests]
                modulation = Modulation(**{name: float(row[name]) for name in Modulation.model_fields})
                made = Requests(modulation, p.services_count, rng)
            self.runs.append(_Run(p, latency_ms, near, made, Sessions.of(p, self._patience_s, near.size)))
        self._weights = np.array([p.weight_pu for p in self._params])
        self._short: set[int] = set()
        nothing = np.zeros(len(self._network.names))
        self._nothing = Served(*(nothing,) * 7, np.zeros((len(SERVICE_COLUMNS), 0)))
        self.flows = self._flows()

    def surge(self, t_s: float, surge: Surge) -> None:
        """Begin a surge; several at once add up."""
        self._run(surge.service).surges.append((t_s, surge))

    def move(self, t_s: float, site: int, order: MoveService, route_gbit_per_s: Floats) -> str | None:
        """Send a service to a site from now on, or let the policy say again; returns why not, or None."""
        run = self._run(order.service)
        if not order.back:
            told = self.reach.too_slow(order, site, run.sessions.load_gpu, route_gbit_per_s)
            if told is not None:
                return told
        run.kept = {} if order.back else {site: order.share_pu}
        run.why = f"move_service ordered at {t_s:g} s"
        where = "where the policy has it" if order.back else f"to {self._network.names[site]}"
        part = "" if order.share_pu == 1.0 else f", {order.share_pu:.0%} of it"
        self._emit(
            t_s, self._network.names[site], "move_service", f"service {order.service} goes {where}{part}"
        )
        return None

    def _run(self, name: str) -> _Run:
        return next(run for run in self.runs if run.params.name == name)

    def step(self, t_s: float, dt_s: float, ranking: Ranking, capacity_gpu: Floats, up: Bools) -> Served:
        """Share what is wanted in an exchange among sites that are up and can each serve `capacity_gpu`."""
        runs, n = self.runs, capacity_gpu.size
        if not runs:
            return self._nothing
        self._hear(dt_s)
        wanted = [self._wanted(run, t_s, dt_s) for run in runs]
        for run, gpus in zip(runs, wanted, strict=True):
            self._prefer(run, gpus, t_s, ranking)
        goal = goals(wanted, [run.order for run in runs], [run.kept for run in runs], capacity_gpu)
        double, paused = np.zeros((len(runs), n)), np.zeros((len(runs), n))
        for k, run in enumerate(runs):
            double[k], told = run.sessions.advance(t_s, dt_s, wanted[k], goal[k], up)
            paused[k] = run.sessions.paused(t_s, dt_s)
            for change in told:
                self._tell(t_s, run, change, ranking, up)
            run.why = ""
        load = np.array([run.sessions.load_gpu for run in runs]).reshape(len(runs), n)
        spread = np.array([_spread(run) for run in runs]).reshape(len(runs), n)
        backlog = np.array([run.backlog_gpu_s for run in runs])
        ready = spread * (1.0 - paused / np.maximum(load, 1e-12))
        asked = load - paused + ready * backlog[:, None] / dt_s
        given = shares(asked, self._weights, capacity_gpu)
        total = load.sum(axis=1)
        left = (asked - given + paused).sum(axis=1) * dt_s + (1.0 - ready.sum(axis=1)) * backlog
        waits = np.minimum(left, [run.params.patience_s for run in runs] * total)
        for run, gpu_s in zip(runs, waits.tolist(), strict=True):
            run.backlog_gpu_s = gpu_s
        lost = (left - waits) / dt_s
        double *= self._room_for(t_s, double.sum(axis=0), capacity_gpu - given.sum(axis=0))
        tokens_per_gpu_s = np.array([run.params.tokens_per_gpu_s for run in runs])
        latency_ms = np.array([run.latency_ms for run in runs]).reshape(len(runs), n)
        far_ms = np.where(given > 0.0, latency_ms, 0.0)
        served = given.sum(axis=1)
        moving = np.maximum(load - np.array(goal).reshape(len(runs), n), 0.0)
        self.flows = self._flows()
        return Served(
            load.sum(axis=0),
            given.sum(axis=0),
            double.sum(axis=0),
            lost @ spread,
            waits @ spread / 3600.0,
            tokens_per_gpu_s @ given,
            far_ms.max(axis=0, initial=0.0),
            np.array([
                wanted,
                served,
                double.sum(axis=1),
                lost,
                waits / 3600.0,
                served * tokens_per_gpu_s,
                lost * tokens_per_gpu_s,
                (given * latency_ms).sum(axis=1) / np.maximum(served, 1e-12),
                far_ms.max(axis=1, initial=0.0),
                moving.sum(axis=1),
            ]),
        )  # fmt: skip

    def _wanted(self, run: _Run, t_s: float, dt_s: float) -> float:
        busy_pu = 1.0 if run.requests is None else run.requests.mean(t_s, dt_s)[1]
        for at_s, surge in run.surges:
            area = surge_area(t_s + dt_s - at_s, surge.ramp_s, surge.hold_s)
            area -= surge_area(t_s - at_s, surge.ramp_s, surge.hold_s)
            busy_pu += (surge.factor_pu - 1.0) * area / dt_s
        run.surges = [(at, s) for at, s in run.surges if at + 2.0 * s.ramp_s + s.hold_s > t_s + dt_s]
        return run.params.mean_gpu * max(busy_pu, 0.0)

    def _prefer(self, run: _Run, wanted_gpu: float, t_s: float, ranking: Ranking) -> None:
        """Put the near sites in order of score, then latency, which the policy may change only now and then.

        Where load that comes raises the score of a site, and its leaving lowers that of another, the
        difference must be more than both: else the service would be wanted back at once.
        """
        rank = ranking.score + 1e-6 * run.latency_ms
        if not run.order:
            near = np.flatnonzero(run.near)
            run.order = near[np.argsort(rank[near], kind="stable")].tolist()
        elif t_s >= run.calm_until_s:
            margin = ranking.stays + 2.0 * ranking.per_mw * wanted_gpu * self._mw_per_gpu
            order = preferred(run.order, rank, margin)
            if order != run.order:
                run.order, run.calm_until_s = order, t_s + run.params.calm_s

    def _room_for(self, t_s: float, double_gpu: Floats, free_gpu: Floats) -> Floats:
        """Return which part of double running has room at each site; tells where some has not.

        It takes no job's accelerators: sessions then change over with less of an overlap.
        """
        part = np.where(double_gpu > free_gpu, np.maximum(free_gpu, 0.0) / np.maximum(double_gpu, 1e-12), 1.0)
        if not (part < 1.0).any() and not self._short:
            return part
        for s in np.flatnonzero(part < 0.99).tolist():
            if s not in self._short and double_gpu[s] > 1.0:
                self._short.add(s)
                has, wants = part[s] * double_gpu[s], double_gpu[s]
                text = f"services run twice on {has:.4g} of {wants:.4g} accelerators: no more are free"
                self._emit(t_s, self._network.names[s], "double_short", text)
        self._short = {s for s in self._short if double_gpu[s] > 1.0}
        return part

    def _hear(self, dt_s: float) -> None:
        """Take over how far copies have come since the last exchange."""
        copies = [copy for run in self.runs for copy in run.sessions.copies]
        for copy, left_gb in zip(copies, self.flows.left_gb.tolist(), strict=True):
            copy.stands_s = copy.stands_s + dt_s if left_gb >= copy.left_gb and left_gb > 0.0 else 0.0
            copy.left_gb = left_gb

    def _flows(self) -> Flows:
        copies = [copy for run in self.runs for copy in run.sessions.copies]
        return Flows(
            np.array([copy.source for copy in copies], dtype=np.int64),
            np.array([copy.target for copy in copies], dtype=np.int64),
            np.array([copy.left_gb for copy in copies], dtype=np.float64),
        )

    def _tell(self, t_s: float, run: _Run, change: Change, ranking: Ranking, up: Bools) -> None:
        """Write a change of sites into the events table."""
        name, a, b = run.params.name, self._network.names[change.source], self._network.names[change.target]
        data = {"service": name, "gpus": round(change.gpus, 3), "from": a, "to": b}
        who = f"service {name} ({change.gpus:.4g} accelerators)"
        if change.what == "leaves":
            why = self._why(run, change, ranking, up)
            by = f"{change.gb:.4g} GB of state are copied" if change.gb else "sessions end where they are"
            data |= {"why": why, "gb": round(change.gb, 3)}
            text = f"{who} goes to {b} instead of {a}, {by}: {why}"
        elif change.what == "rolled_back":
            if run.kept.pop(change.target, None) is not None:
                data["order"] = "withdrawn"
            data["why"] = change.why
            text = f"{who} does not come to {b}: {change.why}; it goes on at {a}"
        else:
            data["took_s"] = change.took_s
            text = {
                "moved": f"{who} is answered at {b} instead of {a}",
                "stays": f"{who} stays at {a} and does not go to {b}",
                "restarted": f"{who} has lost its sessions at {a}; its users begin again at {b}",
            }[change.what]
        self._emit(t_s, a, f"service_{change.what}", text, json.dumps(data))

    def _why(self, run: _Run, change: Change, ranking: Ranking, up: Bools) -> str:
        """Return what made a service change sites: an order, a loss, the policy, or room."""
        a, b, score, names = change.source, change.target, ranking.score, self._network.names
        if run.why:
            return run.why
        if not up[a]:
            return f"{names[a]} is lost"
        ahead = b in run.kept or (a not in run.kept and run.order.index(b) < run.order.index(a))
        if not ahead:
            return f"{names[a]} is full"
        if b in run.kept or score[b] >= score[a]:
            return f"{names[b]} has room again"
        return f"the policy scores it {score[b]:.4g}, {names[a]} {score[a]:.4g}"


def _spread(run: _Run) -> Floats:
    """Return how what waits is spread over sites: as the load is."""
    load = run.sessions.load_gpu
    total = float(load.sum())
    if total > 0.0:
        return load / total
    return run.near / max(int(run.near.sum()), 1)

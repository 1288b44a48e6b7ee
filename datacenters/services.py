"""Online services: requests that must be answered in time, shared among the sites near enough."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from cosim.core.errors import ScenarioError
from cosim.core.params import Params
from cosim.core.types import Bools, Floats
from datacenters.data import table
from datacenters.kernels.demand import surge_area
from datacenters.network import Network
from datacenters.requests import Modulation, Requests


class Surge(Params):
    """Event `surge`: a service is wanted more than usual."""

    service: str = Field(description="name of the service")
    factor_pu: float = Field(
        ge=0, description="demand at the top over its mean; Azure code trace: 4.2 over a minute"
    )
    ramp_s: float = Field(default=60.0, gt=0, description="time up, and time down again")
    hold_s: float = Field(default=600.0, ge=0, description="time at the top")


class ServiceParams(Params):
    """A service: how much it is wanted, by whom, how near it must be."""

    name: str = Field(description="what it is called")
    users: str = Field(description="place of its users, a row of the table of places")
    mean_gpu: float = Field(gt=0, description="accelerators its requests keep busy on average")
    latency_bound_ms: float = Field(gt=0, description="longest one-way latency between users and a site")
    requests: str = Field(
        default="steady",
        description="how requests come: as the Azure trace `conversation` or `code`, or `steady`",
    )
    services_count: int = Field(default=4, ge=1, description="independent streams of requests together")
    staged_at: tuple[str, ...] = Field(default=(), description="sites that hold its weights; none: all")
    weights_gb: float = Field(default=141.0, ge=0, description="70B in bf16: 141 GB (derived)")
    tokens_per_gpu_s: float = Field(
        default=600.0, gt=0, description="tokens an accelerator writes a second (derived)"
    )
    weight_pu: float = Field(
        default=1.0, gt=0, description="its share where several want the same accelerators"
    )
    patience_s: float = Field(default=30.0, ge=0, description="requests wait so long, then they are lost")
    shift_s: float = Field(
        default=60.0, gt=0, description="time in which all its load can change sites, 10-120"
    )
    double_pu: float = Field(
        default=0.2, ge=0, le=1, description="part of leaving load that runs at both ends"
    )


@dataclass
class _Run:
    """One service at work; arrays over sites."""

    params: ServiceParams
    latency_ms: Floats
    near: Bools
    """Sites within the bound that hold its weights."""
    requests: Requests | None
    load_gpu: Floats
    """What is sent to each site."""
    backlog_gpu_s: float = 0.0
    surges: list[tuple[float, Surge]] = field(default_factory=list)


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


class Services:
    """All services of a fleet, shared among sites by score, priority of weight, and latency.

    Raises
    ------
    ScenarioError
        When a service has no site within its bound, with the latencies there are.
    """

    def __init__(self, params: Sequence[ServiceParams], network: Network) -> None:
        self._network = network
        self._params = tuple(params)
        wrong: list[str] = []
        self._near: list[tuple[Floats, Bools]] = []
        for service in params:
            try:
                self._near.append(self._reach(service))
            except ScenarioError as error:
                wrong += str(error).splitlines()
        names = [p.name for p in params]
        wrong += [
            f"services: the name {n!r} is used twice" for n in dict.fromkeys(names) if names.count(n) > 1
        ]
        if wrong:
            raise ScenarioError("\n".join(wrong))

    def _reach(self, service: ServiceParams) -> tuple[Floats, Bools]:
        names = self._network.names
        wrong = [
            f"service {service.name}: staged_at {site!r} is no site (allowed: {', '.join(names)})"
            for site in service.staged_at
            if site not in names
        ]
        if service.requests != "steady" and service.requests not in table("inference_services"):
            known = ", ".join(("steady", *table("inference_services")))
            wrong.append(
                f"service {service.name}: requests={service.requests!r} is unknown (allowed: {known})"
            )
        try:
            latency_ms = self._network.from_users_ms(service.users)
        except ScenarioError as error:
            wrong.append(f"service {service.name}, users: {error}")
        if wrong:
            raise ScenarioError("\n".join(wrong))
        staged = np.array([not service.staged_at or n in service.staged_at for n in names], dtype=np.bool_)
        near = staged & (latency_ms <= service.latency_bound_ms)
        if not near.any():
            found = ", ".join(
                f"{n} {ms:.1f} ms" for n, ms, ok in zip(names, latency_ms, staged, strict=True) if ok
            )
            msg = (
                f"service {service.name}: no site answers users in {service.users} within "
                f"{service.latency_bound_ms:g} ms ({found})"
            )
            raise ScenarioError(msg)
        return latency_ms, near

    def refusal(self, name: str, site: int) -> str | None:
        """Return why a service cannot be sent to a site, or None."""
        k = next((k for k, p in enumerate(self._params) if p.name == name), None)
        if k is None:
            return (
                f"service {name!r} is unknown (allowed: {', '.join(p.name for p in self._params) or 'none'})"
            )
        latency_ms, near = self._near[k]
        if near[site]:
            return None
        p, where = self._params[k], self._network.names[site]
        if latency_ms[site] > p.latency_bound_ms:
            return (
                f"service {name} cannot go to {where}: {latency_ms[site]:.1f} ms from users in {p.users}, "
                f"bound {p.latency_bound_ms:g} ms"
            )
        return f"service {name} cannot go to {where}: its weights ({p.weights_gb:g} GB) are not there"

    def reset(self, streams: Sequence[np.random.Generator]) -> None:
        """Begin with every service where it is answered fastest."""
        self.runs = []
        self._kept: dict[int, Floats] = {}
        for p, (latency_ms, near), rng in zip(self._params, self._near, streams, strict=True):
            made = None
            if p.requests != "steady":
                row = table("inference_services")[p.requests]
                modulation = Modulation(**{name: float(row[name]) for name in Modulation.model_fields})
                made = Requests(modulation, p.services_count, rng)
            self.runs.append(_Run(p, latency_ms, near, made, np.zeros(near.size)))
        self._begun = False

    def surge(self, t_s: float, surge: Surge) -> None:
        """Begin a surge; several at once add up."""
        next(run for run in self.runs if run.params.name == surge.service).surges.append((t_s, surge))

    def keep(self, name: str, site: int | None) -> None:
        """Send a service to one site from now on as far as that has room; None: as the policy has it."""
        k = next(k for k, run in enumerate(self.runs) if run.params.name == name)
        if site is None:
            self._kept.pop(k, None)
        else:
            bonus = np.zeros(self.runs[k].near.size)
            bonus[site] = -1e12
            self._kept[k] = bonus

    def step(self, t_s: float, dt_s: float, score: Floats, capacity_gpu: Floats) -> Served:
        """Share what is wanted in an exchange among sites of which each can serve `capacity_gpu`."""
        n = capacity_gpu.size
        wanted = np.array([self._wanted(run, t_s, dt_s) for run in self.runs])
        goal = self._goal(wanted, score, capacity_gpu)
        served, double, waiting = np.zeros(n), np.zeros(n), np.zeros(n)
        offered, tokens, latency = np.zeros(n), np.zeros(n), np.zeros(n)
        lost = np.zeros(n)
        for run, w, to in zip(self.runs, wanted, goal, strict=True):
            if self._begun:
                run.load_gpu, leaving = _shift(run.load_gpu, to, w, dt_s / run.params.shift_s)
                double += run.params.double_pu * leaving
            else:
                run.load_gpu = to
        self._begun = True
        asked = np.array([run.load_gpu + run.backlog_gpu_s / dt_s * _share(run) for run in self.runs])
        given = self._given(asked, capacity_gpu)
        for run, ask, got in zip(self.runs, asked, given, strict=True):
            offered += run.load_gpu
            served += got
            share = _share(run)
            left = float((ask - got).sum()) * dt_s
            most = run.params.patience_s * float(run.load_gpu.sum())
            run.backlog_gpu_s = min(left, most)
            lost += share * (left - run.backlog_gpu_s) / dt_s
            waiting += share * run.backlog_gpu_s / 3600.0
            tokens += got * run.params.tokens_per_gpu_s
            latency = np.maximum(latency, np.where(got > 0.0, run.latency_ms, 0.0))
        double[capacity_gpu <= 0.0] = 0.0  # what is lost runs nothing
        return Served(offered, served, double, lost, waiting, tokens, latency)

    def _wanted(self, run: _Run, t_s: float, dt_s: float) -> float:
        busy_pu = 1.0 if run.requests is None else run.requests.mean(t_s, dt_s)[1]
        for at_s, surge in run.surges:
            area = surge_area(t_s + dt_s - at_s, surge.ramp_s, surge.hold_s)
            area -= surge_area(t_s - at_s, surge.ramp_s, surge.hold_s)
            busy_pu += (surge.factor_pu - 1.0) * area / dt_s
        run.surges = [(at, s) for at, s in run.surges if at + 2.0 * s.ramp_s + s.hold_s > t_s + dt_s]
        return run.params.mean_gpu * max(busy_pu, 0.0)

    def _goal(self, wanted: Floats, score: Floats, capacity_gpu: Floats) -> list[Floats]:
        """Return where each service should go: to its best near site, on to the next when that is full.

        Those with fewer near sites choose first: what can go elsewhere does not take their only place.
        """
        left = capacity_gpu.copy()
        goal = [np.zeros(left.size) for _ in self.runs]
        for k in sorted(range(len(self.runs)), key=lambda k: int(self.runs[k].near.sum())):
            run, rest = self.runs[k], float(wanted[k])
            rank = score + 1e-6 * run.latency_ms + self._kept.get(k, 0.0)
            order = [int(s) for s in np.argsort(rank, kind="stable") if run.near[s]]
            for s in order:
                part = min(rest, max(left[s], 0.0))
                goal[k][s] += part
                left[s] -= part
                rest -= part
            open_ = [s for s in order if capacity_gpu[s] > 0.0] or order
            goal[k][open_[0]] += rest  # nobody has room: it waits at the best
        return goal

    def _given(self, asked: Floats, capacity_gpu: Floats) -> Floats:
        """Return what each service gets, (services, sites): by weight where they want more than there is."""
        given = np.zeros_like(asked)
        if not len(self.runs):
            return given
        weights = np.array([run.params.weight_pu for run in self.runs])
        for s in range(capacity_gpu.size):
            room, open_ = float(capacity_gpu[s]), asked[:, s] > 0.0
            if asked[:, s].sum() <= room:
                given[:, s] = asked[:, s]
                continue
            while open_.any() and room > 1e-12:
                part = room * weights / weights[open_].sum()
                full = open_ & (asked[:, s] - given[:, s] <= part)
                take = np.where(full, asked[:, s] - given[:, s], np.where(open_, part, 0.0))
                if full.any():
                    take = np.where(full, take, 0.0)
                given[:, s] += take
                room -= float(take.sum())
                open_ &= ~full
                if not full.any():
                    break
        return given


def _share(run: _Run) -> Floats:
    """Return how what waits is spread over sites: as the load is."""
    total = float(run.load_gpu.sum())
    if total > 0.0:
        return run.load_gpu / total
    return run.near / max(int(run.near.sum()), 1)


def _shift(load: Floats, goal: Floats, wanted: float, part: float) -> tuple[Floats, Floats]:
    """Return the load after moving towards the goal at most `part` of all, and what is leaving where."""
    before = load * (wanted / load.sum()) if load.sum() > 0.0 else goal.copy()
    change = goal - before
    most = min(part, 1.0) * wanted
    moved = 0.5 * float(np.abs(change).sum())
    if moved > most > 0.0:
        change = change * (most / moved)
    return before + change, np.maximum(-change, 0.0)

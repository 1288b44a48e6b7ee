"""Computing sites: accelerators of a hall that jobs and services of a fleet run on."""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.component import Balance, Context, Ledger, Link, Port, SideTable
from cosim.core.errors import ScenarioError
from cosim.core.params import Params, column
from cosim.core.shelf import Shelf, places_of
from cosim.core.types import Bools, Floats, Ints
from datacenters.fleet import NO_LIMIT, Fleet, FleetParams, Signals
from datacenters.kernels import jobs as k
from datacenters.service_params import MoveService, Surge
from datacenters.services import SERVICE_COLUMNS
from datacenters.workload import HOUR_S


class SiteParams(Params):
    """A site: what runs there draws the power of its hall."""

    place: str = Field(description="where it is, a row of the table of places: latency and distance follow")
    gpus_count: float = Field(gt=0, description="accelerators for jobs and services")
    services_gpu: float = Field(default=0.0, ge=0, description="of these, kept free of jobs for services")
    runs_on: str | None = Field(default=None, description="hall that does the work")
    gpu_kw: float = Field(
        default=1.0, gt=0, description="what a busy accelerator adds at the meter, with cooling (unconfirmed)"
    )
    access_gbit_per_s: float = Field(default=400.0, gt=0, description="its access to the network, each way")
    ramp_mw_per_min: float | None = Field(
        default=None, gt=0, description="fastest rise by starting or taking jobs; a study of 150 MW allows 10"
    )
    block_mw: float | None = Field(
        default=None, gt=0, description="most that starts or comes in one exchange"
    )
    guarded: bool = Field(default=False, description="large starts wait for what the grid's guard allows")
    guard_above_mw: float = Field(
        default=5.0, ge=0, description="this much needs no leave within a minute, in all that starts or comes"
    )
    parts_pu: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="smallest part of a job that may begin where not all of it fits ramp, block or guard; the"
        " rest of its accelerators get power as there is room; 1: whole or not at all",
    )
    fleet: FleetParams | None = Field(default=None, description="the work of all sites; at one of them")

    @model_validator(mode="after")
    def _room(self) -> Self:
        if self.services_gpu > self.gpus_count:
            msg = f"services_gpu={self.services_gpu:g} is more than gpus_count={self.gpus_count:g}"
            raise ValueError(msg)
        return self


class MoveJobs(Params):
    """Event `move`: running jobs leave for another site."""

    to: str = Field(description="site that takes them over")
    gpus_count: float | None = Field(default=None, gt=0, description="accelerators of the jobs that move")
    share_pu: float | None = Field(default=None, gt=0, le=1, description="or the share of those that could")
    over_s: float = Field(default=600.0, gt=0, description="time they have")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.gpus_count is None) == (self.share_pu is None):
            msg = "give `gpus_count` or `share_pu`, one of them"
            raise ValueError(msg)
        return self


class LimitJobs(Params):
    """Event `limit_jobs`: jobs may hold so many accelerators; the newest are saved and wait."""

    gpus_count: float | None = Field(default=None, ge=0, description="accelerators; none: no limit any more")


class Fail(Params):
    """Event `fail`: the site is lost at once, with what was done since the last checkpoints."""

    for_s: float | None = Field(default=None, gt=0, description="how long; none: until `recover`")


class Recover(Params):
    """Event `recover`: the site is back."""


class Cut(Params):
    """Event `cut`: the line to another site carries nothing."""

    to: str = Field(description="the other site")
    for_s: float | None = Field(default=None, gt=0, description="how long; none: for good")


class Site:
    """Sites of one fleet; see `docs/models/fleet.md`."""

    params_type: ClassVar[type[Params]] = SiteParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("capacity_gpu", "work the hall can do", NO_LIMIT),
        Port("price_cny_per_mwh", "price of electricity there", 0.0),
        Port("carbon_kg_per_mwh", "carbon intensity of electricity there", 0.0),
        Port("green_mw", "wind, sun and storage it may call its own", 0.0),
        Port("room_mw", "power the guard lets it add in an exchange", 0.0),
        Port("limit_gpu", "accelerators jobs may hold, as a controller says; the newest are saved", NO_LIMIT),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port(
            "work_gpu", "accelerators kept busy, mean over the step, as all that follow unless said otherwise"
        ),
        Port("job_gpu", "part of it: jobs"),
        Port("overhead_gpu", "part of it: loading of jobs"),
        Port("service_gpu", "part of it: answers to requests"),
        Port("double_gpu", "part of it: services that run at both ends while they change sites"),
        Port("arriving_gpu", "work of the jobs that came, over the step"),
        Port("lost_gpu", "work that must be done again, as a site was lost"),
        Port("transferred_gpu", "work yet to do of jobs that came from other sites, less those that went"),
        Port("backlog_gpu_h", "work of all jobs that are here or wait here and not yet done, at the end"),
        Port("reserved_gpu", "accelerators jobs hold, at the end; a moving job holds both ends"),
        Port("running_count", "jobs on the site, at the end"),
        Port(
            "waiting_count",
            "jobs that wait with their data here, and parts of those whose data lie at no site, at the end",
        ),
        Port("ended_count", "jobs that ended here since the run began"),
        Port("late_count", "of these, after their deadlines"),
        Port("failed_count", "times a job lost work here since the run began"),
        Port("came_count", "jobs that moved here since the run began"),
        Port("went_count", "jobs that moved away since the run began"),
        Port("sent_gbit_per_s", "data of jobs and sessions sent"),
        Port("received_gbit_per_s", "data of jobs and sessions received"),
        Port("network_mw", "power of what it sends on the way, not drawn here"),
        Port("network_cny_per_h", "cost of what it sends"),
        Port("wanted_gpu", "work of the requests sent here"),
        Port("unanswered_gpu", "work of requests that waited too long and were lost"),
        Port("requests_waiting_gpu_h", "work of requests that wait, at the end"),
        Port("tokens_per_s", "tokens written, of services and batch inference"),
        Port("tokens_lost_per_s", "tokens of batch inference lost with a site, to be written again"),
        Port("latency_ms", "longest network latency of what is answered here; 0 where nothing is"),
        Port("ask_mw", "power that waits for leave to be added, at the end"),
        Port("coming_mw", "guarded: power let in that is not drawn yet, as jobs are on their way or loading"),
        Port("score_pu", "what the policy thinks of the site, in its own unit: lower is better"),
    )
    links: ClassVar[tuple[Link, ...]] = (
        Link("runs_on", gives={"work_gpu": "work_gpu"}, late={"capacity_gpu": "capacity_gpu"}),
    )
    commands: ClassVar[Mapping[str, type[Params]]] = {
        "move": MoveJobs,
        "move_service": MoveService,
        "limit_jobs": LimitJobs,
        "surge": Surge,
        "fail": Fail,
        "recover": Recover,
        "cut": Cut,
    }
    balances: ClassVar[tuple[Balance, ...]] = (
        Balance("work", ("arriving_gpu", "lost_gpu", "transferred_gpu"), ("job_gpu",), "backlog_gpu_h"),
    )

    def __init__(self, params: Sequence[SiteParams]) -> None:
        self._params = tuple(params)
        leads = [i for i, p in enumerate(params) if p.fleet is not None]
        if len(leads) != 1:
            told = "none has it" if not leads else f"{len(leads)} of {len(params)} have it"
            msg = f"one site must carry `fleet`, the work of all: {told}"
            raise ScenarioError(msg)
        self._lead = leads[0]
        self._kw = column(params, "gpu_kw")
        self._ramp = np.array([np.inf if p.ramp_mw_per_min is None else p.ramp_mw_per_min for p in params])
        self._block = np.array([np.inf if p.block_mw is None else p.block_mw for p in params])
        self._guarded = np.array([p.guarded for p in params], dtype=np.bool_)
        self._free_mw = column(params, "guard_above_mw")
        self._parts_pu = column(params, "parts_pu")
        self._places = places_of([port.name for port in self.outputs])
        self._fleet: Fleet | None = None

    def reset(self, context: Context) -> None:
        """Draw the jobs and begin with none running.

        Raises
        ------
        ScenarioError
            With everything that is wrong with the fleet.
        """
        params = self._params
        names = context.names or tuple(f"site {i}" for i in range(len(params)))
        if self._fleet is None or self._fleet.names != names:
            lead = params[self._lead].fleet
            assert lead is not None  # noqa: S101 - seen in __init__
            self._fleet = Fleet(
                params=lead,
                names=names,
                places=tuple(p.place for p in params),
                gpus=column(params, "gpus_count"),
                kw=self._kw,
                services_gpu=column(params, "services_gpu"),
                access_gbit_per_s=column(params, "access_gbit_per_s"),
            )
        self._context, self._names = context, names
        self.fleet.reset(context, names[self._lead])
        n = len(params)
        self._counts = np.zeros((5, n))
        self._bank_mw = np.zeros(n)
        self._free_bank_mw = self._free_mw.copy()
        self._held_mw = np.zeros(n)
        self._asked_mw = np.zeros(n)
        self._was_mw = np.zeros(n)

    def side_tables(self) -> Sequence[SideTable]:
        """Return the table with a row for each service."""
        lead = self._params[self._lead].fleet
        services = () if lead is None else tuple(service.name for service in lead.services)
        return (SideTable("service", services, SERVICE_COLUMNS),)

    def told(self, table: str) -> Mapping[str, Floats]:
        """Return what the last exchange brought to each service."""
        del table
        return Shelf(places_of(SERVICE_COLUMNS), self._by_service)

    @property
    def fleet(self) -> Fleet:
        """The fleet all sites belong to; known after `reset`."""
        assert self._fleet is not None  # noqa: S101 - reset comes first
        return self._fleet

    def refusal(self, unit: int, command: Params) -> str | None:
        """Return why an order can never be obeyed, or None."""
        names = self._names
        if isinstance(command, MoveJobs | Cut):
            if command.to not in names or command.to == names[unit]:
                others = ", ".join(name for name in names if name != names[unit])
                return f"{command.to!r} is no other site (allowed: {others})"
            return None
        if isinstance(command, MoveService):
            return self.fleet.services.reach.refusal(unit, command)
        if isinstance(command, Surge):
            return self.fleet.services.reach.unknown(command.service)
        return None

    def command(self, t_s: float, unit: int, name: str, command: Params) -> None:
        """Obey an event; what cannot be done is told and left undone."""
        told = self.refusal(unit, command)
        fleet, mine = self.fleet, self._names[unit]
        if told is None and isinstance(command, MoveJobs):
            target = self._names.index(command.to)
            gpus = command.gpus_count or (command.share_pu or 0.0) * fleet.roster.held_gpu(unit)
            told = fleet.moves.order(t_s, unit, target, gpus, command.over_s)
            if told is None:
                text = f"jobs of {gpus:g} accelerators go to {command.to} within {command.over_s:g} s"
                self._context.emit(t_s, mine, "move", text)
        elif told is None and isinstance(command, MoveService):
            told = fleet.services.move(t_s, unit, command, fleet.faults.route_gbit_per_s)
        elif told is None and isinstance(command, LimitJobs):
            fleet.limit_gpu[unit] = NO_LIMIT if command.gpus_count is None else command.gpus_count
            most = "any number of" if command.gpus_count is None else f"{command.gpus_count:g}"
            self._context.emit(t_s, mine, name, f"jobs may hold {most} accelerators at {mine}")
        elif told is None and isinstance(command, Surge):
            fleet.services.surge(t_s, command)
            factor = f"{command.factor_pu:g} times its mean"
            text = f"service {command.service} surges to {factor} in {command.ramp_s:g} s"
            self._context.emit(t_s, mine, name, text)
        elif told is None and isinstance(command, Fail):
            fleet.faults.fail(t_s, unit, command.for_s)
        elif told is None and isinstance(command, Recover):
            fleet.faults.recover(t_s, unit)
        elif told is None and isinstance(command, Cut):
            fleet.faults.cut(t_s, unit, self._names.index(command.to), command.for_s)
        if told is not None:
            self._context.emit(t_s, mine, "refused", told)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Advance all sites together."""
        fleet = self.fleet
        room_mw, saves_room = self._room_mw(dt_s, inputs["room_mw"])
        hears = Signals(
            inputs["price_cny_per_mwh"],
            inputs["carbon_kg_per_mwh"],
            inputs["green_mw"],
            inputs["capacity_gpu"],
            room_mw * 1e3 / self._kw,
            self._parts_pu,
            saves_room,
            inputs["limit_gpu"],
        )
        done = fleet.step(t_s, dt_s, hears)
        sums, served = done.sums, done.served
        self._by_service = served.by_service
        self._counts += sums[[k.ENDED, k.LATE, k.FAILED, k.CAME, k.WENT]]
        asked_mw, self._asked_mw = self._asked_mw, done.asked_gpu * self._kw / 1e3
        if self._guarded.any():
            self._tell_held(t_s, asked_mw, inputs["room_mw"])
        n = len(self._params)
        active = fleet.pool.active[: fleet.pool.tally[k.N_ACTIVE]]
        job, overhead = sums[k.USEFUL] / dt_s, sums[k.OVERHEAD] / dt_s
        network = fleet.params.network
        block = np.array([
            job + overhead + served.served_gpu + served.double_gpu,
            job,
            overhead,
            served.served_gpu,
            served.double_gpu,
            sums[k.ARRIVED] / dt_s,
            sums[k.LOST] / dt_s,
            sums[k.MOVED] / dt_s,
            fleet.backlog_gpu_s / HOUR_S,
            fleet.pool.used_gpu,
            np.bincount(fleet.life.site[active], minlength=n),
            fleet.pool.waits_count,
            *self._counts,
            sums[k.SENT] * 8.0 / dt_s,
            sums[k.RECEIVED] * 8.0 / dt_s,
            sums[k.SENT] * network.energy_kwh_per_gb * 3.6 / dt_s,
            sums[k.SENT] * network.price_cny_per_gb * HOUR_S / dt_s,
            served.wanted_gpu,
            served.lost_gpu,
            served.waiting_gpu_h,
            served.tokens_per_s + sums[k.TOKENS] / dt_s,
            sums[k.TOKENS_LOST] / dt_s,
            served.latency_ms,
            self._asked_mw,
            self._coming_mw(active),
            done.score,
        ])  # fmt: skip
        self._spend(active, inputs["room_mw"])
        return Shelf(self._places, block)

    def ledgers(self) -> Mapping[str, Ledger]:
        """Return a table with a row for each job, as things stand."""
        return {"job": self.fleet.roster.ledger(self.fleet.reached_s)}

    def _room_mw(self, dt_s: float, leave_mw: Floats) -> tuple[Floats, Bools]:
        """Return what may be added: the least of ramp, block and what the guard allows; and if it is kept.

        A ramp not used is kept for as long as a minute, or until what asks for leave fits; so is what needs
        no leave, for as long as a minute.
        """
        earned = np.where(np.isfinite(self._ramp), self._ramp * dt_s / 60.0, 0.0)
        most = np.maximum(np.where(np.isfinite(self._ramp), self._ramp, 0.0), self._asked_mw)
        self._bank_mw = np.minimum(self._bank_mw + earned, most)
        room = np.where(np.isfinite(self._ramp), self._bank_mw, NO_LIMIT)
        room = np.minimum(
            room, np.maximum(self._block, np.where(np.isfinite(self._block), self._asked_mw, 0.0))
        )
        self._free_bank_mw = np.minimum(self._free_bank_mw + self._free_mw * dt_s / 60.0, self._free_mw)
        leave = np.where(self._guarded, np.maximum(leave_mw, self._free_bank_mw), NO_LIMIT)
        return np.minimum(room, leave), np.isfinite(self._ramp) & (room <= leave)

    def _coming_mw(self, active: Ints) -> Floats:
        """Return what jobs will draw more once they run at the guarded sites they hold accelerators at."""
        n = len(self._params)
        if not self._guarded.any():
            return np.zeros(n)
        jobs, life, load_pu = self.fleet.jobs, self.fleet.life, self.fleet.params.load_pu
        state, target = life.state[active], life.target[active]
        moves = (target >= 0) & (state >= k.DRAINING) & (state <= k.STARTING)
        loads = (state == k.LOADING) | (state == k.STARTING)
        drawn_pu = np.where(loads, load_pu, 0.0)
        whole_pu = jobs.busy_pu[active] * np.where(moves, 1.0, life.level_pu[active])
        left_gpu = jobs.gpus[active] * np.maximum(whole_pu - drawn_pu, 0.0)
        comes = moves | (state == k.FETCHING) | (state == k.LOADING)
        at = np.where(moves, target, life.site[active])
        coming_gpu = np.bincount(at[comes], left_gpu[comes], minlength=n)
        return np.where(self._guarded, coming_gpu * self._kw / 1e3, 0.0)

    def _spend(self, active: Ints, leave_mw: Floats) -> None:
        """Take out of the banks what jobs let in will draw beyond those that went.

        What is let in counts at once: its data may be on the way, and loading draws less than running. What
        was let in beyond the leave comes out of what needs none.
        """
        if not (np.isfinite(self._ramp).any() or self._guarded.any()):
            return
        n, life = len(self._params), self.fleet.life
        whole_gpu, target = (
            self.fleet.jobs.gpus[active] * self.fleet.jobs.busy_pu[active],
            life.target[active],
        )
        held_gpu = np.bincount(life.site[active], whole_gpu * life.level_pu[active], minlength=n)
        comes = target >= 0
        held_gpu += np.bincount(target[comes], whole_gpu[comes], minlength=n)
        now_mw = held_gpu * self._kw / 1e3
        rise_mw = np.maximum(now_mw - self._was_mw, 0.0)
        self._bank_mw = np.maximum(self._bank_mw - rise_mw, 0.0)
        self._free_bank_mw = np.maximum(self._free_bank_mw - np.maximum(rise_mw - leave_mw, 0.0), 0.0)
        self._was_mw = now_mw

    def _tell_held(self, t_s: float, asked_mw: Floats, leave_mw: Floats) -> None:
        """Tell once what waits because no block of its size may be added, with both numbers."""
        waits = self._guarded & (self._asked_mw > 0.0)
        self._held_mw = np.where(waits, self._held_mw, 0.0)
        refused = waits & (asked_mw == self._asked_mw) & (leave_mw < asked_mw) & (self._held_mw != asked_mw)
        for s in np.flatnonzero(refused).tolist():
            self._held_mw[s] = asked_mw[s]
            job = self.fleet.roster.waiting_for(float(asked_mw[s] * 1e3 / self._kw[s]))
            part = self._parts_pu[s]
            least = "it starts whole" if part == 1.0 else f"its smallest part is {part * asked_mw[s]:.6g} MW"
            text = (
                f"{job} waits: {leave_mw[s]:.6g} MW of {asked_mw[s]:.6g} MW may be added at once, and {least}"
            )
            data = {"job": job, "asked_mw": float(asked_mw[s]), "room_mw": float(leave_mw[s])}
            self._context.emit(t_s, self._names[s], "job_held", text, json.dumps(data))

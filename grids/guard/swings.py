"""What blocks of power do to rotors and voltages: a fork of the dynamic model where the run stands."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from cosim.core.errors import ScenarioError, SolveError, collected
from cosim.core.grid import Connections
from cosim.core.types import Floats, Ints
from grids.dynamics.record import Segment
from grids.guard.params import SwingParams
from grids.inside import Inside
from grids.params import RmsWindowParams
from grids.response import Answer, tie_to_row
from grids.rms_checks import check_models
from grids.rms_devices import OFFERED
from grids.rms_entry import Standing
from grids.rms_run import RmsRun
from grids.rms_units import elements_of_units

Rise = Iterable[tuple[float, Floats]]
"""Instants from now [s], in their order, and what units (units,) draw more from then on [MW]."""


class Now(Protocol):
    """The end of an exchange, as the power flow has it."""

    @property
    def t_s(self) -> float:
        """When."""

    @property
    def units(self) -> Floats:
        """`p_mw` and `q_mvar` of the connected units, shape (2, units)."""

    @property
    def offers(self) -> Floats:
        """`OFFERED`, shape (3, units)."""

    @property
    def answer(self) -> Answer:
        """Frequencies and responses."""


@dataclass(frozen=True)
class Swing:
    """What was seen of a rise up to the horizon."""

    f_min_hz: Floats
    """(areas,) lowest frequency of the centre of inertia; nan where no machine turns."""
    f_max_hz: Floats
    rocof_hz_per_s: Floats
    """(areas,) largest rate over half a second."""
    vm_min_pu: Floats
    """(live rows of the bus table,) lowest voltage."""


class Swings:
    """The dynamic model of a case, asked what it would do.

    Parameters
    ----------
    params
        Horizon and step.
    inside
        The power flow: where no dynamic model runs, one is started where it stands, as a window does.
    connections
        Its units.

    Raises
    ------
    CaseError
        When a machine has no dynamic model.
    ScenarioError
        When a unit that asks has a device of its own: it cannot be told to draw more.
    """

    def __init__(self, params: SwingParams, inside: Inside, connections: Connections) -> None:
        check_models(inside)
        hosted = dict(zip(connections.units, connections.hosted, strict=False))
        asking = [name for name, asks in zip(connections.units, connections.asking, strict=False) if asks]
        collected(
            [
                f"unit {name!r} asks for leave and has a device of its own, which the guard's frequency = rms"
                " cannot add power to (allowed: frequency = area, or a site that asks beside its hall)"
                for name in asking
                if hosted.get(name) is not None
            ],
            ScenarioError,
        )
        self._params, self._inside = params, inside
        self._connections = replace(connections, hosted=())
        self._elements = elements_of_units(inside, connections)
        gens, sources = inside.state.sources.gens, len(inside.state.sources.names)
        self._tie_to_row = tie_to_row(inside.ties, gens, sources - gens)

    def fork(self, now: Now, run: RmsRun | None, tan: float) -> "Fork":
        """Return the dynamic model at the end of an exchange.

        Parameters
        ----------
        now
            What units draw and offer, and what answers.
        run
            The dynamic model that runs, None: one is started where the power flow stands.
        tan
            Reactive power of what is added, of its active power.

        Raises
        ------
        CaseError, SolveError
            When it cannot start.
        """
        run = self._start(now) if run is None else run
        return Fork(run, self._elements, self._live(run), self._params.horizon_s, tan)

    def _start(self, now: Now) -> RmsRun:
        """Return a dynamic model that stands where the power flow does."""
        state, answer = self._inside.state, now.answer
        made = state.sources.table(
            state.flow.needed, state.flow.vm_pu, answer.gen_mw, self._tie_to_row, answer.tie_mw
        )
        standing = Standing(answer.area[0].copy(), answer.droop_mw.copy(), made[0] + 1j * made[1])
        offers = dict(zip(OFFERED, now.offers, strict=True))
        inputs = {"p_mw": now.units[0], "q_mvar": now.units[1], **offers}
        params = RmsWindowParams(inner_step_s=self._params.inner_step_s)
        run = RmsRun(self._inside, self._connections, standing, params, start_s=now.t_s, inputs=inputs)
        run.step(now.t_s, inputs, ())
        return run

    def _live(self, run: RmsRun) -> Ints:
        """Return the bus in the dynamic model of each live row of the bus table, -1: none there."""
        live = self._inside.state.model.row_bus >= 0
        return np.asarray(run.session.system.point.row_bus[live], dtype=np.int64)


class Fork:
    """A dynamic model that takes blocks of power and returns to where it stood after each."""

    def __init__(
        self, run: RmsRun, elements: tuple[str, ...], live_bus: Ints, horizon_s: float, tan: float
    ) -> None:
        self._session, self._watch = run.session, run.watch
        self._elements, self._live_bus, self._tan = elements, live_bus, tan
        self._horizon_s = horizon_s

    def after(self, rise: Rise) -> Swing | str:
        """Return what a rise does until the horizon after its last step, or what it cannot bear."""
        session, watch = self._session, copy.copy(self._watch)
        stands, at_s = session.state(), 0.0
        try:
            drawn_mw = np.zeros(len(self._elements))
            for at_s, added_mw in rise:
                if at_s > 0.0:
                    session.advance(stands.t_s + at_s, every=1)
                for unit in np.flatnonzero(added_mw != drawn_mw).tolist():
                    more_mw = float(added_mw[unit] - drawn_mw[unit])
                    session.change_load(self._elements[unit], more_mw, self._tan * more_mw)
                drawn_mw = added_mw
            session.advance(stands.t_s + at_s + self._horizon_s, every=1)
            seen = [part for part in session.segments[stands.stored :] if part.rows]
            low_hz, high_hz, rocof = watch.take(seen)
            return Swing(low_hz, high_hz, rocof, self._lowest_pu(seen))
        except SolveError as error:
            return f"the dynamic model does not bear it ({error})"
        finally:
            session.restore(stands)

    def _lowest_pu(self, seen: list[Segment]) -> Floats:
        """Return the lowest voltage of each live row, 1 where the dynamic model has no such bus."""
        known = self._live_bus >= 0
        lowest = np.where(known, np.inf, 1.0)
        for part in seen:
            expand = part.configuration.expand
            v = part.record.v[: part.rows]
            v = v if expand is None else v @ expand.T
            lowest[known] = np.minimum(lowest[known], np.abs(v[:, self._live_bus[known]]).min(axis=0))
        return lowest

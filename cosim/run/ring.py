"""The simulators of one run and their mosaik World."""

import asyncio
import contextlib
import itertools
from collections.abc import Mapping
from pathlib import Path

import mosaik

from cosim.core.component import Ledger
from cosim.core.errors import ComponentError
from cosim.plan import GRID, Plan
from cosim.results import Writer
from cosim.simulators.account import Account
from cosim.simulators.base import LATE, MODEL, NOW, ROWS, RingSimulator
from cosim.simulators.check import StepError
from cosim.simulators.component import ComponentSimulator
from cosim.simulators.desk import Desk
from cosim.simulators.grid import GridSimulator
from cosim.simulators.inside import InsideStarter
from cosim.simulators.ranges import Answers, Ranges
from cosim.simulators.recorder import Beat, Recorder
from cosim.simulators.remote import ProcessProxy, ProcessStarter
from cosim.simulators.shared import Shared

RECORDER = "recorder"

SETUP = "setup"
"""Name under which the time before the first exchange is kept."""

START_S = 300.0
"""Longest time [s] the construction of one component in a process may take."""


class Ring:
    """All simulators of a run: stages, grid, recorder.

    Parameters
    ----------
    plan
        The run.
    shared
        Clock, watchdog, events.
    writer
        Where results go.
    folder
        Receives what processes print.
    beat
        Called once per exchange.

    Raises
    ------
    StepError
        When a component or the grid cannot be reset.
    """

    def __init__(self, plan: Plan, shared: Shared, writer: Writer, folder: Path, beat: Beat) -> None:
        self.plan, self.shared = plan, shared
        self.grid = GridSimulator(plan, shared)
        ranges = Ranges(plan)
        self.recorder = Recorder(writer, shared, beat, ranges, Account(plan))
        self._late = {wire.target for wire in plan.wires if wire.delayed}
        self._stages: list[tuple[str, RingSimulator | ProcessStarter]] = []
        for kinds in plan.stages:
            desks = [Desk(plan.kind(kind), plan.into(kind), shared) for kind in kinds]
            if desks[0].plan.process:
                starter = ProcessStarter(desks[0], folder / f"{kinds[0]}.log")
                self._stages.append((kinds[0], starter))
            else:
                answers = Answers(plan, kinds) if plan.asks else None
                self._stages.append(("+".join(kinds), ComponentSimulator(desks, shared, ranges, answers)))

    def turn(self) -> None:
        """Run mosaik to the end of the clock.

        Raises StepError (or what else ended the run) with the culprit; returns only when every
        simulator has done every exchange.
        """
        loop = asyncio.new_event_loop()
        world = mosaik.AsyncWorld(
            mosaik_config={"start_timeout": START_S},
            time_resolution=float(self.shared.clock.tick_s),
            cache=False,
        )
        main = loop.create_task(self._run(world))
        try:
            loop.run_until_complete(main)
        finally:
            _wind_up(loop, world, main)
        self._check_arrivals()

    def ledgers(self) -> Mapping[str, Ledger]:
        """Return the tables of single things that components keep, once the ring has turned."""
        found: dict[str, Ledger] = {}
        for _, member in self._stages:
            runner = member.proxy if isinstance(member, ProcessStarter) else member
            if isinstance(runner, ComponentSimulator | ProcessProxy):
                found |= runner.ledgers()
        return found

    async def _run(self, world: mosaik.AsyncWorld) -> None:
        try:
            entities = await self._start(world)
        except SystemExit as error:  # what mosaik raises when a process does not answer in time
            raise ComponentError(str(error)) from error
        self._connect(world, entities)
        self.shared.watch.spend_rest(SETUP)
        await world.run(until=self.shared.clock.until, print_progress=False, lazy_stepping=False)

    async def _start(self, world: mosaik.AsyncWorld) -> dict[str, mosaik.async_scenario.Entity]:
        members = [*self._stages, (GRID, self.grid), (RECORDER, self.recorder)]
        entities = {}
        for name, member in members:
            starter = member if isinstance(member, ProcessStarter) else InsideStarter(member)
            factory = await world.start(starter, sim_id=name)
            entities[name] = await factory.models[MODEL]()
        return entities

    def _connect(self, world: mosaik.AsyncWorld, entities: dict[str, mosaik.async_scenario.Entity]) -> None:
        """Close the ring, and link the grid to every stage that hears of it one exchange late."""
        names = list(entities)
        for source, target in itertools.pairwise(names):
            world.connect_one(entities[source], entities[target], NOW, NOW)
        world.connect_one(entities[RECORDER], entities[names[0]], ROWS, ROWS, time_shifted=1, initial_data=0)
        for name, kinds in zip(names, self.plan.stages, strict=False):
            if self._late.intersection(kinds):
                world.connect_one(
                    entities[GRID], entities[name], NOW, LATE, time_shifted=1, initial_data=self.grid.first
                )

    def _check_arrivals(self) -> None:
        """Raise StepError naming the first simulator that did not reach the end."""
        clock = self.shared.clock
        members = [*self._stages, (GRID, self.grid), (RECORDER, self.recorder)]
        for name, member in members:
            runner = member.proxy if isinstance(member, ProcessStarter) else member
            done = 0 if runner is None else runner.exchanges_count
            if done != len(clock):
                text = f"stopped after {done} of {len(clock)} exchanges without saying why"
                raise StepError(name, float(clock.t_s[min(done, len(clock) - 1)]), text)


def _wind_up(loop: asyncio.AbstractEventLoop, world: mosaik.AsyncWorld, main: "asyncio.Task[None]") -> None:
    """End the simulators' tasks, then the processes, then whatever is left of the loop.

    mosaik leaves the other simulators' tasks alive when one raises; they must not step on.
    """

    def finish(tasks: set["asyncio.Task[object]"]) -> None:
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        with contextlib.suppress(KeyboardInterrupt):
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    finish(
        {task for task in asyncio.all_tasks(loop) if task is main or task.get_name().startswith("Runner for")}
    )
    loop.run_until_complete(world.shutdown())
    finish(asyncio.all_tasks(loop))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()

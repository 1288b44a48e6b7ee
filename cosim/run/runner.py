"""One run from plan to results, and a truthful end whatever happens on the way."""

import sys
from pathlib import Path
from time import perf_counter

from rich.console import Console

from cosim.core.component import Context
from cosim.core.streams import Streams
from cosim.plan import Plan
from cosim.results import Event, Results, Writer, load
from cosim.results.writer import results_hash
from cosim.run.apart import apart
from cosim.run.collecting import rare_collection
from cosim.run.manifest import Manifest, prepare, run_folder, write_model
from cosim.run.progress import progress_bar, time_table
from cosim.run.ring import Ring
from cosim.simulators.check import StepError
from cosim.simulators.recorder import ACCOUNT, table_specs
from cosim.simulators.shared import Shared
from cosim.simulators.watch import Watch

STEP_LIMIT_S = 300.0
"""Longest wall-clock time [s] one step of one model may take; the first may compile kernels."""

MOSAIK = "mosaik and adapters"


class _Books:
    """What has to be brought to disk at the end, good or bad, once."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.began = perf_counter()
        self.manifest = Manifest(plan, folder)
        self.writer = Writer(folder, table_specs(plan))

    def timings(self, watch: Watch) -> dict[str, float]:
        """Return wall-clock time [s] by model, and what is left for mosaik and the adapters."""
        rest = perf_counter() - self.began - sum(watch.spent_s.values())
        return {**watch.spent_s, MOSAIK: rest}

    def close(self, status: str, shared: Shared, error: BaseException | None = None) -> None:
        """Write the last events and rows, the hashes, and how it ended."""
        if error is not None:
            source = getattr(error, "culprit", "run")
            self.writer.add_events(
                [*shared.events, Event(self.writer.reached_s, source, "error", _text(error))]
            )
        began = perf_counter()
        hashes = self.writer.close()
        shared.watch.spend(ACCOUNT, perf_counter() - began)
        more = {
            "wall_s": perf_counter() - self.began,
            "timings_s": self.timings(shared.watch),
            "reached_s": self.writer.reached_s,
            "hashes": hashes,
            "results_hash": results_hash(hashes),
        }
        if error is not None:
            more["error"] = _text(error)
            more["culprit"] = getattr(error, "culprit", "")
        self.manifest.finish(status, **more)


def _text(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted by the user"
    return str(error) or type(error).__name__


def run(plan: Plan, out: Path, *, progress: bool = False, step_limit_s: float = STEP_LIMIT_S) -> Results:
    """Run a plan and return its results, which lie in a folder of their own under `out`.

    Parameters
    ----------
    plan
        What `cosim.assemble.assemble` made of a scenario. A plan runs once: its models keep their state
        until they are reset, and `run` resets them.
    out
        Folder of the run folders. An earlier run of the same scenario is replaced.
    progress
        Show a bar, and at the end where the time went.
    step_limit_s
        Longest wall-clock time [s] one step of one model may take before it counts as hanging.

    Raises
    ------
    ComponentError
        When a model raised, returned what it must not, hung, or its process died: which, and when.
    SolveError
        When the grid has no solution and its policy is to stop.
    ResultsError
        When the folder holds something else.

    Whatever is raised, everything up to that moment is readable with `cosim.results.load`. Compiled code
    that hangs cannot be interrupted: the results are closed and the process ends with exit code 3.
    """
    return apart(lambda: _run(plan, out, progress, step_limit_s))


def _run(plan: Plan, out: Path, progress: bool, step_limit_s: float) -> Results:
    folder = run_folder(plan, out)
    prepare(folder)
    books = _Books(plan, folder)

    def give_up(error: StepError) -> None:
        if error.culprit != ACCOUNT:
            books.close("failed", shared, error)
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()

    scenario = plan.scenario
    context = Context(start=scenario.start, streams=Streams(scenario.seed))
    shared = Shared(plan.clock, context, Watch(step_limit_s, give_up))
    try:
        with shared.watch.watching(), progress_bar(scenario.name, plan.clock.until_s, shown=progress) as beat:
            ring = Ring(plan, shared, books.writer, folder, beat)
            write_model(plan, folder)
            with rare_collection():
                ring.turn()
            plan.grid.finish()
            for name, ledger in ring.ledgers().items():
                books.writer.add_ledger(name, ledger)
    except KeyboardInterrupt as error:
        if shared.watch.culprit is None:
            books.close("incomplete", shared, error)
            raise
        books.close("failed", shared, shared.watch.culprit)  # interrupted just after its step
        raise shared.watch.culprit from error
    except BaseException as error:
        books.close("failed", shared, error)
        raise
    books.close("complete", shared)
    if progress:
        Console(stderr=True).print(time_table(books.timings(shared.watch), len(plan.clock)))
    return load(folder)

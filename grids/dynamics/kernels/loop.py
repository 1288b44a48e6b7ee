"""The time loop. The driver puts `evaluate` and `after` of the models present in front.

The text below the mark becomes part of every generated driver (`grids.dynamics.driver`), compiled
together with the kernels of the models; `evaluate` and `after` above the mark only say what the
generated ones look like. `evaluate` is called from one place, because that is what compiling costs.
"""

from typing import Any

from cosim.core.jit import jit_lent
from cosim.core.types import Floats
from grids.dynamics.kernels.network import Net
from grids.dynamics.kernels.steps import (
    ACT,
    DONE,
    NO_SOLUTION,
    PATIENCE,
    REFACTOR,
    RK4,
    SOLVES,
    STAGES,
    STEPS,
    UNHEALTHY,
    WINDOW,
    Record,
    Wiring,
    Work,
    copy_complex,
    copy_row,
    healthy,
    heun,
    rk4,
    rotate,
    store,
)


def evaluate(
    blocks: Any, wiring: Wiring, net: Net, work: Work, x: Floats, xs: Any, s: Floats, dxs: Any
) -> bool:  # pragma: no cover
    """Solve the network for states `x`, write signals `s` and derivatives; False without solution.

    `xs` and `dxs` are views of the states and derivatives, one array (states, units) for each model.
    """
    raise NotImplementedError


def after(t_s: float, h_s: float, blocks: Any, work: Work, xs: Any, s: Floats) -> bool:  # pragma: no cover
    """Run the discrete logic of all models; True when one of them asks to act."""
    raise NotImplementedError


# --- mark ---


@jit_lent
def advance(
    t_s: float,
    h_s: float,
    steps: int,
    method: int,
    every: int,
    closing: bool,
    speeds: tuple[float, float],
    blocks: Any,
    wiring: Wiring,
    net: Net,
    work: Work,
    scheme: Floats,
    x: Floats,
    xs: Any,
    stages: Any,
    slopes: Any,
    s: Floats,
    theta: Floats,
    record: Record,
) -> int:
    """Take `steps` steps and return why it stopped; store every `every`-th start, none where it is 0.

    `closing` brings voltages, signals and derivatives (`work.k[0]`) up to the end and stores it too.
    `work.tally` tells steps taken, solves, stages, and the culprit (a state). `x` is always that
    after the steps taken. `xs`, `stages` and `slopes` are views of `x`, of `work.stage` and of `work.k`, one
    array (states, units) for each model: making them here would take a tenth of the time.
    """
    tally = work.tally
    tally[STEPS] = 0
    solves, evaluated = tally[SOLVES], tally[STAGES]
    row = 0
    for n in range(steps + 1):
        if n == steps and not closing:
            break
        for i in range(4 if method == RK4 else 2):
            if i == 0:
                copy_row(x, work.stage[0])
            if not evaluate(blocks, wiring, net, work, work.stage[i], stages[i], s, slopes[i]):
                return NO_SOLUTION
            if i == 0:
                copy_complex(work.v, work.settled)
            if i == 0 and every > 0 and (n % every == 0 or n == steps):
                store(t_s + n * h_s, row, work, x, s, theta, record)
                row += 1
            if n == steps:
                return DONE
            if method == RK4:
                rk4(i, wiring, work, scheme, x)
            else:
                heun(i, wiring, work, scheme, x)
        tally[STEPS] = n + 1
        rotate(wiring, work, x, theta)
        if not healthy(wiring, work, x, speeds[0], speeds[1]):
            return UNHEALTHY
        if after(t_s + (n + 1) * h_s, h_s, blocks, work, xs, s):
            return ACT
        if tally[STAGES] - evaluated >= WINDOW:
            if tally[SOLVES] - solves > PATIENCE * (tally[STAGES] - evaluated):
                return REFACTOR
            solves, evaluated = tally[SOLVES], tally[STAGES]
    return DONE

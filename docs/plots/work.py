"""Chart of docs/models/work.md: `python docs/plots work` writes it."""  # noqa: INP001

import numpy as np
from chart import Curve, chart

from datacenters.training import Training, TrainingParams

PERIODS_S = (0.33, 1.0, 2.0, 3.0, 4.0, 5.0)
"""From 3 to 0.2 Hz: the range of published swings."""
STEPS = 40
HELD_S = 65.0 / 600.0
"""65 J an accelerator on GB300 (published, secondary) over a swing of 600 W."""


def moved_mj(duty_pu: float, period_s: float) -> float:
    """Return the energy above the mean of an iteration for a swing of 1 MW [MJ]."""
    job = Training([TrainingParams(gpus_count=1.0, period_s=period_s, duty_pu=duty_pu, jitter_pu=0.0)])
    dt_s = period_s / STEPS
    busy = np.array([job.step(n * dt_s, dt_s, {})["work_gpu"][0] for n in range(STEPS)])
    return float(np.ptp(np.cumsum(busy - busy.mean())) * dt_s / np.ptp(busy))


def flattening_chart() -> str:
    """Energy a store moves to flatten a job, over the time of its iterations, with the law."""
    curves = []
    for colour, duty_pu in enumerate((0.5, 0.7, 0.9)):
        moved = [moved_mj(duty_pu, period_s) for period_s in PERIODS_S]
        law = [0.0, duty_pu * (1.0 - duty_pu) * PERIODS_S[-1]]
        curves.append(Curve(f"law, duty {duty_pu:g}", [0.0, PERIODS_S[-1]], law, colour))
        curves.append(Curve("", PERIODS_S, moved, colour, "dots"))
    curves.append(Curve("waveform of a job", [], [], 5, "dots"))
    curves.append(Curve("65 J for 600 W", [0.0, PERIODS_S[-1]], [HELD_S, HELD_S], 5, "dashes"))
    return chart("time of an iteration [s]", "energy moved by 1 MW of swing [MJ]", curves)


CHARTS = {"work_flattening.svg": flattening_chart}

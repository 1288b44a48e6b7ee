"""Chart of docs/models/genset.md: `python docs/plots/genset.py` writes it."""  # noqa: INP001

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(ROOT / "tests" / "validation"))

from chart import Curve, chart  # noqa: E402
from test_genset_speed import AT_S, F_HZ, after_a_step  # noqa: E402


def speed_chart() -> str:
    """Speed of a gas and a diesel set alone on their bus after their first load step."""
    curves = []
    for colour, (kind, step_pu) in enumerate((("gas", 0.16), ("diesel", 0.5))):
        run = after_a_step(kind, step_pu)
        t_s, f_hz = np.asarray(run.t_s), run.f_coi_hz.to_numpy()
        shown = np.flatnonzero((t_s > AT_S - 0.5) & (t_s < AT_S + 15.0))[::20]
        speed = 100.0 * f_hz[shown] / F_HZ
        curves.append(Curve(f"{kind}, {100 * step_pu:g} %", t_s[shown] - AT_S, speed, colour))
    curves.append(Curve("gas, published drop", [0.0, 15.0], [92.0, 92.0], 0, "dashes"))
    return chart("time after the load step [s]", "speed [%]", curves)


if __name__ == "__main__":
    (ROOT / "docs" / "models" / "img" / "genset_speed.svg").write_text(speed_chart(), encoding="utf-8")

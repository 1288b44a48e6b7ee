"""Charts of docs/models/it_power.md: `python docs/plots it_power` writes them."""  # noqa: INP001

import numpy as np
from chart import Curve, chart
from test_frontier_power import machine_mw
from test_node_power import done_pu

# measured, tokens a second: sources in tests/validation/test_node_power.py
PREFILL_W, PREFILL_PER_S = np.array([200.0, 250.0, 300.0]), np.array([5941.0, 8436.0, 9326.0])
DECODE_W, DECODE_PER_S = np.array([147.2, 159.3]), np.array([80.4, 81.4])


def frontier_chart() -> str:
    """Power of Frontier over what its accelerators do, with the values of the published equations."""
    busy = np.linspace(0.0, 1.0, 11)
    return chart(
        "accelerators busy [pu]",
        "power of the machine [MW]",
        [
            Curve("CPUs as accelerators", busy, [machine_mw(u, u) for u in busy], 0),
            Curve("9,216 nodes, CPUs 0.33", busy, [machine_mw(u, 0.33, 9216) for u in busy], 1),
            Curve("idle, peak (equations)", [0.0, 1.0], [7.31, 28.23], 0, "dots"),
            Curve("HPL (equations)", [0.79], [22.53], 1, "dots"),
        ],
    )


def caps_chart() -> str:
    """Work under a power cap, of that without, with what was measured."""
    caps = np.linspace(0.55, 1.0, 10)
    return chart(
        "power cap, of rated [pu]",
        "work done, of that without [pu]",
        [
            Curve("prefill, model", caps, [done_pu(30 / 350, 0.0, cap) for cap in caps], 0),
            Curve("prefill, measured", PREFILL_W / 350, PREFILL_PER_S / 9893, 0, "dots"),
            Curve("decode, model", caps, [done_pu(0.1, 0.865, cap) for cap in caps], 1),
            Curve("decode, measured", DECODE_W / 172.7, DECODE_PER_S / 81.2, 1, "dots"),
        ],
    )


CHARTS = {"it_power_frontier.svg": frontier_chart, "it_power_caps.svg": caps_chart}

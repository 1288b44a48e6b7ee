"""The electromechanical modes of a case where a run on the dynamic model began, for who reads its results."""

from typing import Any

import numpy as np

from grids.dynamics.linear import linearise
from grids.dynamics.session import Session

MOST_STATES = 1500
"""States up to which a run tells its modes: each costs two solutions of the network, and all a matrix."""

MOST_MACHINES = 3
SLOWEST_HZ, FASTEST_HZ = 0.05, 3.0


def told_modes(session: Session) -> list[dict[str, Any]]:
    """Return frequency, damping ratio and the machines that take part most, slowest mode first.

    Empty for a case with more than `MOST_STATES` states.
    """
    if session.system.x.size > MOST_STATES:
        return []
    found = linearise(session).electromechanical()
    swing = [name.endswith((" omega", " delta")) for name in found.states]
    elements = np.array([name.split(" (")[0] for name in found.states])
    told = []
    for i, f_hz in enumerate(found.frequency_hz):
        if not SLOWEST_HZ <= f_hz <= FASTEST_HZ:
            continue
        share = {
            str(name): float(found.participation[swing & (elements == name), i].sum())
            for name in np.unique(elements[swing])
        }
        machines = sorted(share, key=lambda name: -share[name])[:MOST_MACHINES]
        told.append({"f_hz": float(f_hz), "damping_pu": float(found.damping_pu[i]), "machines": machines})
    return told

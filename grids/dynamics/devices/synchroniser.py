r"""Breaker of a machine with its synchroniser: open, closed, and closed again without a jolt.

A machine that delivers nothing at the operating point starts with an open breaker. When the input `close`
is above one half it is closed as soon as the voltage at its bus lies within `vmin_pu` to `vmax_pu` and the
frequency within `slip_pu` of nominal: an ideal synchroniser has then brought speed, voltage and angle to
those of the bus, so no current flows at that moment (limits of real ones: 10° and 0.067 Hz, IEEE Std
C50.12-2005). The time the engine takes to run up is that of whoever closes. A dead bus is energised where
`dead_bus_code` is 1. When `close` falls below one half the breaker opens.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.errors import CaseError, collected
from cosim.core.jit import jit
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Device, Site, not_below, rows
from grids.numbers import Complexes


class SynchroniserParams(Params):
    """Breaker and synchroniser of one machine."""

    vmin_pu: float = Field(default=0.85, gt=0, description="lowest voltage it closes at (unconfirmed)")
    vmax_pu: float = Field(default=1.15, gt=0, description="highest voltage it closes at (unconfirmed)")
    slip_pu: float = Field(
        default=0.05, gt=0, description="furthest from nominal frequency it closes at (unconfirmed)"
    )
    dead_bus_code: int = Field(default=0, ge=0, le=1, description="1: closes onto a bus without voltage")


READS = ("close",)
WRITES = ("closed",)
MEMORY = ("closed", "due")

P: Any = rows(SynchroniserParams)
S: Any = rows(READS, WRITES)
Z: Any = rows(MEMORY)


@jit
def measure(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats) -> None:
    """Write whether the breaker is closed."""
    for k in range(u.port.size):
        s[u.wire[S.closed, k]] = u.z[Z.closed, k]


@jit
def after(u: Block, x: Floats, v: Complexes, w: Floats, s: Floats, t_s: float, h_s: float) -> bool:
    """Say whether a breaker is to be moved."""
    due = False
    for k in range(u.port.size):
        wanted, at = s[u.wire[S.close, k]] > 0.5, abs(v[u.port[k]])
        if wanted == (u.z[Z.closed, k] == 1.0):
            continue
        fits = u.p[P.vmin_pu, k] <= at <= u.p[P.vmax_pu, k] and abs(w[u.port[k]] - 1.0) <= u.p[P.slip_pu, k]
        if not wanted or fits or (at == 0.0 and u.p[P.dead_bus_code, k] == 1.0):
            u.z[Z.due, k] = 1.0
            due = True
    return due


class Synchroniser(Device):
    """Breaker and synchroniser of a machine."""

    params_type = SynchroniserParams
    role = "synchroniser"
    reads = READS
    writes = WRITES
    measured = WRITES
    memory = MEMORY
    measure = staticmethod(measure)
    after = staticmethod(after)

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Stand as the operating point has it: closed where the machine delivers."""
        u.z[Z.closed] = np.abs(site.s_pu) > 1e-9
        s[u.wire[S.close]], s[u.wire[S.closed]] = u.z[Z.closed], u.z[Z.closed]

    @classmethod
    def ready(cls, u: Block, session: Any) -> None:
        """Open the breakers of machines that deliver nothing.

        Raises
        ------
        CaseError
            Where there is no machine, or one that cannot be synchronised.
        """
        names, groups = session.elements_of(u), session.system.groups
        able = {name for group in groups if group.cls.synchronises for name in group.elements}
        wrong = [
            f"{name} (synchroniser) has no machine that can be synchronised (allowed: gensal)"
            for name in names
            if name not in able
        ]
        collected(wrong, CaseError)
        for k in np.flatnonzero(u.z[Z.closed] == 0.0).tolist():
            session.trip(names[k])

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        return not_below(params, [("vmin_pu", "vmax_pu")])

    @classmethod
    def act(cls, u: Block, session: Any) -> None:
        """Move the breakers that are due."""
        names = session.elements_of(u)
        for k in np.flatnonzero(u.z[Z.due] == 1.0).tolist():
            u.z[Z.due, k] = 0.0
            u.z[Z.closed, k] = 1.0 - u.z[Z.closed, k]
            if u.z[Z.closed, k] == 1.0:
                session.note(f"{names[k]} connected: synchronised, breaker closed")
                session.connect(names[k])
            else:
                session.note(f"{names[k]} opened: breaker of the machine")
                session.trip(names[k])


DEVICE = Synchroniser

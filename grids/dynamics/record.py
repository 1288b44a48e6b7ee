"""Stored points of a run, and the arrays the loop works in."""

from dataclasses import dataclass

import numpy as np

from cosim.core.types import Floats
from grids.dynamics.kernels.steps import Record, Work
from grids.dynamics.network import Configuration
from grids.dynamics.system import System


@dataclass(frozen=True)
class Segment:
    """Stored points between two switchings."""

    record: Record
    rows: int
    configuration: Configuration
    rotor_m_s: Floats


def empty_record(rows: int, system: System, islands: int) -> Record:
    """Return room for so many points."""
    return Record(
        t_s=np.zeros(rows),
        x=np.zeros((rows, system.x.size)),
        s=np.zeros((rows, system.s.size)),
        v=np.zeros((rows, system.ports.size), dtype=np.complex128),
        theta=np.zeros((rows, islands)),
        coi=np.zeros((rows, islands)),
    )


def empty_work(system: System, tolerance_pu: float) -> Work:
    """Return the arrays the loop works in, voltages at the operating point."""
    m, n = system.ports.size, system.x.size
    return Work(
        v=system.point.v_pu[system.ports].astype(np.complex128),
        fresh=np.zeros(m, dtype=np.complex128),
        settled=system.point.v_pu[system.ports].astype(np.complex128),
        current=np.zeros(m, dtype=np.complex128),
        now=np.zeros(m, dtype=np.complex128),
        spare=np.zeros(max(2 * m, 64)),
        w=np.ones(m),
        coi=np.ones(0),
        k=np.zeros((4, n)),
        stage=np.zeros((4, n)),
        tally=np.zeros(8, dtype=np.int64),
        tolerance=np.array([tolerance_pu**2]),
    )

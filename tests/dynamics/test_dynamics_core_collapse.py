"""Where constant powers have no solution any more, the run ends, and where ANDES's does."""

import re

import numpy as np
import pytest

from cosim.core.errors import SolveError
from grids.case import load_case
from grids.dynamics import POWER, GeneratorTrip, Run, begin
from grids.dynamics.measures import in_step

TRIP = [GeneratorTrip(bus=38, at_s=1.0)]
ANDES_S, ANDES_VM_PU = 1.627734, ((1.591767, 0.6310724), (1.6001, 0.6224694))
"""ANDES 2.0.0, ieee39_full, all loads constant power, GENROU_9 tripped at 1 s, step 1/120 s: when "time step
reduced to zero", and the voltage of bus 38 on the way there."""


def test_the_run_ends_where_the_loads_pass_the_nose_as_in_andes() -> None:
    loads = POWER.model_copy(update={"vmin_pu": 0.3})  # constant power as far down as the nose
    session = begin(load_case("ieee39_andes"), TRIP, step_s=1 / 480, loads=loads)
    with pytest.raises(SolveError, match=r"no solution near the last one; worst at bus_") as error:
        session.advance(20.0, every=1)
    found = re.match(r"t=([\d.]+) s", str(error.value))
    assert found is not None
    assert float(found[1]) == pytest.approx(ANDES_S, abs=2 / 480)
    vm_pu = Run(session).vm_pu["bus_38"]
    for t_s, expected_pu in ANDES_VM_PU:
        assert np.interp(t_s, vm_pu.index, vm_pu) == pytest.approx(expected_pu, abs=5e-4)


def test_loads_that_turn_into_impedances_carry_it_on_out_of_step() -> None:
    session = begin(load_case("ieee39_andes"), TRIP, step_s=1 / 120, loads=POWER, tolerance_pu=1e-8)
    session.advance(4.0, every=4)
    run = Run(session)
    assert not in_step(run)
    assert run.t_s[-1] == 4.0
    work, point = session.solution.work, session.system.point
    y, source = session.solution._at_bus()
    value = session.solution.network.topology(y, source).value
    row, column = session.solution.network._row, session.solution.network._column
    drawn = np.zeros(point.model.size, dtype=np.complex128)
    np.add.at(drawn, row, value * session.v_pu[column])
    given = np.zeros_like(drawn)
    session._driver.inject_all(session._blocks, work, session.solution.views, work.now)
    given[session.system.ports] = work.now
    assert np.abs(drawn - given).max() < 1e-4 * np.abs(given).max()  # Kirchhoff holds all the same

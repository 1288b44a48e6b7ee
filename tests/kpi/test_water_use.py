"""Water use effectiveness: litres over kilowatt-hours of IT (ISO/IEC 30134-9)."""

import numpy as np
import pytest

from cosim.kpi.measures import water_use
from cosim.kpi.panel import Panel


def panel(values):
    matrix = np.array(values)[:, None]
    return Panel(
        np.array([0.0, 60.0]), np.array([60.0, 120.0]), ("hall",), matrix, np.zeros((2, 1), dtype=bool)
    )


def test_water_over_it_energy_is_litres_over_kilowatt_hours():
    # 60 s at 2 and 120 s at 5 kg/s are 720 kg; 60 s at 4 and 120 s at 10 MW are 400 kWh
    assert water_use(panel([2.0, 5.0]), panel([4.0, 10.0])).value == pytest.approx(720.0 / 400.0)

"""The power factor of the bill: of the worst meter that drew energy."""

import numpy as np

from cosim.kpi.metering import power_factor
from cosim.kpi.panel import Panel


def test_the_worst_meter_that_drew_energy_counts_and_reactive_energy_of_both_signs_adds_up():
    t_s, names = np.array([0.0, 3600.0]), ("exports", "draws", "swings")

    def panel(columns):
        matrix = np.array(columns, dtype=np.float64).T
        return Panel(t_s, np.full(2, 3600.0), names, matrix, np.zeros(matrix.shape, dtype=np.bool_))

    found = power_factor(panel([[0, 0], [4, 4], [4, 4]]), panel([[5, 5], [3, 1], [3, -3]]))
    assert (found.value, found.at) == (0.8, "swings")
    assert np.isnan(power_factor(panel([[0, 0]] * 3), panel([[5, 5]] * 3)).value)

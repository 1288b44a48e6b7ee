"""Contract checks that any component or grid, ours or a stranger's, can run against itself.

>>> from cosim.testing import check_component
>>> from datacenters.battery import Battery, BatteryParams
>>> list(check_component(Battery, [BatteryParams(p_rated_mw=50, e_rated_mwh=100)], dt_s=1.0))
[]
"""

from cosim.testing.component import check_component
from cosim.testing.grid import check_grid

__all__ = ["check_component", "check_grid"]

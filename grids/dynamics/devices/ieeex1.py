"""IEEEX1: 1979 IEEE type 1 excitation, EXDC2 without the speed factor on the field voltage [1]_.

PSS/E lets the regulator's limits follow the terminal voltage (`vr_follows_v_code = 1`); ANDES 2.0 means
to, but keeps them fixed (measured: its regulator stands at VRMAX while the voltage is 0.56 pu), so 0
reproduces it.

References
----------
.. [1] IEEE Committee Report, "Excitation system models for power system stability studies", 1981;
   ANDES 2.0 `ieeex1.py`.
"""

from grids.dynamics.devices.exdc2 import Exdc2


class Ieeex1(Exdc2):
    """Exciter of type 1."""

    by_speed = False


DEVICE = Ieeex1

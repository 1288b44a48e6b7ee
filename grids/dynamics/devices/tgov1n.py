"""TGOV1N: TGOV1 whose auxiliary power (of a secondary control) is added after the droop [1]_.

References
----------
.. [1] ANDES 2.0, `models/governor/tgov1.py` (TGOV1N, TGOV1NDB).
"""

from grids.dynamics.devices.tgov1 import Tgov1


class Tgov1n(Tgov1):
    """Steam turbine and governor with the auxiliary input after the droop."""

    aux_after_droop = True


DEVICE = Tgov1n

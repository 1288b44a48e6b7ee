"""ESDC2A: excitation with a direct-current machine whose regulator is fed from the terminals [1]_.

The equations are those of EXDC2 without the speed factor on the field voltage, with limits that follow
the terminal voltage. `vrmax_pu = 0` means no upper limit, as in ANDES; some programs compute one from
the saturation at `e2_pu` instead. There is no under-excitation limiter, so its high-value gate passes.
ANDES 2.0 takes the terminal voltage past the sensing lag: the two agree where `tr_s = 0`.

References
----------
.. [1] IEEE Std 421.5, type DC2A; PSS/E ESDC2A, ANDES 2.0 `esdc2a.py`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.types import Floats
from grids.dynamics.device import Block, Site
from grids.dynamics.devices.exdc2 import Exdc2, Exdc2Params, P

UNLIMITED_PU = 999.0
"""Regulator output that stands for no limit."""


class Esdc2aParams(Exdc2Params):
    """One exciter."""

    vrmax_pu: float = Field(ge=0, description="largest regulator output at nominal voltage; 0 is no limit")
    vr_follows_v_code: int = Field(default=1, ge=0, le=1, description="1: limits are times the voltage")


class Esdc2a(Exdc2):
    """Exciter of type DC2A."""

    params_type = Esdc2aParams
    by_speed = False

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Lift the upper limit where there is none, then start as EXDC2."""
        u.p[P.vrmax_pu] = np.where(u.p[P.vrmax_pu] > 0.0, u.p[P.vrmax_pu], UNLIMITED_PU)
        super().start(u, x, s, site)

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Refuse limits in the wrong order."""
        return () if params.vrmax_pu == 0.0 else super().findings(params)


DEVICE = Esdc2a

"""A line-commutated link at its operating point: resistance, taps and filters with which it stands still."""

import math

import numpy as np

from cosim.core.errors import CaseError, collected
from cosim.core.types import Floats
from grids.dynamics.device import Block, Site
from grids.dynamics.kernels.hvdc import bridge
from grids.dynamics.kernels.hvdc_lcc_rows import IDLE_PU, P, X


def balance(u: Block, power: Floats, site: Site) -> None:
    """Give the lines of partners the resistance with which both ends' powers balance."""
    p, wrong = u.p, []
    for k in range(u.port.size):
        j = int(p[P.other, k])
        name = site.elements[k]
        if j < 0 and 4.0 * p[P.line, k] * power[k] >= 1.0:
            wrong.append(f"{name}: r_pu={p[P.line, k]:g} lets no line carry {power[k]:g} pu to it")
        if power[k] > p[P.i_max_pu, k]:
            most = p[P.i_max_pu, k] * p[P.p_rated_mw, k]
            wrong.append(f"{name} carries {power[k] * p[P.p_rated_mw, k]:g} MW (allowed: {most:g})")
        if j < 0 or p[P.rectifier, k] == 0.0:
            continue
        if p[P.rectifier, j] > 0.0 or power[j] > power[k]:
            mw = p[P.p_rated_mw, k] * np.array([power[k], power[j]])
            what = f"draws {mw[0]:g} MW and its partner {site.elements[j]} delivers {mw[1]:g} MW"
            wrong.append(f"{name} {what}: one end must draw what the other delivers and more")
        if power[k] > 0.0:
            p[P.line, k] = (1.0 - power[j] / power[k]) / power[k]
        p[P.line, j] = p[P.line, k]
    collected(wrong, CaseError)


def stand(u: Block, x: Floats, power: Floats, site: Site) -> None:
    """Write states, taps and filters; the direct voltage is the rated one where current flows."""
    p = u.p
    for k in range(u.port.size):
        j, r, xc = int(p[P.other, k]), p[P.line, k], p[P.xc_pu, k]
        rectifier = p[P.rectifier, k] > 0.0
        if rectifier:
            current = power[k]
        elif j >= 0:
            current = power[j]
        else:
            current = 2.0 * power[k] / (1.0 + math.sqrt(1.0 - 4.0 * r * power[k]))
        tap = current if current > IDLE_PU else 1.0  # an idle link stands ready for its rated power
        far = 1.0 - r * tap
        angle = p[P.alpha_degree, k] if rectifier else p[P.gamma_degree, k]
        cosine = math.cos(math.radians(angle))
        no_load = (1.0 if rectifier else far) / (cosine - 0.5 * xc * tap)
        p[P.no_load, k], p[P.far, k] = no_load, far
        x[X.vdc, k] = far if rectifier else no_load * (cosine - 0.5 * xc * current)
        x[X.current, k], x[X.available, k], x[X.order, k] = current, 1.0, power[k]
        x[X.cos_beta, k] = p[P.cos_ref, k] - xc * current
        cos_a = cosine if rectifier else -x[X.cos_beta, k]
        consumed = bridge(1.0, cos_a, current, xc, p[P.no_load, k]).imag * p[P.ratio, k]
        p[P.filter_b, k] = (site.s_pu[k].imag + consumed) / p[P.v0, k] ** 2
    for k in np.flatnonzero((p[P.rectifier] > 0.0) & (p[P.other] >= 0.0)).tolist():
        x[X.vdc, k] = x[X.vdc, int(p[P.other, k])]

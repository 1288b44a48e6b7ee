"""Which terminals of direct-current links belong together."""

import numpy as np

from cosim.core.errors import CaseError, collected
from cosim.core.registry import nearest
from cosim.core.types import Floats
from grids.dynamics.device import Site


def partners(site: Site) -> Floats:
    """Return the unit at the other end of each, -1 where that is elsewhere.

    Raises
    ------
    CaseError
        When a partner is no terminal of this model, or is another's.
    """
    other = np.full(len(site.elements), -1.0)
    wrong = []
    for k, (name, params) in enumerate(zip(site.elements, site.params, strict=True)):
        if not params.partner:
            continue
        if params.partner not in site.elements or params.partner == name:
            hint = nearest(params.partner, [e for e in site.elements if e != name])
            wrong.append(f"{name}: partner={params.partner!r} is no other terminal of this model.{hint}")
            continue
        j = site.elements.index(params.partner)
        back = site.params[j].partner
        if back != name:
            wrong.append(f"{name}: partner={params.partner!r} has partner={back!r} (allowed: {name!r})")
        elif params.p_rated_mw != site.params[j].p_rated_mw:
            rated = f"{params.p_rated_mw:g} and {site.params[j].p_rated_mw:g}"
            wrong.append(f"{name}, {params.partner}: p_rated_mw={rated} of one link differ")
        other[k] = j
    collected(wrong, CaseError)
    return other

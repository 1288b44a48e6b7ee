"""Events a grid tells beside those a scenario asked for."""

import numpy as np

from cosim.core.component import Context
from cosim.core.types import Floats
from grids.network_state import NetworkState
from grids.reactive import Switch

SHORT_MW = 1e-6
"""Planned change without a plant that is worth an event."""


class ShortageTeller:
    """Tells once when planned changes find no plant, and again after they had."""

    def __init__(self) -> None:
        self._short = False

    def tell(self, context: Context, t_s: float, import_mw: Floats, missing_mw: Floats) -> None:
        """Emit `dispatch_limit` when a shortage begins; both (areas,), over the ties and not at all."""
        imported, missing = sum(map(abs, import_mw.tolist())), sum(map(abs, missing_mw.tolist()))
        short = imported + missing > SHORT_MW
        if short and not self._short:
            parts = []
            if imported > SHORT_MW:
                parts.append(f"{imported:.6g} MW come from the rest of the area")
            if missing > SHORT_MW:
                parts.append(f"{missing:.6g} MW stay unbalanced")
            text = f"planned change finds no dispatchable plant: {', '.join(parts)}"
            context.emit(t_s, "grid", "dispatch_limit", text)
        self._short = short


def tell_switch(context: Context, t_s: float, state: NetworkState, switch: Switch) -> None:
    """Emit that the machines of a bus reached, or left, a reactive limit."""
    sources, reactive = state.sources, state.reactive
    names = [sources.names[k] for k in np.flatnonzero(sources.bus == switch.bus)]
    if switch.side == 0:
        text = f"{', '.join(names)}: holds its voltage again"
    else:
        upper = switch.side > 0
        limit = (reactive.q_max_mvar if upper else reactive.q_min_mvar)[switch.bus]
        side = "upper" if upper else "lower"
        text = f"{', '.join(names)}: {side} reactive limit {limit:.6g} Mvar, voltage not held"
    context.emit(t_s, names[0], "q_limit", text)

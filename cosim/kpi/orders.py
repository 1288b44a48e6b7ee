"""What was delivered of what was promised, at the meter of each unit."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cosim.core.activations import PROMISE
from cosim.core.types import Floats
from cosim.kpi.panel import tables_with
from cosim.kpi.reduce import HOUR_S, Measure

if TYPE_CHECKING:
    from cosim.results import Results

RESPONDED_PU = 0.9
WHOLE_RTOL = 1e-9


@dataclass(frozen=True)
class Order:
    """One order: what was asked and promised, and what the meter says. Powers are changes, < 0 draws less."""

    name: str
    """The unit."""
    at_s: float
    asked_mw: float
    promised_mw: float
    baseline_mw: float
    """Power the unit said it would draw otherwise; what is delivered counts from here."""
    start_s: float
    ramp_s: float
    duration_s: float
    metered_s: float
    """How much of the time for which the whole was promised was metered: in exchanges without a ramp in them,
    where there are any."""
    delivered_mw: float
    """Mean change in that time; nan where there is none of it."""
    shortfall_mwh: float
    """Promised energy of that time that did not come; more at one moment does not make up for another."""
    response_s: float
    """From the order to the end of the first exchange with 90 % of the promise; without one, to the end of
    the time it was promised for. nan where nothing was promised."""
    rebound_mwh: float
    """Energy beyond the baseline the other way, for as long after the end as it was promised for."""

    @property
    def promised_mwh(self) -> float:
        """Energy promised in the time that was metered."""
        return abs(self.promised_mw) * self.metered_s / HOUR_S


ORDER_COLUMNS = tuple(field.name for field in fields(Order))


def settled(results: "Results") -> tuple[Order, ...]:
    """Return every order of a run that was answered, in order of time."""
    events = results.events
    rows = events[events["kind"] == PROMISE]
    return tuple(
        _settle(results, str(row["source"]), float(row["t_s"]), json.loads(str(row["data"])))
        for _, row in rows.iterrows()
    )


def orders(results: "Results") -> pd.DataFrame:
    """Return the table of orders: a row each, the columns of `Order`."""
    return pd.DataFrame([asdict(order) for order in settled(results)], columns=list(ORDER_COLUMNS))


def delivered_share(found: Sequence[Order]) -> Measure:
    """Return promised energy that was delivered over all that was promised; the place lacks most of it."""
    promised_mwh = sum(order.promised_mwh for order in found)
    if promised_mwh == 0.0:
        return Measure(math.nan)
    known = [order for order in found if order.promised_mwh > 0.0]
    worst = max(known, key=lambda order: order.shortfall_mwh)
    missing_mwh = sum(order.shortfall_mwh for order in known)
    return Measure(1.0 - missing_mwh / promised_mwh, worst.name, worst.at_s)


def slowest_response(found: Sequence[Order]) -> Measure:
    """Return the longest time from an order to 90 % of what was promised."""
    known = [order for order in found if not math.isnan(order.response_s)]
    if not known:
        return Measure(math.nan)
    worst = max(known, key=lambda order: order.response_s)
    return Measure(worst.response_s, worst.name, worst.at_s)


def _settle(results: "Results", unit: str, at_s: float, told: dict[str, float]) -> Order:
    promised_mw = told["promised_mw"]
    sign, whole_mw = math.copysign(1.0, promised_mw), abs(promised_mw)
    from_s = told["start_s"] + told["ramp_s"]
    to_s = from_s + told["duration_s"]
    over_s = to_s + told["ramp_s"]
    t_s, dt_s, change_mw = _metered(results, unit, told["baseline_mw"])
    along_mw = sign * change_mw
    held_s = _overlap(t_s, dt_s, from_s, to_s)
    whole = held_s >= dt_s * (1.0 - WHOLE_RTOL)
    held_s = np.where(whole, held_s, 0.0) if whole.any() else held_s
    after_s = _overlap(t_s, dt_s, over_s, over_s + told["duration_s"])
    missing_mw = np.maximum(whole_mw - along_mw, 0.0)
    metered_s = float(held_s.sum())
    delivered_mw = sign * float(along_mw @ held_s) / metered_s if metered_s > 0.0 else math.nan
    response_s = math.nan
    if whole_mw > 0.0:
        there = np.flatnonzero((along_mw >= RESPONDED_PU * whole_mw) & (t_s >= at_s) & (t_s < to_s))
        response_s = (float(t_s[there[0]] + dt_s[there[0]]) if there.size else to_s) - at_s
    return Order(
        name=unit,
        at_s=at_s,
        asked_mw=told["asked_mw"],
        promised_mw=promised_mw,
        baseline_mw=told["baseline_mw"],
        start_s=told["start_s"],
        ramp_s=told["ramp_s"],
        duration_s=told["duration_s"],
        metered_s=metered_s,
        delivered_mw=delivered_mw,
        shortfall_mwh=float(missing_mw @ held_s) / HOUR_S,
        response_s=response_s,
        rebound_mwh=float(np.maximum(-along_mw, 0.0) @ after_s) / HOUR_S if whole_mw > 0.0 else 0.0,
    )


def _overlap(t_s: Floats, dt_s: Floats, from_s: float, to_s: float) -> Floats:
    """Return how much of each exchange lies between two instants [s]."""
    inside_s: Floats = np.minimum(t_s + dt_s, to_s) - np.maximum(t_s, from_s)
    return np.maximum(inside_s, 0.0)


def _metered(results: "Results", unit: str, baseline_mw: float) -> tuple[Floats, Floats, Floats]:
    """Return start, length and change from the baseline of all exchanges with a known power of a unit.

    At its connection point; a unit without one is metered at its terminals.
    """
    tables = ["point"] if "point" in results.tables and unit in results.elements("point") else []
    tables += [table for table in tables_with(results, "p_mw") if unit in results.elements(table)]
    if not tables:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    power = results.series(tables[0], "p_mw")[unit].dropna()
    t_s = np.asarray(power.index, dtype=np.float64)
    dt_s = np.asarray(results.dt_s.reindex(power.index), dtype=np.float64)
    return t_s, dt_s, np.asarray(power, dtype=np.float64) - baseline_mw

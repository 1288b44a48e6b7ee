"""Why a limit broke: the last action before it, and what changed most since.

This is reading of the record, not proof: a sentence names what happened before, with sizes, and says
when there is nothing to name.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cosim.core.types import Floats
from cosim.kpi.panel import component_tables
from cosim.verdict.text import number, quantity

if TYPE_CHECKING:
    import pandas as pd

    from cosim.results import Results

LOOKBACK_S = 900.0
"""How far back an action is still named as a cause: three times the slowest hand-over and tap cycle."""

WINDOW_S = 300.0
"""Window for changes of power when no action precedes."""

WORTH_NAMING_MW = 1.0
MOST_ACTIONS = 3
ACTIONS = ("command", "set", "trip", "close", "fault", "dc_block", "dc_ramp", "dc_runback")
"""Kinds of events that act on the system; all others (throttling, taps, phases) follow from its state."""

BRANCH_POWER = {"line": "p_from_mw", "trafo": "p_hv_mw", "trafo3w": "p_hv_mw"}


@dataclass(frozen=True)
class Change:
    """Power of one element before and at a time."""

    name: str
    before_mw: float
    after_mw: float

    @property
    def delta_mw(self) -> float:
        """Return how much it rose."""
        return self.after_mw - self.before_mw

    @property
    def went_out(self) -> bool:
        """Return whether it carried power before and carries none now."""
        return abs(self.before_mw) > WORTH_NAMING_MW and abs(self.after_mw) < 1e-3 * abs(self.before_mw)


class Evidence:
    """The record of one run, read once and asked for causes many times."""

    def __init__(self, results: "Results") -> None:
        self.results = results
        self.events = _sorted(results.events)
        self._frames: dict[tuple[str, str], Any] = {}

    def cause(self, t_s: float, table: str, element: str) -> str:
        """Return one sentence about what preceded a violation of `element` at exchange `t_s`."""
        times = self._times()
        if not times.size:
            return "nothing was recorded"
        row = int(np.searchsorted(times, t_s + 1e-9, side="right")) - 1
        actions = self.actions(t_s, float(self.results.dt_s.iloc[row]))
        if row == 0 and not actions:
            return "already so in the first exchange, before anything happened"
        since_s = actions[0][0] if actions else max(t_s - WINDOW_S, float(times[0]))
        last_s = actions[-1][0] if actions else since_s
        parts = [_named(actions, t_s)]
        parts += self._changes(self._row_before(since_s), row, since_s)
        parts += self._redirected(self._row_before(last_s), row, table, element)
        return "; ".join(parts)

    def actions(self, t_s: float, dt_s: float) -> list[tuple[float, str]]:
        """Return the last things done to the system before the end of an exchange: time and text.

        What a component does on its own (its phases, its limits) is no action.
        """
        if self.events.empty:
            return []
        t = self.events["t_s"]
        recent = (t < t_s + dt_s) & (t >= t_s - LOOKBACK_S)
        done = self.events[recent & self.events["kind"].isin(ACTIONS)]
        return [(float(row["t_s"]), action_text(row)) for _, row in done.iterrows()][-MOST_ACTIONS:]

    def diagnosis(self, t_s: float | None) -> str:
        """Return what the solver said at or after a time, or nothing."""
        if self.events.empty:
            return ""
        said = self.events[self.events["kind"] == "no_solution"]
        if t_s is not None:
            said = said[said["t_s"] >= t_s - 1e-9]
        return "" if said.empty else str(said.iloc[0]["text"])

    def _changes(self, before: int, row: int, since_s: float) -> list[str]:
        """Name what moved most: units, generators that went away, and load that is no unit's."""
        units = [c for table in self._unit_tables() for c in self._moved(table, "p_mw", before, row)]
        lost = [c for c in self._moved("gen", "p_mw", before, row) if c.went_out]
        load = self._moved("grid", "load_mw", before, row)
        named = [c for c in units if abs(c.delta_mw) >= WORTH_NAMING_MW]
        named.sort(key=lambda c: (-round(abs(c.delta_mw), 3), -c.delta_mw))
        largest = abs(named[0].delta_mw) if named else 0.0
        texts = [
            f"{_sign(c.delta_mw)}{_mw(c.delta_mw)} at {c.name}"
            for c in named[:3]
            if abs(c.delta_mw) >= 0.1 * largest
        ]
        texts += [f"{_mw(c.before_mw)} of generation lost at {c.name}" for c in lost[:2]]
        rest = sum(c.delta_mw for c in load) - sum(c.delta_mw for c in units)
        if abs(rest) > max(largest, WORTH_NAMING_MW) and load:
            texts.append(f"{_sign(rest)}{_mw(rest)} of other load")
        if not texts:
            return []
        return [f"{' and '.join(texts)} since {since_s:g} s"]

    def _redirected(self, before: int, row: int, table: str, element: str) -> list[str]:
        """Name branches that went out of service, and what that did to the flow here."""
        out = [
            c
            for kind, column in BRANCH_POWER.items()
            for c in self._moved(kind, column, before, row)
            if c.went_out
        ]
        out.sort(key=lambda c: -abs(c.before_mw))
        texts = [f"{c.name} carried {_mw(c.before_mw)} before it went out" for c in out[:2]]
        if table in BRANCH_POWER:
            here = [c for c in self._moved(table, BRANCH_POWER[table], before, row) if c.name == element]
            texts += [f"flow here {number(abs(c.before_mw), 4)} to {_mw(c.after_mw)}" for c in here]
        return texts

    def _moved(self, table: str, column: str, before: int, row: int) -> list[Change]:
        """Return elements with both values known; one that lost its value counts as now zero if a branch."""
        if table not in self.results.tables or column not in self.results.columns(table):
            return []
        frame = self._frame(table, column)
        if row >= len(frame):
            return []
        old, new = frame.iloc[before], frame.iloc[row]
        if table in (*BRANCH_POWER, "gen") and not new.isna().all():
            new = new.fillna(0.0)  # out of service in a solved exchange
        pairs = zip(frame.columns, old, new, strict=True)
        return [Change(str(n), float(a), float(b)) for n, a, b in pairs if np.isfinite(a) and np.isfinite(b)]

    def _unit_tables(self) -> tuple[str, ...]:
        """Tables with the power units draw; not the grid's `point`, which has no value unsolved."""
        return tuple(t for t in component_tables(self.results) if "p_mw" in self.results.columns(t))

    def _frame(self, table: str, column: str) -> "pd.DataFrame":
        key = (table, column)
        if key not in self._frames:
            self._frames[key] = self.results.series(table, column)
        frame: pd.DataFrame = self._frames[key]
        return frame

    def _row_before(self, t_s: float) -> int:
        return max(int(np.searchsorted(self._times(), t_s - 1e-9)) - 1, 0)

    def _times(self) -> Floats:
        times: Floats = self.results.dt_s.index.to_numpy(dtype=np.float64)
        return times


def no_value(evidence: Evidence, t_s: float | None) -> str:
    """Return why a value is missing."""
    said = evidence.diagnosis(t_s)
    return f"no solution: {said}" if said else "no value was recorded "


def _mw(power_mw: float) -> str:
    return quantity(abs(power_mw), "MW", 4)


def _sign(value: float) -> str:
    return "-" if value < 0.0 else "+"


def _named(actions: list[tuple[float, str]], t_s: float) -> str:
    if not actions:
        return f"no command or trip in the {min(LOOKBACK_S, t_s) / 60.0:.3g} min before"
    return "after " + " and ".join(f"{text} at {at_s:g} s" for at_s, text in actions)


def action_text(event: Any) -> str:
    """Return an event in words: `migrate of move`, `hefei cap_pu = 0.8`, `trip bengbu_huaibei_1`."""
    kind, source, text = str(event["kind"]), str(event["source"] or ""), str(event["text"] or "").strip()
    if kind == "command":
        return f"{text} of {source}{_numbers(event.get('data'))}"
    if kind == "set":
        return f"{source} {text}"
    return text if kind in text else f"{kind} {text or source}"


def _numbers(data: Any) -> str:
    """Return the parameters of a command in brackets, the first three that say something."""
    try:
        pairs = json.loads(data or "{}")
    except ValueError:
        return ""
    if not isinstance(pairs, dict) or not pairs:
        return ""
    given = [
        key if value is True else f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in pairs.items()
        if value is not None and value is not False
    ]
    return f" ({', '.join(given[:3])})" if given else ""


def _sorted(events: "pd.DataFrame") -> "pd.DataFrame":
    return events.sort_values("t_s", kind="stable") if len(events) else events

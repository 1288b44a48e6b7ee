"""The exchange clock: exact, multi-rate, known in full before the first step.

All instants are integers in units of one tick, a Fraction of a second, so no rounding decides where
an exchange falls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from cosim.core.errors import ScenarioError, collected
from cosim.core.types import Floats, Ints


def exact(value: float) -> Fraction:
    """Return the decimal number a person wrote as a Fraction: 0.1 is one tenth, not its double."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


@dataclass(frozen=True)
class Window:
    """A span of the run with a finer exchange step."""

    from_s: float
    to_s: float
    step_s: float


def _common_tick(values: Sequence[Fraction]) -> Fraction:
    """Return the largest Fraction of which all `values` are integer multiples."""
    denominator = lcm(*(v.denominator for v in values))
    numerator = gcd(*(int(v * denominator) for v in values))
    return Fraction(numerator, denominator)


def _window_findings(window: Window, step_s: float, until_s: float) -> list[str]:
    where = f"window {window.from_s:g}..{window.to_s:g} s"
    if not 0 <= window.from_s < window.to_s <= until_s:
        return [f"{where}: must lie within 0..{until_s:g} s and end after it starts"]
    if window.step_s <= 0 or exact(step_s) % exact(window.step_s):
        return [f"{where}: step_s={window.step_s:g} does not divide the base step of {step_s:g} s"]
    findings = []
    for name, edge in (("from_s", window.from_s), ("to_s", window.to_s)):
        if exact(edge) % exact(step_s) and edge != until_s:
            findings.append(f"{where}: {name}={edge:g} is not a multiple of the base step of {step_s:g} s")
    if (exact(window.to_s) - exact(window.from_s)) % exact(window.step_s):
        findings.append(f"{where}: step_s={window.step_s:g} does not divide its length")
    return findings


class Clock:
    """The instants at which simulators exchange values.

    Parameters
    ----------
    step_s
        Exchange step outside windows [s].
    until_s
        End of the run [s]; a multiple of `step_s`.
    windows
        Spans with finer steps. Their edges are multiples of the base step and their step divides
        it; where windows overlap the finest step holds.

    Attributes
    ----------
    tick_s
        Length of one tick [s], exact; mosaik's time resolution.
    ticks, lengths
        Start and length of every exchange [ticks], int64, shape (exchanges,).
    t_s, dt_s
        The same [s], float64.

    Raises
    ------
    ScenarioError
        With every step that does not divide what it should, both numbers named.
    """

    def __init__(self, step_s: float, until_s: float, windows: Sequence[Window] = ()) -> None:
        if step_s <= 0 or until_s <= 0:
            msg = f"step_s={step_s:g} and until_s={until_s:g} must both be above 0 s"
            raise ScenarioError(msg)
        findings = [text for window in windows for text in _window_findings(window, step_s, until_s)]
        if exact(until_s) % exact(step_s):
            findings.append(f"step_s={step_s:g} does not divide until_s={until_s:g}")
        collected(findings, ScenarioError)
        self.step_s, self.until_s, self.windows = step_s, until_s, tuple(windows)
        self.tick_s = _common_tick([exact(step_s), exact(until_s), *(exact(w.step_s) for w in windows)])
        self.until = int(exact(until_s) / self.tick_s)
        self.ticks = self._starts()
        self.lengths: Ints = np.diff(self.ticks, append=self.until)
        self.t_s = self.seconds(self.ticks)
        self.dt_s = self.seconds(self.lengths)

    def _starts(self) -> Ints:
        base = int(exact(self.step_s) / self.tick_s)
        starts = [np.arange(0, self.until, base, dtype=np.int64)]
        for window in self.windows:
            first, last, step = (
                int(exact(x) / self.tick_s) for x in (window.from_s, window.to_s, window.step_s)
            )
            starts.append(np.arange(first, last, step, dtype=np.int64))
        return np.unique(np.concatenate(starts))

    def seconds(self, ticks: Ints) -> Floats:
        """Return ticks as seconds, each the double nearest to the exact value."""
        seconds: Floats = ticks * self.tick_s.numerator / self.tick_s.denominator
        return seconds

    def __len__(self) -> int:
        return int(self.ticks.size)

    def contains(self, at_s: float) -> bool:
        """Return whether an exchange starts exactly at `at_s`."""
        tick = exact(at_s) / self.tick_s
        if tick.denominator != 1:
            return False
        place = int(np.searchsorted(self.ticks, int(tick)))
        return place < len(self) and bool(self.ticks[place] == int(tick))

    def step_at(self, at_s: float) -> float:
        """Return the length [s] of the exchange that `at_s` falls into."""
        place = int(np.searchsorted(self.t_s, at_s, side="right")) - 1
        return float(self.dt_s[max(place, 0)])

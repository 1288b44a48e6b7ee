"""Series small enough for a page: decimation that keeps extremes, arrays shared and packed."""

import base64
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from cosim.core.types import Floats, Ints

MOST_POINTS = 1500
"""Points of one drawn line: a plot is rarely wider in pixels."""

BYTES_PER_POINT = 2 * 4 * 4 / 3
"""x and y as 32-bit floats in base64."""

BUDGET_BYTES = 700_000
"""What all lines of a page may take, so that page and plotly.js stay under 3 MB together."""


MISSING = 65535
"""What stands for a missing value among 16-bit steps."""


def decimated(values: Floats, most: int) -> Ints:
    """Return indices of at most `most` samples that keep every extreme a plot could show.

    The first and last samples, and of each bucket the lowest, the highest and the first missing one
    (so that gaps stay gaps). Shape (rows,) -> (at most `most`,), rising.
    """
    rows = values.size
    if rows <= most:
        return np.arange(rows, dtype=np.int64)
    buckets = max((most - 2) // 3, 1)
    edges = np.linspace(0, rows, buckets + 1).astype(np.int64)
    kept = {0, rows - 1}
    for start, end in pairwise(edges):
        part = values[start:end]
        missing = np.isnan(part)
        if missing.any():
            kept.add(int(start + missing.argmax()))
        if not missing.all():
            kept.add(int(start + np.nanargmin(part)))
            kept.add(int(start + np.nanargmax(part)))
    return np.array(sorted(kept), dtype=np.int64)


@dataclass
class Pool:
    """Arrays of a page, each stored once as base64 of 32-bit floats; lines refer to them by number."""

    most: int = MOST_POINTS
    packed: list[str | tuple[float, float, str]] = field(default_factory=list)
    """Base64 of 32-bit floats, or lowest value, step and base64 of 16-bit steps above it."""
    _numbers: dict[str | tuple[float, float, str], int] = field(default_factory=dict)

    def add(self, values: Floats) -> int:
        """Return the number of an array, adding it when it is new."""
        return self._number(base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode("ascii"))

    def add_coarse(self, values: Floats) -> int:
        """Return the number of an array kept to a part in 65,534 of its range: enough for colours."""
        known = np.isfinite(values)
        low, high = (float(values[known].min()), float(values[known].max())) if known.any() else (0.0, 0.0)
        step = (high - low) / (MISSING - 1) or 1.0
        steps = np.full(values.size, MISSING, dtype="<u2")
        steps[known] = np.round((values[known] - low) / step).astype("<u2")
        return self._number((low, step, base64.b64encode(steps.tobytes()).decode("ascii")))

    def _number(self, packed: str | tuple[float, float, str]) -> int:
        if packed not in self._numbers:
            self._numbers[packed] = len(self.packed)
            self.packed.append(packed)
        return self._numbers[packed]

    def line(self, x: Floats, y: Floats) -> tuple[int, int]:
        """Return the numbers of the decimated x and y of one line."""
        kept = decimated(y, self.most)
        return self.add(x[kept]), self.add(y[kept])


def points_per_line(lines: int) -> int:
    """Return how many points each of `lines` lines may have within the budget."""
    return int(np.clip(BUDGET_BYTES / BYTES_PER_POINT / max(lines, 1), 60, MOST_POINTS))

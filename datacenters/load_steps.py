"""Load acceptance of engines: blocks they take at once, and the time until they take the next."""

from collections.abc import Sequence

import numpy as np

from cosim.core.types import Floats, Ints


class Climb:
    """Load acceptance of some engines, each with its own blocks.

    Parameters
    ----------
    steps_pu : blocks of each engine, from no load to full load.
    recovery_s : time to the next block, shape (units,).
    """

    def __init__(self, steps_pu: Sequence[Sequence[float]], recovery_s: Floats) -> None:
        most = max((len(steps) for steps in steps_pu), default=1)
        self._steps = np.array([[*s, *[s[-1]] * (most - len(s))] for s in steps_pu]).reshape(-1, most)
        count = np.array([len(s) for s in steps_pu])
        edges = np.concatenate([np.zeros((len(count), 1)), np.cumsum(self._steps, axis=1)], axis=1)
        self._last = count - 1
        self._edges = np.where(np.arange(most + 1) < count[:, None], edges, np.inf)
        self._edges[np.arange(len(count)), count] = 1.0
        self._recovery_s = recovery_s
        self._rows = np.arange(len(count))

    def slowest(self) -> Floats:
        """Return the rate at which any load is taken, of full load [1/s]: the smallest block in its time."""
        return np.asarray(self._steps.min(axis=1) / self._recovery_s)

    def block(self, load_pu: Floats) -> Floats:
        """Return the block an engine at this load accepts at once."""
        return np.asarray(self._steps[self._rows, self._index(load_pu)])

    def follow(self, asked_pu: Floats, ceiling_pu: Floats, time_s: Floats) -> tuple[Floats, Floats]:
        """Follow an order for some time under a rising ceiling.

        Parameters
        ----------
        asked_pu, ceiling_pu : order, and largest load accepted now. time_s : time. Shape (units,).

        Returns
        -------
        The integral of the load [pu·s], and the ceiling at the end.
        """
        start_s = self._time_of(ceiling_pu)
        meets_s = np.clip(self._time_of(asked_pu) - start_s, 0.0, time_s)
        rising = self._area(start_s + meets_s) - self._area(start_s)
        climbed = self._load_at(start_s + meets_s)
        load_pu = np.minimum(asked_pu, np.where(asked_pu > ceiling_pu, climbed, asked_pu))
        carried = np.where(asked_pu > ceiling_pu, rising, 0.0) + asked_pu * (time_s - meets_s)
        ceiling = np.minimum(self._load_at(start_s + time_s), load_pu + self.block(load_pu))
        return carried, np.minimum(ceiling, 1.0)

    def _index(self, load_pu: Floats) -> Ints:
        above = (self._edges[:, 1:] <= load_pu[:, None] + 1e-12).sum(axis=1)
        return np.asarray(np.minimum(above, self._last), dtype=np.int64)

    def _time_of(self, load_pu: Floats) -> Floats:
        """Return when an engine that climbs its blocks evenly from no load at time 0 is at this load [s]."""
        k = self._index(load_pu)
        into = (load_pu - self._edges[self._rows, k]) / self._steps[self._rows, k]
        return np.asarray((k + into) * self._recovery_s)

    def _load_at(self, time_s: Floats) -> Floats:
        """Return the inverse of `_time_of`, 1 beyond its end."""
        blocks = time_s / self._recovery_s
        k = np.minimum(blocks.astype(int), self._last)
        load_pu = self._edges[self._rows, k] + self._steps[self._rows, k] * (blocks - k)
        return np.asarray(np.minimum(load_pu, 1.0))

    def _area(self, time_s: Floats) -> Floats:
        """Return the integral of `_load_at` from 0 [pu·s]."""
        blocks = time_s / self._recovery_s
        k = np.minimum(blocks.astype(int), self._last)
        low, high = self._edges[:, :-1], self._edges[:, 1:]
        whole = np.where(np.arange(low.shape[1]) < k[:, None], 0.5 * (low + high), 0.0).sum(axis=1)
        into = np.minimum(blocks - k, 1.0)
        first = self._edges[self._rows, k]
        part = into * (first + 0.5 * self._steps[self._rows, k] * into)
        beyond = np.maximum(blocks - k - 1.0, 0.0)
        return np.asarray((whole + part + beyond) * self._recovery_s)

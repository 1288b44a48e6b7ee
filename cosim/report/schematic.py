"""Positions for a grid without coordinates: buses as far apart as they are along branches."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from cosim.core.types import Floats

MOST_BUSES = 600
"""Above it the dense distance matrix and a legible picture are out of reach alike."""

SWEEPS = 200


def positions(buses: int, ends: Sequence[tuple[int, int]]) -> Floats:
    """Return plane coordinates of shape (buses, 2), the longer extent along the first, within [0, 1].

    Stress majorisation of the hop distances with weights 1/d² [1]_, from a fixed start, so the same
    grid always looks the same.

    References
    ----------
    .. [1] E. R. Gansner, Y. Koren, S. North, "Graph drawing by stress majorization", GD 2004.
    """
    distance = _hops(buses, ends)
    with np.errstate(divide="ignore"):
        weight = np.where(distance > 0.0, distance**-2.0, 0.0)
    total = weight.sum(axis=1, keepdims=True)
    angle = 2.399963 * np.arange(buses)  # golden angle: a start without symmetry
    at = np.sqrt(np.arange(buses) + 1.0)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    for _ in range(SWEEPS):
        apart = at[:, None, :] - at[None, :, :]
        length = np.maximum(np.hypot(apart[..., 0], apart[..., 1]), 1e-9)
        pull = weight[..., None] * (at[None, :, :] + apart * (distance / length)[..., None])
        at = pull.sum(axis=1) / np.maximum(total, 1e-12)
    at -= at.mean(axis=0)
    turned: Floats = at @ np.linalg.svd(at, full_matrices=False)[2].T
    turned -= turned.min(axis=0)
    scaled: Floats = turned / max(float(turned.max()), 1e-9)
    return scaled


def _hops(buses: int, ends: Sequence[tuple[int, int]]) -> Floats:
    """Return numbers of branches between buses; islands are a little further apart than the grid is wide."""
    pairs = np.array([e for e in ends if e[0] != e[1]], dtype=np.int64).reshape(-1, 2)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(buses, buses))
    hops: Floats = shortest_path(links.tocsr(), directed=False, unweighted=True)
    furthest = float(hops[np.isfinite(hops)].max(initial=1.0))
    return np.where(np.isfinite(hops), hops, furthest + 2.0)

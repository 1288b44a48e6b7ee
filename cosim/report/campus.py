"""Plots of campuses: power at their meters, who carried their loads, and the frequency of islands."""

from typing import TYPE_CHECKING

import numpy as np

from cosim.report.figure import Figure, Line, lines_of

if TYPE_CHECKING:
    from cosim.results import Results

PARTS = (
    ("p_load_mw", "loads"),
    ("p_mw", "from the grid"),
    ("p_store_mw", "from stores"),
    ("p_genset_mw", "from gen-sets"),
    ("p_source_mw", "from sources"),
)

APART_HZ = 1e-3
"""Units farther apart than this at some time are of different islands."""


def campus_figures(results: "Results") -> list[Figure]:
    """Return who carried the loads of each campus, and what went through each meter."""
    if "campus" not in results.tables:
        return []
    figures = []
    for name in results.elements("campus"):
        lines = [
            line
            for column, label in PARTS
            for line in lines_of(results, "campus", column, [name], label=label)
        ]
        lines[0].dash = "dot"
        moving = [line for line in lines if np.nanmax(np.abs(line.values), initial=0.0) > 1e-9]
        figures.append(Figure(f"{name}: what its loads draw, and from where", "MW", moving, wide=True))
    figures.append(
        Figure("Power at the meters, towards the campus", "MW", lines_of(results, "meter", "p_mw"))
    )
    return figures


def island_frequency(results: "Results") -> list[Figure]:
    """Return the frequency where units connect, where they were of more than one island; each island once."""
    if "point" not in results.tables or not results.elements("point"):
        return []
    dark = results.series("point", "vm_pu") == 0.0
    series = results.series("point", "f_hz").mask(dark)
    spread = (series.max(axis=1) - series.min(axis=1)).max()
    if not spread > APART_HZ:
        return []
    told: list[Line] = []
    for line in lines_of(results, "point", "f_hz"):
        line.values = np.where(dark[line.name].to_numpy(), np.nan, line.values)
        same = [other for other in told if _alike(line, other)]
        if same:
            same[0].name += f", {line.name}"
        else:
            told.append(line)
    return [Figure("Frequency where units connect", "Hz", told, wide=True)]


def _alike(one: Line, other: Line) -> bool:
    return bool(np.allclose(one.values, other.values, rtol=0.0, atol=APART_HZ, equal_nan=True))

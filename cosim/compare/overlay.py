"""Plots of several runs laid over each other: what differs is drawn, what is equal is named."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cosim.compare.runs import Run
from cosim.core.types import Floats
from cosim.report.figure import MOST_LINES, Figure, Line
from cosim.report.plots import Plots, Section

DASHES = ("solid", "dash", "dot", "dashdot")
SAME_PU = 1e-6
"""Lines closer than this part of their size, everywhere, are equal."""


def overlaid(runs: Sequence[Run]) -> tuple[list[Section], list[str]]:
    """Return the sections of the reports with all runs in each plot, and titles of equal plots."""
    sides = [Plots(run.results, run.verdict).sections() for run in runs]
    ends_s = [end_s(run) for run in runs]
    titles = dict.fromkeys((s.id, s.title, s.folded) for side in sides for s in side)
    found, equal = [], []
    for key, title, folded in titles:
        each = [next((s.figures for s in side if s.id == key), []) for side in sides]
        merged = Section(key, title, folded=folded)
        for name in dict.fromkeys(figure.title for figures in each for figure in figures):
            same = [next((f for f in figures if f.title == name), None) for figures in each]
            figure = _laid_over(same, [run.label for run in runs], ends_s)
            if figure is None:
                equal.append(name)
            else:
                merged.figures.append(figure)
        if merged.figures:
            found.append(merged)
    return found, equal


def end_s(run: Run) -> float:
    """Return when the last exchange of a run ended [s]."""
    dt_s = run.results.dt_s
    return float(dt_s.index[-1] + dt_s.iloc[-1])


def _laid_over(
    figures: Sequence[Figure | None], labels: Sequence[str], ends_s: Sequence[float]
) -> Figure | None:
    """Return one plot of all runs, or None where their lines are equal."""
    first = next(figure for figure in figures if figure is not None)
    lines = {line.name: None for figure in figures if figure is not None for line in figure.lines}
    apart = {name: _apart([_line(f, name) for f in figures], min(ends_s)) for name in lines}
    differing = sorted((n for n in lines if apart[n] > SAME_PU), key=lambda name: -apart[name])
    if not differing:
        return None
    shown = differing[: max(MOST_LINES // len(figures), 2)]
    drawn = []
    colours = _colours(figures, [name for name in lines if name in shown])
    for name, colour in colours.items():
        for i, figure in enumerate(figures):
            line = _line(figure, name)
            if line is not None:
                dash, label = DASHES[i % len(DASHES)], f"{name} · {labels[i]}"
                line = _ended(line, ends_s[i], max(ends_s))
                drawn.append(replace(line, name=label, dash=dash, colour=colour, fill=False))
    notes = [first.caption] if first.caption else []
    if len(differing) > len(shown):
        notes.append(f"{len(shown)} of {len(differing)} that differ most")
    if len(lines) > len(differing):
        notes.append(f"equal in all runs: {len(lines) - len(differing)} more")
    absent = [label for label, figure in zip(labels, figures, strict=True) if figure is None]
    if absent:
        notes.append(f"zero or not recorded: {', '.join(absent)}")
    limits = {(limit["y"], limit["side"]): limit for f in figures if f is not None for limit in f.limits}
    return replace(
        first,
        lines=drawn,
        limits=list(limits.values()),
        marks=[],
        caption="; ".join(notes),
        wide=first.wide or len(drawn) > 4,
    )


def _line(figure: Figure | None, name: str) -> Line | None:
    lines = () if figure is None else figure.lines
    return next((line for line in lines if line.name == name), None)


def _colours(figures: Sequence[Figure | None], names: Sequence[str]) -> dict[str, int]:
    """Return a number in the palette for each name: that of the reports, where it tells the lines apart."""
    found = [next(line for f in figures if (line := _line(f, name)) is not None).colour for name in names]
    known = [colour for colour in found if colour is not None]
    if len(set(known)) == len(names):
        return dict(zip(names, known, strict=True))
    return {name: i for i, name in enumerate(names)}


def _ended(line: Line, end_s: float, last_s: float) -> Line:
    """Return a line of a run that ended before others: nothing is drawn after its end."""
    if end_s >= last_s or not line.t_s.size:
        return line
    t_s, values = np.append(line.t_s, [end_s, last_s]), np.append(line.values, [line.values[-1], np.nan])
    return replace(line, t_s=t_s, values=values)


def _apart(lines: Sequence[Line | None], end_s: float) -> float:
    """Return the largest difference of lines until a time, by their size; infinite where one lacks."""
    known = [line for line in lines if line is not None and line.t_s.size]
    if len(known) < len(lines):
        return np.inf
    t_s = np.unique(np.concatenate([line.t_s for line in known]))
    t_s = t_s[t_s < end_s]
    values = np.array([_at(line, t_s) for line in known])
    missing = np.isnan(values)
    if (missing.any(axis=0) & ~missing.all(axis=0)).any():
        return np.inf
    solid = values[:, ~missing.any(axis=0)]
    if not solid.size:
        return 0.0
    size = max(float(np.abs(solid).max()), 1e-9)
    return float(np.ptp(solid, axis=0).max()) / size


def _at(line: Line, t_s: Floats) -> Floats:
    """Return what a line holds at some instants; it holds its last value after its end."""
    rows = np.clip(np.searchsorted(line.t_s, t_s + 1e-9, side="right") - 1, 0, line.t_s.size - 1)
    held: Floats = line.values[rows]
    return held

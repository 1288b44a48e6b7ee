"""What protection models have in common: how they measure frequency, and what a setting may be."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from pydantic import Field

from cosim.core.errors import CaseError, collected
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Block, Site

Told = Callable[[int, int], tuple[str, str]]

PLAUSIBLE = (0.9, 1.1)
"""Frequencies relays are set to, as a part of nominal: outside of them a setting is of another system."""

DUE, DONE = 1.0, 2.0
"""Marks of a stage that has to shed, and of one that has shed."""


class FrequencyMeter(Params):
    """Measurement of the frequency at the bus; defaults (unconfirmed)."""

    tf_s: float = Field(default=0.05, gt=0, description="lag of the frequency measurement")
    vblock_pu: float = Field(
        default=0.5, ge=0, lt=1, description="voltage below which the frequency is not trusted"
    )


def check_thresholds(
    model: str, site: Site, settings: Iterable[tuple[str, Floats, Floats]], *, above: bool = False
) -> None:
    """Refuse frequency settings that do not fit the nominal frequency of the case.

    Parameters
    ----------
    model
        Name of the model, for the message.
    site
        Its units.
    settings
        Column, its values [Hz] and whether it is in use, each of shape (units,).
    above
        The stages act above nominal frequency.

    Raises
    ------
    CaseError
        With every setting: element, column, value and what is allowed.
    """
    nominal = site.omega_base / (2.0 * np.pi)
    low, high = (nominal, PLAUSIBLE[1] * nominal) if above else (PLAUSIBLE[0] * nominal, nominal)
    wrong = [
        f"{site.elements[k]} ({model}) {column}={values[k]:g} does not fit {nominal:g} Hz "
        f"(allowed: {low:g} to {high:g})"
        for column, values, used in settings
        for k in np.flatnonzero((used > 0.0) & ~((low < values) & (values < high))).tolist()
    ]
    collected(wrong, CaseError)


def falling(stages: Sequence[tuple[str, float, bool]], *, rising: bool = False) -> list[str]:
    """Return the stages in use whose threshold is not beyond that of the stage before.

    A stage is its column, its threshold and whether it is in use.
    """
    used = [(name, value) for name, value, on in stages if on]
    sign = -1.0 if rising else 1.0
    word = "above" if rising else "below"
    return [
        f"{name}={value:g} is not {word} {before}={last:g}"
        for (before, last), (name, value) in pairwise(used)
        if sign * value >= sign * last
    ]


def too_much(shares: Sequence[float]) -> list[str]:
    """Return a finding where the stages of a load together shed more than all of it."""
    total = sum(shares)
    return [f"the shares sum to {total:g}, more than 1"] if total > 1.0 + 1e-9 else []


def shed_due(session: Any, u: Block, told: Told, *, left: Floats, done: Floats, shares: Floats) -> None:
    """Shed what the stages that are due stand for, and write it into the log.

    Parameters
    ----------
    session
        The run.
    u
        The relays.
    told
        Stage and unit -> name of the stage and what was measured.
    left
        What is left of each load [pu], shape (units,); becomes less.
    done
        Marks of the stages, shape (stages, units); `DUE` becomes `DONE`.
    shares
        Share of each stage [pu], shape (stages, units).
    """
    names, sheds = session.elements_of(u), {}
    for k in np.flatnonzero((done == DUE).any(axis=0)).tolist():
        before = float(left[k])
        for i in np.flatnonzero(done[:, k] == DUE).tolist():
            done[i, k] = DONE
            left[k] -= shares[i, k]
            stage, measured = told(i, k)
            session.note(f"{names[k]}: {stage} shed {100 * shares[i, k]:g} % at {measured}")
        sheds[names[k]] = float(1.0 - left[k] / before)
    session.shed(sheds)

"""What protection models have in common: how they measure frequency, and what a setting may be."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from pydantic import Field

from cosim.core.errors import CaseError, collected
from cosim.core.params import Params
from cosim.core.types import Floats
from grids.dynamics.device import Site

PLAUSIBLE = (0.9, 1.1)
"""Frequencies relays are set to, as a part of nominal: outside of them a setting is of another system."""


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

"""What a component returned, checked before anybody else sees it."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from cosim.core.errors import ComponentError
from cosim.core.types import Floats
from cosim.simulators.board import shelf


class StepError(ComponentError):
    """A model broke in mid-run: which, and when."""

    def __init__(self, culprit: str, t_s: float, text: str) -> None:
        super().__init__(f"{culprit} at t_s={t_s:g}: {text}")
        self.culprit, self.t_s = culprit, t_s


def raised(culprit: str, t_s: float, error: BaseException) -> StepError:
    """Return the StepError for an exception out of a model."""
    text = str(error) or "no message"
    return StepError(culprit, t_s, f"{type(error).__name__}: {text}")


def checked(
    kind: str, units: Sequence[str], ports: Sequence[str], outputs: Any, t_s: float
) -> dict[str, Floats]:
    """Return copies of all outputs, read-only, each of shape (units,).

    Copies, because a component may hand out its own state and change it later.
    Raises StepError when a port is missing or unknown, has another shape, or is not finite.
    """
    if not isinstance(outputs, Mapping):
        raise StepError(kind, t_s, f"step returned {type(outputs).__name__}, not a mapping of ports")
    shape = (len(units),)
    values = np.empty((len(ports), len(units)))
    for place, port in enumerate(ports):
        found: Any = outputs.get(port)
        if getattr(found, "shape", None) != shape and np.shape(found) != shape:
            raise StepError(kind, t_s, _misfit(port, found, len(units)))
        try:
            values[place] = found
        except (TypeError, ValueError) as error:
            raise StepError(kind, t_s, f"output {port} is not numbers: {error}") from error
    if len(outputs) > len(ports):
        unknown = ", ".join(sorted(str(port) for port in set(outputs) - set(ports)))
        raise StepError(kind, t_s, f"step returned ports it does not declare: {unknown}")
    # a sum of squares is the cheapest look at all numbers; where it overflows, look at each
    if not isfinite(np.vdot(values, values)) and not np.isfinite(values).all():
        place, unit = np.argwhere(~np.isfinite(values))[0]
        raise StepError(
            kind,
            t_s,
            f"output {ports[place]} of {units[unit]} is {values[place, unit]:g}, not a finite number",
        )
    return shelf(ports, values)


def _misfit(port: str, found: Any, units: int) -> str:
    if found is None:
        return f"output {port} is missing"
    return f"output {port} has shape {np.shape(found)}, expected ({units},): one value per unit"

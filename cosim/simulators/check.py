"""What a component returned, checked before anybody else sees it."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from cosim.core.errors import ComponentError
from cosim.core.shelf import Shelf, places_of
from cosim.core.types import Floats


class StepError(ComponentError):
    """A model broke in mid-run: which, and when."""

    def __init__(self, culprit: str, t_s: float, text: str) -> None:
        super().__init__(f"{culprit} at t_s={t_s:g}: {text}")
        self.culprit, self.t_s = culprit, t_s


def raised(culprit: str, t_s: float, error: BaseException) -> StepError:
    """Return the StepError for an exception out of a model."""
    text = str(error) or "no message"
    return StepError(culprit, t_s, f"{type(error).__name__}: {text}")


class Check:
    """Looks at what the units of one kind publish, and copies it.

    Copies, because a component may hand out its own state and change it later.
    """

    def __init__(self, kind: str, units: Sequence[str], ports: Sequence[str]) -> None:
        self._kind, self._units, self._ports = kind, units, ports
        self._places = places_of(ports)
        self._seen: Mapping[str, int] = self._places

    def __call__(self, outputs: Any, t_s: float) -> Mapping[str, Floats]:
        """Return copies of all outputs, read-only, each of shape (units,).

        Raises StepError when a port is missing or unknown, has another shape, or is not finite.
        """
        values = self._together(outputs)
        if values is None:
            values = self._one_by_one(outputs, t_s)
        # a sum of squares is the cheapest look at all numbers; where it overflows, look at each
        if not isfinite(np.vdot(values, values)) and not np.isfinite(values).all():
            place, unit = np.argwhere(~np.isfinite(values))[0]
            text = (
                f"output {self._ports[place]} of {self._units[unit]} is {values[place, unit]:g}, "
                "not a finite number"
            )
            raise StepError(self._kind, t_s, text)
        return Shelf(self._places, values)

    def _together(self, outputs: Any) -> Floats | None:
        """Return all outputs as one array (ports, units), or None where they are not as they should be."""
        size = len(self._units)
        if isinstance(outputs, Shelf) and outputs.block.shape == (len(self._ports), size):
            if outputs.places is self._seen or list(outputs.places) == list(self._ports):
                self._seen = outputs.places
                return np.array(outputs.block, dtype=np.float64)
            return None
        if type(outputs) is not dict or len(outputs) != len(self._ports):
            return None
        try:
            columns = [outputs[port] for port in self._ports]
            values = np.concatenate(columns)
        except (KeyError, TypeError, ValueError):
            return None
        if values.dtype != np.float64 or values.ndim != 1 or set(map(len, columns)) != {size}:
            return None
        return values.reshape(len(columns), size)

    def _one_by_one(self, outputs: Any, t_s: float) -> Floats:
        """Return the same, whatever can pass for numbers, or raise StepError naming the port that cannot."""
        kind, ports = self._kind, self._ports
        if not isinstance(outputs, Mapping):
            raise StepError(kind, t_s, f"step returned {type(outputs).__name__}, not a mapping of ports")
        shape = (len(self._units),)
        values = np.empty((len(ports), len(self._units)))
        for place, port in enumerate(ports):
            found: Any = outputs.get(port)
            if np.shape(found) != shape:
                raise StepError(kind, t_s, _misfit(port, found, len(self._units)))
            try:
                values[place] = found
            except (TypeError, ValueError) as error:
                raise StepError(kind, t_s, f"output {port} is not numbers: {error}") from error
        if len(outputs) > len(ports):
            unknown = ", ".join(sorted(str(port) for port in set(outputs) - set(ports)))
            raise StepError(kind, t_s, f"step returned ports it does not declare: {unknown}")
        return values


def _misfit(port: str, found: Any, units: int) -> str:
    if found is None:
        return f"output {port} is missing"
    return f"output {port} has shape {np.shape(found)}, expected ({units},): one value per unit"

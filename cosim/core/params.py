"""Frozen parameter models: checked once at the door, every number with its unit in its name."""

from collections.abc import Sequence
from typing import Any, Self, TypeVar

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict

from cosim.core.types import Floats
from cosim.core.units import unit_of

P = TypeVar("P", bound="Params")

LISTED = BeforeValidator(lambda given: tuple(given) if isinstance(given, list) else given)
"""For tuples of a model that fills in what is given, or of its parts.

Scenarios are read strictly, and behind such a model's validator a list is no tuple."""


class Params(BaseModel):
    """Base of every parameter model: frozen, unknown keys refused, units in the names of numbers.

    A numeric field whose name ends in no unit of `cosim.core.units` raises TypeError when the class
    is defined, so a model without units cannot exist. Seeds and switches are not numbers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            if field.annotation in (float, int) and unit_of(name) is None:
                msg = f"{cls.__name__}.{name} is a number without a unit in its name"
                raise TypeError(msg)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return itself: what is frozen needs no copy."""
        del memo
        return self


def column(params: Sequence[Params], name: str) -> Floats:
    """Return parameter `name` of all units as one float64 array."""
    return np.array([float(getattr(p, name)) for p in params], dtype=np.float64)


def columns(params: Sequence[Params]) -> dict[str, Floats]:
    """Return every numeric parameter of all units as float64 arrays, keyed by name."""
    if not params:
        return {}
    numeric = [n for n, f in type(params[0]).model_fields.items() if f.annotation in (float, int)]
    return {name: column(params, name) for name in numeric}

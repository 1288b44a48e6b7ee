"""Racks by name: what one draws, what its accelerators are, and how its heat leaves it."""

from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from cosim.core.params import Params


class Rack(Params):
    """One rack at full load; a hall is a number of equal racks."""

    title: str = Field(default="", description="what it is")
    cooling: Literal["liquid", "air"] = Field(description="what carries the accelerators' heat away")
    gpus_count: float = Field(gt=0, description="accelerators in the rack")
    full_load_kw: float = Field(gt=0, description="power drawn with every accelerator busy")
    idle_pu: float = Field(gt=0, lt=1, description="power with none busy, of full load")
    gpu_heat_pu: float = Field(gt=0, le=1, description="share of the heat that leaves through the dies")
    liquid_heat_pu: float = Field(ge=0, le=1, description="share of the heat that goes into the coolant")
    temp_throttle_degc: float = Field(gt=0, lt=150, description="die temperature where clocks start to fall")
    temp_reference_degc: float = Field(
        gt=0, lt=150, description="die temperature at which full load is given"
    )
    r_die_k_per_kw: float = Field(
        gt=0, description="liquid: junction to case; air: die to inlet air, of one accelerator"
    )
    capacity_die_mj_per_k: float = Field(
        gt=0, description="heat capacity of one accelerator with its plate or sink"
    )
    capacity_air_mj_per_k: float = Field(gt=0, description="hall air for each rack")
    capacity_mass_mj_per_k: float = Field(gt=0, description="metal and structure in the air stream")
    ua_mass_mw_per_k: float = Field(gt=0, description="heat conductance between air and that mass")
    leak_pu: float = Field(ge=0, lt=0.5, description="leakage at the reference temperature, of full load")
    leak_pu_per_k: float = Field(ge=0, lt=0.05, description="relative rise of leakage with die temperature")

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.cooling == "liquid" and self.liquid_heat_pu < self.gpu_heat_pu:
            msg = (
                f"liquid_heat_pu={self.liquid_heat_pu:g} is less than gpu_heat_pu={self.gpu_heat_pu:g}: "
                "the coolant must take at least the heat of the dies"
            )
            raise ValueError(msg)
        if self.cooling == "air" and self.liquid_heat_pu != 0.0:
            msg = f"liquid_heat_pu={self.liquid_heat_pu:g} must be 0 in an air-cooled rack"
            raise ValueError(msg)
        if self.idle_pu < self.leak_pu:
            msg = f"idle_pu={self.idle_pu:g} is less than leak_pu={self.leak_pu:g}, which is part of it"
            raise ValueError(msg)
        return self


@cache
def _catalog() -> dict[str, dict[str, Any]]:
    text = files("datacenters.catalog").joinpath("racks.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return loaded


def rack_names() -> tuple[str, ...]:
    """Return the names of the racks in the catalog, sorted."""
    return tuple(sorted(_catalog()))


@cache
def rack(name: str) -> Rack:
    """Return the rack called `name`. Raises ValueError with the known names when there is none."""
    if name not in _catalog():
        msg = f"rack {name!r} is not in the catalog: {', '.join(rack_names())}"
        raise ValueError(msg)
    plain = {key: v["value"] if isinstance(v, dict) else v for key, v in _catalog()[name].items()}
    return Rack(**plain)


def provenance(name: str) -> dict[str, tuple[str, str]]:
    """Return parameter -> (status, source) of the rack called `name`."""
    return {key: (v["status"], v["source"]) for key, v in _catalog()[name].items() if isinstance(v, dict)}

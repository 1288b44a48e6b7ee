"""Racks by name: what one draws, what its accelerators are, and how its heat leaves it."""

from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple, Self

import yaml
from pydantic import ConfigDict, Field, model_validator

from cosim.core.params import Params
from cosim.core.registry import nearest
from datacenters.gpu import Parts


def _asks_for_nothing(schema: dict[str, Any]) -> None:
    """Leave it to the reader what must be given: `like` and `parts` fill in the rest."""
    schema.pop("required", None)


class Rack(Params):
    """One rack at full load; a hall is a number of equal racks.

    With `like` every number that is not given is that of a rack of the catalog; with `parts` the
    accelerators, full load and idle share follow from its nodes.
    """

    model_config = ConfigDict(json_schema_extra=_asks_for_nothing)

    like: str | None = Field(
        default=None, description="rack of the catalog whose numbers stand where none is"
    )
    parts: Parts | None = Field(default=None, description="nodes of the rack, instead of its power")
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

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        from_parts: dict[str, Any] = {}
        if given.get("parts") is not None:
            from_parts = Parts.model_validate(given["parts"]).rack_numbers()
            if other := [f"{key}={v:g}" for key, v in from_parts.items() if given.get(key, v) != v]:
                msg = f"parts make {', '.join(other)}: leave out what is given beside them"
                raise ValueError(msg)
        base = _plain(given["like"]) if isinstance(given.get("like"), str) else {}
        filled = {**base, **given, **from_parts}
        full_kw, idle_pu = filled.get("full_load_kw"), filled.get("idle_pu")
        if isinstance(full_kw, int | float) and isinstance(idle_pu, int | float) and idle_pu >= 1.0:
            msg = (
                f"full_load_kw={full_kw:g} is not above the {idle_pu * full_kw:g} kW it draws with nothing "
                f"to do (idle_pu={idle_pu:g}): allowed is idle_pu below 1"
            )
            raise ValueError(msg)
        return filled

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


def _plain(name: str) -> dict[str, Any]:
    """Return the numbers of the rack called `name`. Raises ValueError when there is none."""
    if name not in _catalog():
        msg = f"rack {name!r} is not in the catalog: {', '.join(rack_names())}.{nearest(name, _catalog())}"
        raise ValueError(msg)
    return {
        key: entry["value"] if isinstance(entry, dict) else entry
        for key, entry in _catalog()[name].items()
        if key != "date"
    }


@cache
def rack(name: str) -> Rack:
    """Return the rack called `name`. Raises ValueError with the known names when there is none."""
    return Rack(**_plain(name))


class Origin(NamedTuple):
    """Where a number of the catalog comes from."""

    status: str
    """`published`, `derived` or `unconfirmed`."""
    source: str
    date: str
    """Year and month: of the source, or of the day it was looked up where it bears none."""


def provenance(name: str) -> dict[str, Origin]:
    """Return parameter -> status, source and date, of the rack called `name`."""
    whole = _catalog()[name]
    return {
        key: Origin(entry["status"], entry["source"], entry.get("date", whole["date"]))
        for key, entry in whole.items()
        if isinstance(entry, dict)
    }

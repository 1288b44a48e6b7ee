"""Parameters and events of a controller: one resource, its range, and the laws that share it."""

from typing import Self

from pydantic import Field, model_validator

from cosim.core.params import Params
from datacenters.control_laws import (
    SELLS,
    DemandResponse,
    EmergencyReduction,
    Law,
    PeakReduction,
    Precooling,
    VoltageSupport,
)


class ControllerParams(Params):
    """One resource, its range, and the laws that share it: the first comes first."""

    hall: str | None = Field(default=None, description="hall it governs, by a cap of IT power and set-points")
    battery: str | None = Field(
        default=None, description="battery or other converter it governs, by orders of p and q"
    )
    site: str | None = Field(
        default=None, description="site it governs, by the accelerators its jobs may hold"
    )
    meter: str | None = Field(default=None, description="hall whose power tells what a site has done (site)")
    watches: tuple[str, ...] = Field(
        default=(), description="units whose power together is limited; none: the governed one alone"
    )
    it_rated_mw: float | None = Field(
        default=None, gt=0, description="rated IT power of the hall, of which a cap is a part (hall)"
    )
    gpu_kw: float = Field(
        default=1.0, gt=0, description="what a busy accelerator adds at the meter (site); as at the site"
    )
    down_mw: float = Field(
        default=0.0, ge=0, description="range: most by which all its laws together lower power"
    )
    up_mw: float = Field(default=0.0, ge=0, description="range: most by which they raise it (battery)")
    tau_power_s: float = Field(
        default=0.2, ge=0.02, le=60, description="lag of IT power behind its cap; as at the hall (hall)"
    )
    asks_over_s: float | None = Field(
        default=None,
        gt=0,
        le=86_400,
        description="no more is promised than its resource says it can hold for so long; none: not asked",
    )
    asks_every_s: float = Field(default=60.0, gt=0, description="how often it is asked")
    laws: tuple[Law, ...] = Field(
        min_length=1, description="what it does, in the order of their right to the range"
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        findings = [*self._resource_findings(), *self._law_findings()]
        if findings:
            raise ValueError("; ".join(findings))
        return self

    def governed(self) -> str:
        """Return the unit it orders."""
        return self.hall or self.battery or self.site or ""

    def metered(self) -> str:
        """Return the unit whose power says what was delivered."""
        return self.meter or self.governed()

    def limited(self) -> frozenset[str]:
        """Return the units whose power together its limits hold for."""
        return frozenset(self.watches or (self.metered(),))

    def limits_mw(self) -> frozenset[float]:
        """Return the limits it keeps."""
        return frozenset(law.limit_mw for law in self.laws if isinstance(law, PeakReduction))

    def _resource_findings(self) -> list[str]:
        given = [name for name in ("hall", "battery", "site") if getattr(self, name) is not None]
        findings = []
        if len(given) != 1:
            findings.append(f"it governs one of hall, battery, site; given: {', '.join(given) or 'none'}")
        if self.hall is not None and self.it_rated_mw is None:
            findings.append(f"hall={self.hall} needs it_rated_mw, its rated IT power")
        if (self.site is None) != (self.meter is None):
            findings.append("site and meter (the hall it runs on) go together")
        if self.site is not None and self.asks_over_s is not None:
            findings.append(f"asks_over_s={self.asks_over_s:g}: a site does not say what it can hold")
        if self.battery is None and self.up_mw > 0.0:
            findings.append(f"up_mw={self.up_mw:g} is beyond a hall or a site, which only can be lowered: 0")
        return findings

    def _law_findings(self) -> list[str]:
        findings = []
        for k, law in enumerate(self.laws):
            if isinstance(law, Precooling) and self.hall is None:
                findings.append(f"laws.{k}: precooling needs a hall")
            if isinstance(law, VoltageSupport) and self.site is not None:
                findings.append(f"laws.{k}: voltage_support needs a battery, or a hall with a supply")
            if isinstance(law, SELLS):
                findings += [f"laws.{k}: {text}" for text in self._beyond(law)]
        for kind in (DemandResponse, EmergencyReduction, Precooling, VoltageSupport):
            if sum(isinstance(law, kind) for law in self.laws) > 1:
                findings.append(f"laws: {kind.__name__} stands more than once")
        return findings

    def _beyond(self, law: Law) -> list[str]:
        """Return which powers of a law are beyond the range."""
        if isinstance(law, DemandResponse):
            most = max(self.down_mw, self.up_mw)
            return (
                []
                if law.p_mw <= most
                else [f"p_mw={law.p_mw:g} is beyond down_mw and up_mw, at most {most:g}"]
            )
        wants = {
            "p_mw": self.down_mw,
            "p_most_mw": self.down_mw,
            "hold_mw": self.down_mw,
            "fill_mw": self.up_mw,
        }
        known = {name: getattr(law, name, None) for name in wants}
        found = [
            f"{name}={value:g} is beyond {'up' if name == 'fill_mw' else 'down'}_mw={wants[name]:g}"
            for name, value in known.items()
            if value is not None and value > wants[name]
        ]
        if isinstance(law, PeakReduction) and self.down_mw == 0.0:
            found.append("down_mw=0 leaves it nothing to give up")
        return found


class Shed(Params):
    """Event `shed`: the emergency reduction is wanted now, as when a link's poles are blocked."""


class Restore(Params):
    """Event `restore`: it is over."""
